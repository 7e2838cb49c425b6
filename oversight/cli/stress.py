"""`oversight stress`: where each protocol breaks under which failure."""

from __future__ import annotations

import click

from oversight.cli.exits import finish, refuse
from oversight.cli.hints import Finite
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show


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
    from oversight.cli.progress import progress
    from oversight.core.errors import OptionError
    from oversight.reports.stress import document

    try:
        with settings.running(progress()) as run:
            stressed = run_study(study, tolerance=tolerance, only=only, **run)
    except OptionError as error:
        refuse(f"{settings.scenario}: {error}")
    show(document(stressed, doses), settings.form)
    finish(stressed.results.failed)
