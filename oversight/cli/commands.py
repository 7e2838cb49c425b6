"""The commands that run scenarios. Heavy libraries are imported where they are used, so that --help
answers at once."""

from __future__ import annotations

import sys
from math import prod
from typing import Any

import click

from oversight.cli.options import BAD_INPUT, Asked, end, refuse, run_options
from oversight.cli.printing import show


@click.command()
@run_options
@click.argument("more", nargs=-1, metavar="")
@click.option("--failures", is_flag=True, help="Also under each failure that SCENARIO names.")
@click.option(
    "--hours",
    multiple=True,
    metavar="H ...",
    help="Compare protocols at these budgets of person-hours.",
)
@click.option(
    "--precision",
    type=click.FloatRange(0, min_open=True),
    metavar="W",
    help="Add replicates until every PGR is known to +- W.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 1_000_000),
    help="Replicates at which --precision gives up; 1000 if left out.",
)
def compare(
    asked: Asked,
    more: tuple[str, ...],
    failures: bool,
    hours: tuple[str, ...],
    precision: float | None,
    most: int | None,
) -> None:
    """Run every protocol of SCENARIO (a file, or a shipped scenario's name) on the same items.

    A scenario with a `sweep` is run at every point of it. Exit status: 0 done, 1 some cells failed
    (the others are shown), 2 bad input.
    """
    if more and not hours:
        refuse(f"unexpected {' '.join(more)!r}; one scenario at a time")
    budgets = _budgets([*hours, *more])
    study = asked.study(sweeps=True)
    if precision is None and most is not None:
        refuse("--most is where --precision gives up; expected that too")
    if precision is not None and not precision < 1:
        refuse(f"--precision {precision:g}: expected the half of an interval, like 0.02")
    if most is not None and most < study.replicates:
        refuse(f"--most {most}: expected at least the scenario's {study.replicates} replicates")
    if failures and not study.failures:
        named = asked.scenario
        refuse(f"{named}: names no failures; `oversight stress {named}` tries them all")
    from oversight.analyses import comparing, sweeping
    from oversight.cli.progress import progress
    from oversight.reports import comparison, sweep

    how_much: Any = {"failures": failures, "precision": precision, "most": most or comparing.MOST}
    going = progress()
    if not study.sweep and not budgets:
        with asked.running(going) as run:
            results = comparing.compare(study, **how_much, **run)
        show(comparison.document(results, precision), asked.form)
        end(results.failed)
        return
    points = prod(len(values) for values in sweeping.grid_of(study, budgets).values())
    if points > 5000:
        going.noted(f"checking {points:,} points before the first is run")
    with asked.running(going) as run:
        swept = sweeping.sweep(study, hours=budgets, **how_much, **run)
    show(sweep.document(swept, precision), asked.form)
    end(swept.failed)


def _budgets(told: list[str]) -> tuple[float, ...]:
    """Hours as given: apart, or with commas."""
    found: list[float] = []
    for word in ",".join(told).split(","):
        if not word.strip() and not told:
            continue
        try:
            value = float(word)
        except ValueError:
            refuse(f"--hours {word!r}: expected numbers of person-hours, like --hours 100 200 400")
        if not 0 <= value < float("inf"):
            refuse(f"--hours {word}: expected 0 or more")
        if value in found:
            refuse(f"--hours {word}: given twice")
        found.append(value)
    return tuple(found)


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
def stress(asked: Asked, only: tuple[str, ...], tolerance: float, doses: bool) -> None:
    """Where does each protocol of SCENARIO break, and does it break silently?

    Tries the failures that SCENARIO names, or the whole catalogue if it names none (`oversight list
    failures`). Exit status as for compare.
    """
    study = asked.study()
    from oversight.analyses import stressing
    from oversight.cli.progress import progress
    from oversight.core.config import nearest
    from oversight.failures.injection import catalogue
    from oversight.reports.stress import document

    named = study.failures or catalogue()
    for name in only:
        if name not in named:
            hint = nearest(name, [*named])
            refuse(f"--failure {name}: {asked.scenario} tries no such failure; {hint}")
    with asked.running(progress()) as run:
        stressed = stressing.stress(study, tolerance=tolerance, only=only, **run)
    show(document(stressed, doses), asked.form)
    end(stressed.results.failed)


