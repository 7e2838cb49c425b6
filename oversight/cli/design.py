"""`oversight design`: a search for protocols under a budget of human minutes."""

from __future__ import annotations

import click

from oversight.cli.exits import fail, finish, refuse
from oversight.cli.hints import Finite
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show


@click.command()
@run_options
@click.option(
    "--evaluations", type=click.IntRange(1, 100_000), help="Instead of the scenario's own number."
)
@click.option(
    "--minutes",
    type=Finite(0, min_open=True),
    help="Human minutes an item, at most; instead of the scenario's.",
)
def design(settings: RunSettings, evaluations: int | None, minutes: float | None) -> None:
    """Search hybrids for the Pareto front of human minutes and PGR.

    The front is confirmed on fresh replicates, beside SCENARIO's own protocols and random search.
    With --out, a killed search goes on, and the front is written as scenario files.
    """
    study = settings.study()
    from pydantic import ValidationError

    from oversight.analyses.designing import design as run_study
    from oversight.cli.progress import progress
    from oversight.core.errors import DesignError, NothingKeptError
    from oversight.core.messages import message_of
    from oversight.reports.design import document
    from oversight.studies.design import Design

    given = {"evaluations": evaluations, "minutes": minutes}
    changed = {key: value for key, value in given.items() if value is not None}
    try:
        study = study.changed(design=(study.design or Design()).changed(**changed))
    except ValidationError as error:
        refuse("; ".join(f"--{line['loc'][0]}: {message_of(line)}" for line in error.errors()))
    try:
        with settings.running(progress()) as run:
            designed = run_study(study, **run)
    except NothingKeptError as error:
        fail(f"{error}{f'. What was tried is kept in {settings.out}' if settings.out else ''}")
    except DesignError as error:
        refuse(str(error))
    show(document(designed), settings.form)
    finish(designed.confirmed.failed)
