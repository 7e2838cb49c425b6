"""A Dask cluster as an executor: reached, checked, and looked after while it works."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from oversight.core.errors import WorkersError

T = TypeVar("T")
LIKE = "expected the address of a scheduler, like tcp://host:8786"
REACHED = 15.0
"""Seconds in which a scheduler must answer."""
WORKERLESS = 30.0
"""Seconds for which a cluster may have no workers."""


class Cluster(Executor):
    """A Dask client as an executor that can say what is wrong with it.

    address  as the user gave it
    client   a `distributed.Client`
    """

    def __init__(self, address: str, client: Any) -> None:
        self._address = address
        self._client, self._inner = client, client.get_executor()
        self._max_workers = sum(client.nthreads().values())
        self._lonely: float | None = None

    def submit(self, *call: Any, **keywords: Any) -> Future[Any]:
        """Send one call: a function and what it is called with."""
        future: Future[Any] = self._inner.submit(*call, **keywords)
        return future

    def everywhere(self, call: Callable[..., T], *values: object) -> Mapping[str, T]:
        """What a function returns on each worker, by the worker's address. Raises WorkersError
        where one cannot call it."""
        try:
            answers: dict[str, T] = self._client.run(call, *values)
        except Exception as error:  # whatever it is that its workers lack
            why = str(error).split("\n")[0]
            message = f"{self._address}: its workers cannot run this program: {why}"
            raise WorkersError(message) from None
        return answers

    def trouble(self) -> str:
        """Why nothing can be done any more; empty while something can."""
        if self._client.status != "running":
            return f"{self._address}: the scheduler is gone; what was finished is kept"
        if self._client.scheduler_info(n_workers=-1)["workers"]:
            self._lonely = None
            return ""
        self._lonely = self._lonely or time.monotonic()
        if time.monotonic() - self._lonely < WORKERLESS:
            return ""
        gone = f"no workers for {WORKERLESS:g} s"
        return f"{self._address}: {gone}; what was finished is kept"


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster at an address, like "tcp://host:8786". Raises WorkersError where it cannot
    be reached, or has no workers."""
    client = _client(address)
    with client:
        if not client.nthreads():
            raise WorkersError(f"{address}: has no workers", refused=True)
        yield Cluster(address, client)


def _client(address: str) -> Any:
    from distributed import Client

    full = address if "://" in address else f"tcp://{address}"
    try:
        parts = urlsplit(full)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise WorkersError(f"{address}: is no address; {LIKE}", refused=True)
    clients: list[Any] = []
    errors: list[Exception] = []

    def reach() -> None:
        """Leave a client, or why there is none."""
        try:
            socket.create_connection((host, port), timeout=5).close()
            clients.append(Client(full, timeout="10s", set_as_default=False))  # type: ignore[no-untyped-call]
        except Exception as error:
            errors.append(error)

    # Somebody who is no scheduler may keep the client waiting for ever.
    reaching = threading.Thread(target=reach, daemon=True)
    reaching.start()
    reaching.join(REACHED)
    if clients:
        return clients[0]
    why = str(errors[0]) if errors else f"no scheduler answered in {REACHED:g} s"
    message = f"{address}: cannot be reached: {why.splitlines()[0]}; {LIKE}"
    raise WorkersError(message, refused=True)
