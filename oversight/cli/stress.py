"""`oversight stress`: where each protocol breaks under which failure."""

from __future__ import annotations

from collections.abc import Collection

import click

from oversight.cli.exits import finish, refuse
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show


@click.command()
@run_options
@click.option(
    "--failure", "only", multiple=True, metavar="NAME", help="Only this one; may be repeated."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0.001, 0.5),
    default=0.02,
    show_default=True,
    help="How finely break points are found, in severity.",
)
@click.option("--doses", is_flag=True, help="Show every dose-response in the table.")
def stress(settings: RunSettings, only: tuple[str, ...], tolerance: float, doses: bool) -> None:
    """Where does each protocol of SCENARIO break, and does it break silently?

    Tries the failures that SCENARIO names, or the whole catalogue if it names none (`oversight list
    failures`). Exit status as for compare.
    """
    study = settings.study()
    from oversight.analyses.stressing import stress as run_study
    from oversight.cli.progress import progress
    from oversight.failures.injection import catalogue
    from oversight.reports.stress import document

    _check_failures(only, study.failures or catalogue(), settings.scenario)
    with settings.running(progress()) as run:
        stressed = run_study(study, tolerance=tolerance, only=only, **run)
    show(document(stressed, doses), settings.form)
    finish(stressed.results.failed)


def _check_failures(only: tuple[str, ...], known: Collection[str], scenario: str) -> None:
    from oversight.core.config import nearest

    for name in only:
        if name not in known:
            hint = nearest(name, [*known])
            refuse(f"--failure {name}: {scenario} tries no such failure; {hint}")
