"""`oversight compare`: every protocol of a study on the same items, until enough is known."""

from __future__ import annotations

from math import ceil
from typing import TypedDict, Unpack

from oversight.analyses.exporting import TABLES, exporting, names_of, write_tables
from oversight.core.errors import OptionError
from oversight.findings.results import Results
from oversight.metrics.pgr import Reason
from oversight.running.keys import Keys
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import started
from oversight.studies.study import Study

MOST = 1000
"""Replicates at which a wish for precision gives up."""
FIRST_LOOK = 20
"""Replicates before intervals are first looked at. A few can be alike by luck, and intervals of a
run that stopped there would be too narrow: .89 to .94 covered from 2 on, .944 to .95 from 20 on."""


class Extent(TypedDict):
    """How much a comparison runs; see `compare`."""

    failures: bool
    precision: float | None
    most: int
    predictable: bool


def compare(
    study: Study,
    *,
    failures: bool = False,
    precision: float | None = None,
    most: int = MOST,
    predictable: bool = False,
    **run: Unpack[RunOptions],
) -> Results:
    """Run every protocol of a study on the same items, with the same people and student, and
    compare them.

    failures     also under every failure that the study names, at each of its severities
    precision    a half-width of intervals, above 0: replicates are added, from FIRST_LOOK
                 on, until every PGR has it, until there are `most`, or until it is clear that there
                 is no gap
    predictable  also measure how much of the label error can be foreseen from the features, which
                 costs more than everything else
    run          executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`

    A case that raises in a replicate is kept in `Results.failed`; the others go on. Raises
    OptionError for a precision that is none, StoreError where the folder cannot be used,
    WorkersError where nobody can do the work.
    """
    options = Run.of(compare, run)
    refuse_unreachable(precision, most)
    cases = study.cases(study.failures if failures else None)
    since, study = 0, study if precision is None else first_look(study, most)
    files = names_of(study, *TABLES)
    with started(options, "compare", study, files) as runner:
        keys = Keys(study, predictable)
        while True:
            runner.progress.planned((study.replicates - since) * len(cases))
            runner.run([(keys, cases)], since)
            results = Results(study, cases, runner.store, keys)
            wanted = study.replicates if precision is None else enough(results, precision, most)
            if wanted <= study.replicates:
                break
            since, study = study.replicates, study.changed(replicates=wanted)
            keys = Keys(study, predictable)
        if runner.folder:
            with exporting(runner.folder, study, results.failed) as folder:
                write_tables(results, folder)
    return results


def refuse_unreachable(precision: float | None, most: int) -> None:
    """Raises OptionError for a precision or a number of replicates that is none."""
    if precision is not None and not 0 < precision < float("inf"):
        raise OptionError(f"precision {precision!r}: expected half an interval, like 0.02")
    if most < 1:
        raise OptionError(f"most {most!r}: expected at least 1 replicate")


def first_look(study: Study, most: int) -> Study:
    """The study with the replicates that a wish for precision starts from."""
    return study.changed(replicates=max(study.replicates, min(FIRST_LOOK, most)))


def enough(results: Results, precision: float, most: int) -> int:
    """How many replicates to run before every PGR is looked at again: as many as there are, if each
    has a half-width of `precision`, if there are `most`, or if there is no gap."""
    have, wanted = results.replicates, results.replicates
    if results.gap_is_absent:
        return have
    for case in results.cases:
        pgr = results.pgr(case)
        if not pgr.defined and pgr.reason is not Reason.SMALL_GAP:
            continue  # more replicates do not help
        half = (pgr.high - pgr.low) / 2 if pgr.defined else float("inf")
        if half <= precision:
            continue
        # Widths fall with the root of replicates; never more than double on an estimate.
        grow = min(2.0, (half / precision) ** 2) if half < float("inf") else 2.0
        wanted = max(wanted, have + 1, ceil(have * grow))
    return max(min(wanted, most), have)
