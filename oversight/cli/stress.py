"""`oversight stress`: where each protocol breaks under which failure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import click

from oversight.cli.exits import finish, refuse
from oversight.cli.hints import Finite
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show

if TYPE_CHECKING:
    from oversight.failures.injection import Injection
    from oversight.studies.study import Study


@click.command()
@run_options
@click.option(
    "--failure", "only", multiple=True, metavar="NAME", help="Only this one; may be repeated."
)
@click.option(
    "--tolerance",
    type=Finite(0.001, 0.5),
    default=0.02,
    show_default=True,
    help="How finely break points are found, in severity.",
)
@click.option("--doses", is_flag=True, help="Show every dose-response in the table.")
def stress(settings: RunSettings, only: tuple[str, ...], tolerance: float, doses: bool) -> None:
    """Where does each protocol of SCENARIO break, and does it break silently?

    Tries the failures that SCENARIO names, or the whole catalogue if it names none (`oversight list
    failures`), and the strategies that it names. Exit status as for compare.
    """
    study = settings.study()
    from oversight.analyses.stressing import stress as run_study
    from oversight.analyses.stressing import tried
    from oversight.cli.progress import progress
    from oversight.reports.stress import document

    known = tried(study)
    _check_failures(only, known, settings.scenario)
    _check_roles([known[name] for name in only or known], study, settings.scenario)
    with settings.running(progress()) as run:
        stressed = run_study(study, tolerance=tolerance, only=only, **run)
    show(document(stressed, doses), settings.form)
    finish(stressed.results.failed)


def _check_roles(failures: Iterable[Injection], study: Study, scenario: str) -> None:
    """Refuse failures that strike no protocol: there would be nothing to show."""
    reasons: set[str] = set()
    for failure in failures:
        for protocol in study.cells.values():
            why = failure.refusal(protocol, study.world)
            if not why:
                return
            reasons.add(why.replace("_", " "))
    refuse(f"{scenario}: nothing to strike in any protocol: {'; '.join(sorted(reasons))}")


def _check_failures(only: tuple[str, ...], known: Collection[str], scenario: str) -> None:
    from oversight.core.config import nearest

    for name in only:
        if name not in known:
            hint = nearest(name, [*known])
            refuse(f"--failure {name}: {scenario} tries no such failure; {hint}")
