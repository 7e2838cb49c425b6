"""`oversight compare`: every protocol of a scenario on the same items."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import click

from oversight.cli.exits import finish, refuse
from oversight.cli.hints import Finite
from oversight.cli.options import RunSettings, run_options
from oversight.cli.printing import show

if TYPE_CHECKING:
    from oversight.studies.study import Study

MANY = 5000
"""Points of a sweep whose check, before the first is run, takes a while."""


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
    type=Finite(0, min_open=True),
    metavar="W",
    help="Add replicates until every PGR is known to +- W.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 1_000_000),
    help="Replicates at which --precision gives up; 1000 if left out.",
)
@click.option(
    "--predictable",
    is_flag=True,
    help="Also measure how much of the label error the features foretell; slow.",
)
def compare(
    settings: RunSettings,
    more: tuple[str, ...],
    failures: bool,
    hours: tuple[str, ...],
    precision: float | None,
    most: int | None,
    predictable: bool,
) -> None:
    """Run every protocol of SCENARIO (a file, or a shipped scenario's name) on the same items.

    A scenario with a `sweep` is run at every point of it. Exit status: 0 done, 1 some cells failed
    (the others are shown), 2 bad input.
    """
    if more and not hours:
        refuse(
            f"unexpected {' '.join(more)!r}; one scenario at a time. Protocols are compared within "
            "one: put what you want to compare into its file, or run compare for each"
        )
    budgets = _budgets([*hours, *more])
    study = settings.study(sweeps=True)
    _check(failures, precision, most, study, settings.scenario)
    from oversight.analyses.comparing import MOST, Extent
    from oversight.analyses.comparing import compare as run_study
    from oversight.analyses.sweeping import grid_of, sweep
    from oversight.cli.progress import progress
    from oversight.reports import comparison
    from oversight.reports import sweep as curves

    extent = Extent(
        failures=failures, precision=precision, most=most or MOST, predictable=predictable
    )
    cells = progress()
    if study.sweep or budgets:
        points = prod(len(values) for values in grid_of(study, budgets).values())
        if points > MANY:
            cells.noted(f"checking {points:,} points before the first is run")
        with settings.running(cells) as run:
            swept = sweep(study, hours=budgets, **extent, **run)
        show(curves.document(swept, precision), settings.form)
        finish(swept.failed)
    else:
        with settings.running(cells) as run:
            results = run_study(study, **extent, **run)
        show(comparison.document(results, precision), settings.form)
        finish(results.failed)


def _budgets(words: list[str]) -> tuple[float, ...]:
    """Budgets of hours as they were typed: apart, or with commas."""
    budgets: list[float] = []
    for word in ",".join(words).split(",") if words else ():
        try:
            value = float(word)
        except ValueError:
            refuse(f"--hours {word!r}: expected numbers of person-hours, like --hours 100 200 400")
        if not 0 <= value < float("inf"):
            refuse(f"--hours {word}: expected 0 or more")
        if value in budgets:
            refuse(f"--hours {word}: given twice")
        budgets.append(value)
    return tuple(budgets)


def _check(
    failures: bool, precision: float | None, most: int | None, study: Study, scenario: str
) -> None:
    """Refuse options that do not fit each other, or the scenario."""
    if precision is None and most is not None:
        refuse("--most is where --precision gives up; expected that too")
    if precision is not None and not precision < 1:
        refuse(f"--precision {precision:g}: expected the half of an interval, like 0.02")
    if most is not None and most < study.replicates:
        refuse(f"--most {most}: expected at least the scenario's {study.replicates} replicates")
    if failures and not study.failures:
        refuse(f"{scenario}: names no failures; `oversight stress {scenario}` tries them all")
