"""Whoever runs replicates: this process, a pool of others, any executor, a cluster.

Numbers never depend on it. A worker that dies costs what it was at a retry, alone; what kills its
worker twice has failed, and the rest goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from oversight.core.errors import WorkersError
from oversight.running.replicate import Failed, Replicate, run_replicate
from oversight.running.store import LOST
from oversight.studies.fingerprint import of_engine
from oversight.studies.study import Case, Study

SECONDS = 0.25
"""What a chunk of replicates should take: long against sending it, short against waiting for the
last."""
MOST = 64
TRIES = 2
LOOK = 5.0
"""Seconds of silence after which it is looked whether anybody is still working."""


class Task(NamedTuple):
    """Cases of a study to be run in one replicate."""

    study: Study
    number: int
    cases: tuple[Case, ...]


class Crew:
    """Workers: none but this process, `jobs` processes of its own, or somebody else's executor."""

    def __init__(self, executor: Executor | None = None, jobs: int = 1) -> None:
        self._given, self.jobs = executor, max(jobs, 1)
        self._pool = executor
        self._each = 0.0  # seconds a replicate, lately
        self._begun: Any = None  # whether any process of its own has begun

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._given is None and self._pool is not None:
            _ended(self._pool, kind is not None)
        self._pool = self._given

    @property
    def alone(self) -> bool:
        """Whether this process does the work."""
        return self._given is None and self.jobs == 1

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Study, list[Replicate]]]:
        """Replicates as they finish, a chunk of one study at a time. No more than a few chunks are
        under way, so that memory stays flat."""
        if self.alone:
            for task in tasks:
                yield task.study, _chunk(task.study, [task[1:]], of_engine())[0]
            return
        waiting: dict[Future[Any], list[Task]] = {}
        chunks = self._chunks(iter(tasks))
        try:
            while True:
                for chunk in islice(chunks, max(2 * self._hands() - len(waiting), 0)):
                    waiting[self._sent(chunk)] = chunk
                if not waiting:
                    return
                lost = []
                for future in self._done(waiting):
                    chunk = waiting.pop(future)
                    try:
                        replicates, seconds = future.result()
                    except WorkersError:
                        raise
                    except Exception as error:  # a worker died, or could not even be reached
                        self._able()
                        lost.append((chunk, error))
                        continue
                    self._each = 0.5 * self._each + 0.5 * seconds / len(chunk)
                    yield chunk[0].study, replicates
                if lost:
                    # Whoever is broken has lost everything that was under way.
                    for future, chunk in list(waiting.items()):
                        if self._given is None or future.done():
                            lost.append((chunk, lost[0][1]))
                            del waiting[future]
                    yield from self._again(lost)
        finally:
            for future in waiting:
                future.cancel()

    def _again(
        self, lost: list[tuple[list[Task], Exception]]
    ) -> Iterator[tuple[Study, list[Replicate]]]:
        """What was lost, once more, each replicate alone."""
        todo = deque((task, error) for chunk, error in lost for task in chunk)
        self._renew()
        while todo:
            task, error = todo.popleft()
            try:
                future = self._sent([task])
                self._done([future])
                replicates, _ = future.result()
            except WorkersError:
                raise
            except Exception as second:
                self._able()
                self._renew()
                replicates = [_given_up(task, second if str(second) else error)]
            yield task.study, replicates

    def _done(self, futures: Iterable[Future[Any]]) -> set[Future[Any]]:
        """Those that are done, as soon as any is; looks after who does them meanwhile."""
        while not (done := wait(futures, LOOK, FIRST_COMPLETED).done):
            self._able()
        return done

    def _able(self) -> None:
        """Raises WorkersError where nobody can do any work."""
        trouble = getattr(self._given, "trouble", None)
        if trouble is not None and (says := trouble()):
            raise WorkersError(says)
        if self._begun is not None and _broken(self._pool) and not self._begun.is_set():
            raise WorkersError(
                "no worker process could be started; a script that asks for jobs must guard what "
                "it runs with `if __name__ == '__main__':`"
            )

    def _sent(self, chunk: list[Task]) -> Future[Any]:
        study, work = chunk[0].study, [(task.number, task.cases) for task in chunk]
        for last in range(TRIES):
            if self._pool is None:
                _sendable(study)
                self._pool, self._begun = _processes(self.jobs)
            try:
                return self._pool.submit(_chunk, study, work, of_engine())
            except RuntimeError as error:  # broken, or ended by somebody
                if self._given is not None:
                    says = "the executor takes no more work: " + (str(error) or repr(error))
                    raise WorkersError(f"{says}. What was finished is kept") from error
                self._able()
                if last == TRIES - 1:
                    raise
                self._renew()
        raise AssertionError

    def _renew(self) -> None:
        if self._given is None and self._pool is not None:
            _ended(self._pool, True)
            self._pool = None

    def _chunks(self, tasks: Iterator[Task]) -> Iterator[list[Task]]:
        """Tasks of one study together, as many as take about SECONDS."""
        held: list[Task] = []
        for task in tasks:
            if held and (task.study is not held[0].study or len(held) >= self._size()):
                yield held
                held = []
            held.append(task)
        if held:
            yield held

    def _size(self) -> int:
        return 1 if not self._each else max(1, min(int(SECONDS / self._each), MOST))

    def _hands(self) -> int:
        """How many chunks are worked on at once, about."""
        if self._given is None:
            return self.jobs
        return int(getattr(self._given, "_max_workers", 0)) or 8


def _processes(jobs: int) -> tuple[ProcessPoolExecutor, Any]:
    """Processes, and an event that is set when one has begun."""
    # A fresh process a worker, so that no thread or lock of this one is copied into it.
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    made = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(begun,))
    return made, begun


def _begin(begun: Any) -> None:
    """A worker leaves Ctrl-C to its parent, and ends with it, however that ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _broken(pool: Executor | None) -> bool:
    return bool(getattr(pool, "_broken", False))


def _sendable(study: Study) -> None:
    """Raises WorkersError where a study cannot be sent to another process."""
    try:
        pickle.dumps(study)
    except Exception as error:
        raise WorkersError(
            f"cannot be sent to worker processes: {error}. Define what it is made of in a module, "
            "not in a function; or ask for no jobs"
        ) from None


def _ended(pool: Executor, at_once: bool) -> None:
    """End a pool; at once, if what it is at is of no use any more."""
    processes = dict(getattr(pool, "_processes", None) or {}) if at_once else {}
    for process in processes.values():
        with suppress(Exception):
            process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


def _given_up(task: Task, error: Exception) -> Replicate:
    told = str(error).split("\n")[0] or type(error).__name__
    says = f"its worker died {TRIES} times (out of memory, or killed): {told}"
    lost = tuple(Failed(case, task.number, says, LOST) for case in task.cases)
    return Replicate(task.number, {}, lost)


def _chunk(study: Study, work: list[Any], engine: str) -> tuple[list[Replicate], float]:
    """Run replicates of one study, for an engine with this code; with the seconds it took."""
    if engine != of_engine():
        raise WorkersError(
            "a worker has another version of this program or of what it draws and fits with; "
            "install the same there, or start it again"
        )
    began = time.perf_counter()
    with one_thread():
        done = [run_replicate(study, number, cases) for number, cases in work]
    return done, time.perf_counter() - began


_threads: Any = None
_inside = 0
_guard = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread in this process, until the last who wants it leaves: parallel by process, and
    the same bits whatever the machine's threads."""
    global _threads, _inside
    with _guard:
        if _inside == 0:
            _threads = threadpool_limits(1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _guard:
            _inside -= 1
            if _inside == 0:
                _threads.restore_original_limits()
