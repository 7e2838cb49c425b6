"""`oversight stress`: every protocol under every failure, and the break points by bisection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from oversight.analyses.exporting import TABLES, exporting, names_of, write_tables
from oversight.core.config import nearest
from oversight.core.errors import OptionError
from oversight.failures.injection import Injection, catalogue
from oversight.failures.scheming import as_failure
from oversight.findings.results import Results
from oversight.findings.stress import Outcome, Stress
from oversight.running.keys import Keys
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import started
from oversight.studies.cases import Case
from oversight.studies.study import Study

TOLERANCE = 0.02
"""How finely break points are found, in severity."""


def stress(
    study: Study,
    *,
    tolerance: float = TOLERANCE,
    only: Iterable[str] = (),
    **run: Unpack[RunOptions],
) -> Stress:
    """Run every protocol of a study under every failure that is `tried`, and find the break points
    to a tolerance in severity, by bisection.

    tolerance  in severity, from 0.001 to 0.5
    only       names of the failures to try, all if empty
    run        executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`

    Raises OptionError for another tolerance, a name of no failure, and failures that strike no
    protocol; StoreError where the folder cannot be used, WorkersError where nobody can do the work.
    """
    options = Run.of(stress, run)
    if not 0.001 <= tolerance <= 0.5:
        raise OptionError(f"tolerance {tolerance!r}: expected a number from 0.001 to 0.5")
    chosen = _chosen(study, list(only))
    study = study.still.changed(failures=chosen, design=None)
    cases = study.cases(chosen)
    keys = Keys(study)
    files = names_of(study, *TABLES, "breaks.csv", "ranking.csv")
    with started(options, "stress", study, files) as runner:
        stressed = Stress(study, Results(study, cases, runner.store, keys), tolerance)
        while cases:
            runner.progress.planned(len(cases) * study.replicates)
            stressed.results.expect(cases)
            runner.run([(keys, cases)])
            cases = _halves(stressed)
        if runner.folder:
            failed = stressed.results.failed
            with exporting(runner.folder, study, failed) as folder:
                write_tables(stressed.results, folder)
                stressed.export(folder)
    return stressed


def tried(study: Study) -> dict[str, Injection]:
    """What a study is stressed with, by name: the failures that it names, the whole catalogue if it
    names none; and the strategies that it names, each as scheming at its share."""
    named = dict(study.failures or catalogue())
    for name, strategy in (study.strategies or {}).items():
        free = name
        while free in named:
            free = f"strategy {free}"
        named[free] = as_failure(strategy)
    return named


def _chosen(study: Study, only: list[str]) -> dict[str, Injection]:
    """The failures to try, by name, or those of these names."""
    named = tried(study)
    for name in only:
        if name not in named:
            raise OptionError(f"tries no failure {name!r}; {nearest(name, list(named))}")
    chosen = {name: named[name] for name in only} if only else named
    reasons: set[str] = set()
    for failure in chosen.values():
        for protocol in study.cells.values():
            if not (why := failure.refusal(protocol, study.world)):
                return chosen
            reasons.add(why.replace("_", " "))
    raise OptionError(f"nothing to strike in any protocol: {'; '.join(sorted(reasons))}")


def _halves(stressed: Stress) -> list[Case]:
    """The middle of every bracket that is still wider than the tolerance."""
    middles: dict[Case, None] = {}
    for broken in stressed.breaks():
        if broken.outcome is not Outcome.BREAKS:
            continue
        between = stressed.bracket(broken.protocol, broken.failure, broken.measure)
        if between and between[1] - between[0] > stressed.tolerance:
            middles[Case(broken.protocol, broken.failure, sum(between) / 2)] = None
    return list(middles)
