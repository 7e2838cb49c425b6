"""Runs a study: replicates in this process or any executor, kept in a store where one is given."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from oversight.replicate import Replicate, run_replicate
from oversight.results import Results
from oversight.store import Store
from oversight.study import Study

Progress = Callable[[Replicate], None]


def compare(
    study: Study,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run every protocol of a study on the same items, with the same people and student, and
    compare them.

    executor  any concurrent.futures.Executor; the numbers do not depend on it
    jobs      worker processes, where no executor is given; 1 runs in this process
    out       a folder to keep results in; what is there already is not run again
    progress  called with each finished replicate

    A protocol that raises in a replicate is kept in `Results.failures`; the others go on.
    """
    results = Results(
        study.name, study.cells, study.baseline, study.world.train_items, study.replicates
    )
    with _store(study, out) as store:
        done = set()
        for replicate in store.finished() if store else ():
            results.add(replicate)
            done.add(replicate.number)
        todo = (number for number in range(study.replicates) if number not in done)
        with _workers(executor, jobs) as workers:
            for replicate in _run(study, todo, workers, jobs):
                if store and not replicate.failures:
                    store.keep(replicate)
                results.add(replicate)
                if progress:
                    progress(replicate)
        if store:
            store.export(results)
    return results


@contextmanager
def _store(study: Study, out: str | Path | None) -> Iterator[Store | None]:
    if out is None:
        yield None
        return
    with Store.open(Path(out), study) as store:
        yield store


@contextmanager
def _workers(executor: Executor | None, jobs: int) -> Iterator[Executor | None]:
    if executor is not None or jobs <= 1:
        yield executor
        return
    # A fresh process a worker, so that no thread or lock of this one is copied into it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield pool


def _run(
    study: Study, todo: Iterable[int], workers: Executor | None, jobs: int
) -> Iterator[Replicate]:
    """Replicates as they finish. At most a few chunks are under way, so that memory stays flat."""
    if workers is None:
        for number in todo:
            yield from _chunk(study, [number])
        return
    waiting: set[Future[list[Replicate]]] = set()
    numbers = iter(todo)
    exhausted = False
    while waiting or not exhausted:
        while not exhausted and len(waiting) < 4 * max(jobs, 2):
            chunk = [number for _, number in zip(range(CHUNK), numbers, strict=False)]
            if not chunk:
                exhausted = True
                break
            waiting.add(workers.submit(_chunk, study, chunk))
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield from future.result()


CHUNK = 2
"""Replicates a task: few, so that workers finish together; the study is sent once a task."""


def _chunk(study: Study, numbers: list[int]) -> list[Replicate]:
    # One BLAS thread: parallel by process, and the same bits whatever the machine's threads.
    with threadpool_limits(1, user_api="blas"):
        return [run_replicate(study, number) for number in numbers]