@click.command()
@run_options
@click.option(
    "--evaluations", type=click.IntRange(1, 100_000), help="Instead of the scenario's own number."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Human minutes an item, at most; instead of the scenario's.",
)
def design(asked: Asked, evaluations: int | None, minutes: float | None) -> None:
    """Search hybrids for the Pareto front of human minutes and PGR.

    The front is confirmed on fresh replicates, beside SCENARIO's own protocols and random search.
    With --out, a killed search goes on, and the front is written as scenario files.
    """
    study = asked.study()
    from oversight.analyses import designing
    from oversight.cli.progress import progress
    from oversight.core.errors import DesignError
    from oversight.reports.design import document
    from oversight.studies.design import Design

    told = {"evaluations": evaluations, "minutes": minutes}
    changed = {key: value for key, value in told.items() if value is not None}
    settings = (study.design or Design()).model_copy(update=changed)
    study = study.model_copy(update={"design": settings})
    try:
        with asked.running(progress()) as run:
            done = designing.design(study, **run)
    except DesignError as error:
        refuse(str(error))
    show(document(done), asked.form)
    end(done.confirmed.failed)


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
def sensitivity(asked: Asked, knobs: tuple[str, ...], samples: int | None) -> None:
    """Which knobs does the PGR of each protocol of SCENARIO depend on?

    Sobol indices over ranges of knobs, with the share that is replicate noise. --replicates is how
    often each combination is run. Needs the extra `sensitivity`.
    """
    study = asked.study()
    try:
        import SALib
    except ImportError:
        refuse("needs the extra sensitivity: pip install -c lock.txt '.[sensitivity]'")
    del SALib
    from pydantic import ValidationError

    from oversight.analyses import analyzing
    from oversight.cli.progress import progress
    from oversight.core.errors import SensitivityError
    from oversight.core.messages import message_of
    from oversight.reports.sensitivity import document
    from oversight.studies.sensitivity import Sensitivity

    own = study.sensitivity or Sensitivity()
    told: dict[str, Any] = {"knobs": own.knobs, "samples": own.samples}
    told["replicates"] = asked.replicates or own.replicates
    if knobs:
        ranges = list(map(_range, knobs))
        told["knobs"] = dict(ranges)
        if twice := [path for i, (path, _) in enumerate(ranges) if path in dict(ranges[:i])]:
            refuse(f"--knob {twice[0]}: given twice")
    if samples is not None:
        told["samples"] = samples
    try:
        settings = Sensitivity.model_validate(told)
        settings = analyzing.resolved(study.model_copy(update={"sensitivity": settings}))
    except ValidationError as error:
        for line in error.errors(include_url=False):
            option = (
                f"--knob {line['loc'][1]}" if line["loc"][0] == "knobs" else f"--{line['loc'][0]}"
            )
            click.echo(f"{option}: {message_of(line)}", err=True)
        sys.exit(BAD_INPUT)
    except SensitivityError as error:
        refuse(f"{asked.scenario}: {error}")
    study = study.model_copy(update={"sensitivity": settings})
    try:
        with asked.running(progress()) as run:
            done = analyzing.analyze(study, **run)
    except SensitivityError as error:
        refuse(f"{asked.scenario}: {error}")
    show(document(done), asked.form)
    end(done.failed)


def _range(told: str) -> tuple[str, list[float]]:
    path, _, ends = told.partition("=")
    low, _, high = ends.partition(":")
    try:
        numbers = [int(end) if end.strip("+-").isdecimal() else float(end) for end in (low, high)]
    except ValueError:
        refuse(f"--knob {told}: expected like overseer.structure=0.3:0.9")
    return path.strip(), numbers
