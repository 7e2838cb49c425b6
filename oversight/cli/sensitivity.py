"""`oversight sensitivity`: which knobs PGR depends on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from oversight.cli.exits import finish, refuse
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show

if TYPE_CHECKING:
    from pydantic import ValidationError

    from oversight.studies.study import Study


@click.command()
@run_options
@click.option(
    "--knob",
    "knobs",
    multiple=True,
    metavar="PATH=LOW:HIGH",
    help="Vary this one, instead of the scenario's or the usual ones; may be repeated.",
)
@click.option(
    "--samples", type=click.IntRange(2, 65_536), help="A power of two; instead of the scenario's."
)
def sensitivity(settings: RunSettings, knobs: tuple[str, ...], samples: int | None) -> None:
    """Which knobs does the PGR of each protocol of SCENARIO depend on?

    Sobol indices over ranges of knobs, with the share that is replicate noise. --replicates is how
    often each combination is run. Needs the extra `sensitivity`.
    """
    study = settings.study()
    if not find_spec("SALib"):
        refuse("needs the extra sensitivity: pip install -c lock.txt '.[sensitivity]'")
    from oversight.analyses.analyzing import analyze, resolved
    from oversight.cli.progress import progress
    from oversight.core.errors import SensitivityError
    from oversight.reports.sensitivity import document

    study = _varied(study, settings.replicates, samples, knobs)
    try:
        study = study.changed(sensitivity=resolved(study))
        with settings.running(progress()) as run:
            analysis = analyze(study, **run)
    except SensitivityError as error:
        refuse(f"{settings.scenario}: {error}")
    show(document(analysis), settings.form)
    finish(analysis.failed)


def _varied(
    study: Study, replicates: int | None, samples: int | None, knobs: tuple[str, ...]
) -> Study:
    """The study with the options in place of the keys of its section."""
    from pydantic import ValidationError

    from oversight.studies.sensitivity import Sensitivity

    own = study.sensitivity or Sensitivity()
    ranges: dict[str, list[float]] = {}
    for path, ends in map(_range, knobs):
        if path in ranges:
            refuse(f"--knob {path}: given twice")
        ranges[path] = ends
    keys = {
        "knobs": ranges or own.knobs,
        "samples": samples or own.samples,
        "replicates": replicates or own.replicates,
    }
    try:
        return study.changed(sensitivity=keys)
    except ValidationError as error:
        refuse(*_option_errors(error))


def _option_errors(error: ValidationError) -> list[str]:
    """What is wrong with the options, each after its name."""
    from oversight.core.messages import message_of

    messages = []
    for line in error.errors(include_url=False):
        _, key, *below = line["loc"]
        option = f"--knob {below[0]}" if key == "knobs" else f"--{key}"
        messages.append(f"{option}: {message_of(line)}")
    return messages


def _range(text: str) -> tuple[str, list[float]]:
    """A knob and its range from PATH=LOW:HIGH; what has no point is a whole number."""
    path, _, ends = text.partition("=")
    low, _, high = ends.partition(":")
    try:
        numbers = [int(end) if end.strip("+-").isdecimal() else float(end) for end in (low, high)]
    except ValueError:
        refuse(f"--knob {text}: expected like overseer.structure=0.3:0.9")
    return path.strip(), numbers
