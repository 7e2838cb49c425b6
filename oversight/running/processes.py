"""Worker processes of a run's own, which end with it; and one BLAS thread in each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from ctypes import c_bool
from typing import Any

from threadpoolctl import threadpool_limits

from oversight.core.errors import WorkersError

TRIES = 2
"""How often work is offered to processes that may have died meanwhile."""


class Processes(Executor):
    """Processes that begin with the first work and can be ended and begun again."""

    def __init__(self, jobs: int) -> None:
        self._max_workers = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._begun: c_bool | None = None  # whether any process has begun

    def submit(self, *call: Any, **keywords: Any) -> Future[Any]:
        """Have a process call a function. Raises WorkersError where none can be started."""
        for _ in range(TRIES):
            try:
                return self._ready().submit(*call, **keywords)
            except (RuntimeError, OSError):  # broken, or breaking while another process starts
                if message := self.trouble():
                    raise WorkersError(message) from None
                self.end(at_once=True)
        raise WorkersError("worker processes die as soon as they start (out of memory, or killed)")

    def trouble(self) -> str:
        """Why no process can work: each ends by itself before it has begun; else empty."""
        if not getattr(self._pool, "_broken", False) or self._begun is None or self._begun.value:
            return ""
        # Whoever is killed, or ended because another was, has a negative exit code.
        processes = getattr(self._pool, "_processes", None) or {}
        codes = [one.exitcode for one in processes.values()]
        if any(code is not None and code >= 0 for code in codes):
            return (
                "no worker process could be started; a script that asks for jobs must guard what "
                "it runs with `if __name__ == '__main__':`"
            )
        return ""

    def end(self, at_once: bool) -> None:
        """End the processes; at once, where what they do is of no use any more."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = dict(getattr(pool, "_processes", None) or {}) if at_once else {}
        for process in processes.values():
            with suppress(Exception):
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A fresh process a worker, so that no thread or lock of this one is copied into it.
            context = multiprocessing.get_context("spawn")
            self._begun = context.RawValue(c_bool, False)  # no lock for the dead to hold
            self._pool = ProcessPoolExecutor(
                self._max_workers, mp_context=context, initializer=_begin, initargs=(self._begun,)
            )
        return self._pool


def _begin(begun: c_bool) -> None:
    """A worker leaves Ctrl-C to its parent, and ends with it, however that ends. What plugins print
    is no result."""
    begun.value = True
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            """Wait for the parent's end."""
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


_LIMITS: list[threadpool_limits] = []
"""What limits BLAS for whoever wants one thread now; the first knows what was before all."""
_GUARD = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread in this process, until the last who wants it leaves: parallel by process, and
    the same bits whatever the machine's threads."""
    with _GUARD:
        _LIMITS.append(threadpool_limits(1, user_api="blas"))
    try:
        yield
    finally:
        with _GUARD:
            _LIMITS.pop().restore_original_limits()
