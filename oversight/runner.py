"""Runs a study: replicates in this process or any executor, kept in a store where one is given."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from threadpoolctl import threadpool_limits

from oversight.replicate import Replicate, run_replicate
from oversight.results import Results
from oversight.store import Store
from oversight.study import Case, Study

Progress = Callable[[Replicate], None]
Task = tuple[int, list[Case]]
"""A replicate's number and the cases to run in it."""


def compare(
    study: Study,
    *,
    failures: bool = False,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run every protocol of a study on the same items, with the same people and student, and
    compare them.

    failures  also under every failure that the study names, at each of its severities
    executor  any concurrent.futures.Executor; the numbers do not depend on it
    jobs      worker processes, where no executor is given; 1 runs in this process
    out       a folder to keep results in; what is there already is not run again
    progress  called with each finished replicate

    A case that raises in a replicate is kept in `Results.failed`; the others go on.
    """
    cases = study.cases(study.failures if failures else None)
    results = empty(study, cases)
    with opened(study, out) as store, workers(executor, jobs) as pool:
        run(study, cases, results, store=store, executor=pool, jobs=jobs, progress=progress)
        if store:
            store.export(results)
    return results


def empty(study: Study, cases: Iterable[Case]) -> Results:
    """Results with room for these cases of a study."""
    items, replicates = study.world.train_items, study.replicates
    return Results(study.name, cases, study.baseline, items, replicates)


def run(
    study: Study,
    cases: Sequence[Case],
    results: Results,
    *,
    store: Store | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> None:
    """Run cases in every replicate, but for what the store has; put them into results and store."""
    results.expect(cases)
    store = store.of(study) if store else None
    have: dict[int, set[Case]] = {}
    for kept in store.finished(cases) if store else ():
        results.add(kept)
        have.setdefault(kept.number, set()).update(kept.rows)
    todo = (
        (number, missing)
        for number in range(study.replicates)
        if (missing := [case for case in cases if case not in have.get(number, ())])
    )
    for replicate in _run(study, todo, executor, jobs):
        if store:
            store.keep(replicate)
        results.add(replicate)
        if progress:
            progress(replicate)


@contextmanager
def opened(study: Study, out: str | Path | None) -> Iterator[Store | None]:
    if out is None:
        yield None
        return
    with Store.open(Path(out), study) as store:
        yield store


@contextmanager
def workers(executor: Executor | None, jobs: int) -> Iterator[Executor | None]:
    if executor is not None or jobs <= 1:
        yield executor
        return
    # A fresh process a worker, so that no thread or lock of this one is copied into it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield pool


def _run(
    study: Study, todo: Iterable[Task], workers: Executor | None, jobs: int
) -> Iterator[Replicate]:
    """Replicates as they finish. At most a few chunks are under way, so that memory stays flat."""
    if workers is None:
        for task in todo:
            yield from _chunk(study, [task])
        return
    waiting: set[Future[list[Replicate]]] = set()
    tasks = iter(todo)
    exhausted = False
    while waiting or not exhausted:
        while not exhausted and len(waiting) < 4 * max(jobs, 2):
            chunk = list(islice(tasks, CHUNK))
            if not chunk:
                exhausted = True
                break
            waiting.add(workers.submit(_chunk, study, chunk))
        finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            yield from future.result()


CHUNK = 2
"""Replicates a task: few, so that workers finish together; the study is sent once a task."""


def _chunk(study: Study, tasks: list[Task]) -> list[Replicate]:
    # One BLAS thread: parallel by process, and the same bits whatever the machine's threads.
    with threadpool_limits(1, user_api="blas"):
        return [run_replicate(study, number, cases) for number, cases in tasks]
