"""`oversight play`: protocols against a model that plays to win."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from oversight.cli.exits import fail, finish, refuse
from oversight.cli.hints import Finite
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show

if TYPE_CHECKING:
    from oversight.findings.play import Loss


@click.command()
@run_options
@click.option(
    "--respond", is_flag=True, help="Search for strategies that gain the model more than these."
)
@click.option(
    "--share",
    type=Finite(0, 1),
    metavar="Q",
    help="Share of the items that the standard strategies attack, and those searched.",
)
@click.option(
    "--tolerance",
    type=Finite(0, 1, min_open=True),
    default=0.01,
    show_default=True,
    help="What --respond may leave the model to gain, in loss.",
)
@click.option(
    "--loss",
    type=click.Choice(["pgr", "label", "harm"]),
    default="pgr",
    show_default=True,
    help="What overseers lose by: 1 - PGR, 1 - label accuracy, or the share of items on which an "
    "attack succeeds.",
)
def play(
    settings: RunSettings, respond: bool, share: float | None, tolerance: float, loss: Loss
) -> None:
    """How bad can a strong model make each protocol of SCENARIO, and would anybody notice?

    Plays every protocol against every strategy that SCENARIO names, or the standard ones if it
    names none, and solves the game. Exit status as for compare; 1 too where the loss is undefined.
    """
    study = settings.study()
    from oversight.analyses.playing import play as run_study
    from oversight.cli.progress import progress
    from oversight.core.errors import PlayError
    from oversight.reports.play import document
    from oversight.studies.play import Play

    if share is not None:
        if study.strategies and not respond:
            note = "its strategies have shares of their own; --share is left aside"
            click.echo(f"{settings.scenario}: {note}", err=True)
        study = study.changed(play=(study.play or Play()).changed(share=share))
    try:
        with settings.running(progress()) as run:
            played = run_study(study, respond=respond, tolerance=tolerance, loss=loss, **run)
    except PlayError as error:
        refuse(f"{settings.scenario}: {error}")
    show(document(played), settings.form)
    finish(played.failed)
    if problem := played.problem:
        hint = "; --loss label needs no gap" if loss == "pgr" else ""
        fail(f"{settings.scenario}: the loss is {problem}{hint}")
