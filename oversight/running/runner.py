"""Runs a study: replicates in this process or any executor, kept in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from math import ceil
from pathlib import Path

from oversight.analyses.exporting import export
from oversight.findings.results import Results
from oversight.running.replicate import Replicate
from oversight.running.store import Store
from oversight.running.workers import Crew, Task
from oversight.studies.study import Case, Study

Progress = Callable[[Replicate], None]
MOST = 1000
"""Replicates at which a wish for precision gives up."""
UNCLEAR = "undefined: ceiling - weak"


def compare(
    study: Study,
    *,
    failures: bool = False,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    precision: float | None = None,
    most: int = MOST,
    retry: bool = False,
    progress: Progress | None = None,
    found: Callable[[int], None] | None = None,
    announce: Callable[[int], None] | None = None,
) -> Results:
    """Run every protocol of a study on the same items, with the same people and student, and
    compare them.

    failures  also under every failure that the study names, at each of its severities
    executor  any concurrent.futures.Executor; the numbers do not depend on it
    jobs      worker processes, where no executor is given; 1 runs in this process
    out       a folder to keep results in; what is there already is not run again
    precision a half-width of intervals: replicates are added until every PGR has it, or until there
              are `most`
    retry     whether what failed before is run again
    progress  called with each finished replicate
    found     called with how many cells of a study the folder had already
    announce  called with how many cells there are to come, when replicates are added

    A case that raises in a replicate is kept in `Results.failed`; the others go on.
    """
    cases = study.cases(study.failures if failures else None)
    with opened(out) as store, Crew(executor, jobs) as crew:
        if retry:
            store.forget_failed(study, cases)
        while True:
            run([(study, cases)], store, crew, progress, found)
            results = Results(study, cases, store)
            wanted = study.replicates if precision is None else enough(results, precision, most)
            if wanted <= study.replicates:
                break
            if announce:
                announce((wanted - study.replicates) * len(cases))
            study, found = study.model_copy(update={"replicates": wanted}), None
        if store.folder:
            export(results, store.folder)
    return results


def opened(out: str | Path | None) -> AbstractContextManager[Store]:
    """The store of a folder, or of a run that keeps nothing."""
    return Store.open(None if out is None else Path(out))


def enough(results: Results, precision: float, most: int) -> int:
    """How many replicates to run before every PGR is looked at again: as many as there are, if each
    has a half-width of `precision` or there are `most`."""
    have, wanted = results.replicates, results.replicates
    for case in results.cases:
        pgr = results.pgr(case)
        if not pgr.defined and not pgr.status.startswith(UNCLEAR):
            continue  # more replicates do not help
        half = (pgr.high - pgr.low) / 2 if pgr.defined else float("inf")
        if half <= precision:
            continue
        # Widths fall with the root of replicates; never more than double on an estimate.
        grow = min(2.0, (half / precision) ** 2) if half < float("inf") else 2.0
        wanted = max(wanted, have + 1, ceil(have * grow))
    return max(min(wanted, most), have)


def run(
    parts: Iterable[tuple[Study, Sequence[Case]]],
    store: Store,
    crew: Crew,
    progress: Progress | None = None,
    found: Callable[[int], None] | None = None,
) -> None:
    """Run cases of studies in every replicate, but for what the store has."""
    for study, replicates in crew.run(_todo(parts, store, found)):
        store.keep(study, replicates)
        if progress:
            for replicate in replicates:
                progress(replicate)


def _todo(
    parts: Iterable[tuple[Study, Sequence[Case]]],
    store: Store,
    found: Callable[[int], None] | None,
) -> Iterator[Task]:
    for study, cases in parts:
        done = {case: store.finished(study, case) for case in cases}
        there = sum(int(each.sum()) for each in done.values())
        if found and there:
            found(there)
        for number in range(study.replicates):
            missing = tuple(case for case in cases if not done[case][number])
            if missing:
                yield Task(study, number, missing)
