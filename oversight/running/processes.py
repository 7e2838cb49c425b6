"""Worker processes of a run's own, which end with it; and one BLAS thread in each."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from typing import TypeVar

from threadpoolctl import threadpool_limits

from oversight.core.errors import WorkersError
from oversight.studies.study import Study

T = TypeVar("T")
TRIES = 2
"""How often work is offered to processes that may have died meanwhile."""


class Processes:
    """Processes that begin with the first work and can be ended and begun again."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._begun: Event | None = None  # whether any process has begun

    def submit(self, call: Callable[..., T], study: Study, *rest: object) -> Future[T]:
        """Have a process call a function with a study. Raises WorkersError where the study cannot
        be sent to another process, or none can be started."""
        for last in range(TRIES):
            try:
                return self._ready(study).submit(call, study, *rest)
            except RuntimeError:  # broken
                self.look()
                if last == TRIES - 1:
                    raise
                self.end(at_once=True)
        raise AssertionError

    def look(self) -> None:
        """Raises WorkersError where no process could be started at all."""
        broken = bool(getattr(self._pool, "_broken", False))
        if broken and self._begun is not None and not self._begun.is_set():
            raise WorkersError(
                "no worker process could be started; a script that asks for jobs must guard what "
                "it runs with `if __name__ == '__main__':`"
            )

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

    def _ready(self, study: Study) -> ProcessPoolExecutor:
        if self._pool is None:
            _refuse_what_stays(study)
            # A fresh process a worker, so that no thread or lock of this one is copied into it.
            context = multiprocessing.get_context("spawn")
            self._begun = context.Event()
            self._pool = ProcessPoolExecutor(
                self.jobs, mp_context=context, initializer=_begin, initargs=(self._begun,)
            )
        return self._pool


def _begin(begun: Event) -> None:
    """A worker leaves Ctrl-C to its parent, and ends with it, however that ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            """Wait for the parent's end."""
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _refuse_what_stays(study: Study) -> None:
    """Raises WorkersError where a study cannot be sent to another process."""
    try:
        pickle.dumps(study)
    except Exception as error:
        raise WorkersError(
            f"cannot be sent to worker processes: {error}. Define what it is made of in a module, "
            "not in a function; or ask for no jobs"
        ) from None


class _OneThread:
    """How many want one BLAS thread in this process, and what limits it meanwhile."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._inside = 0
        self._limits: threadpool_limits | None = None

    def enter(self) -> None:
        """One more wants it."""
        with self._guard:
            if self._inside == 0:
                self._limits = threadpool_limits(1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        """One fewer wants it; the last restores what was."""
        with self._guard:
            self._inside -= 1
            if self._inside == 0 and self._limits is not None:
                self._limits.restore_original_limits()


_ONE_THREAD = _OneThread()


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread in this process, until the last who wants it leaves: parallel by process, and
    the same bits whatever the machine's threads."""
    _ONE_THREAD.enter()
    try:
        yield
    finally:
        _ONE_THREAD.leave()
