"""What the commands show: results when they are done, and what failed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from oversight.reports import comparison
from oversight.reports import tables as pieces

if TYPE_CHECKING:
    from oversight.findings.design import Designed
    from oversight.findings.results import Results
    from oversight.findings.sensitivity import Analysis
    from oversight.findings.stress import Stress
    from oversight.findings.sweep import Swept
    from oversight.running.replicate import Failed


def compared(results: Results, form: str, precision: float | None = None) -> None:
    """Print a comparison of protocols."""
    study = results.study
    notes = comparison.notes(results)
    if precision is not None:
        notes += comparison.precise(results.summary(), precision)
    if form == "json":
        answer: dict[str, Any] = {
            "scenario": study.name,
            "rows": results.summary(),
            "differences": results.differences_rows(),
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
    elif form == "csv":
        click.echo(results.csv(), nl=False)
    elif form == "markdown":
        parts = [comparison.markdown(results)]
        if study.desk:
            parts.append(pieces.markdown(*comparison.desk(results)))
        click.echo("\n\n".join(parts + notes))
    else:
        out = console()
        if study.about:
            out.print(f"{study.name}: {study.about}\n", markup=False)
        out.print(comparison.table(results, out.width))
        if study.desk:
            out.print("\nAt the desk\n")
            out.print(pieces.table(*comparison.desk(results)))
        for note in notes:
            out.print("\n" + note, markup=False)


def swept(found: Swept, form: str, precision: float | None = None) -> None:
    """Print a study along its sweep."""
    from oversight.reports import sweep as sweeps

    if form == "json":
        answer = {
            "scenario": found.study.name,
            "knobs": list(found.knobs),
            "rows": list(found.summary()),
            "crossings": [asdict(crossing) for crossing in found.crossings()],
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
        return
    if form == "csv":
        from oversight.findings.results import write_csv

        write_csv(sys.stdout, found.summary_keys, found.summary())
        return
    notes = sweeps.notes(found)
    if precision is not None:
        notes += comparison.precise(list(found.summary()), precision)
    if form == "markdown":
        told = [
            f"{title}\n\n{pieces.markdown(heads, rows)}" if heads else title
            for title, heads, rows in sweeps.tables(found)
        ]
        click.echo("\n\n".join([*told, *notes]))
        return
    out = console()
    if found.study.about:
        out.print(f"{found.study.name}: {found.study.about}\n", markup=False)
    for title, heads, rows in sweeps.tables(found):
        out.print(title + "\n", markup=False)
        if heads:
            out.print(pieces.table(heads, rows))
            out.print()
    for note in notes:
        out.print(note + "\n", markup=False)


def sensitive(found: Analysis, form: str) -> None:
    """Print which knobs matter."""
    from oversight.reports import sensitivity as words

    rows = [asdict(index) for index in found.indices]
    if form == "json":
        answer = {"scenario": found.study.name, "runs": found.runs, "rows": rows}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
        return
    if form == "csv":
        from oversight.findings.results import write_csv

        write_csv(sys.stdout, list(rows[0]), rows)
        return
    if form == "markdown":
        click.echo("\n\n".join([pieces.markdown(*words.table(found)), *words.notes(found)]))
        return
    out = console()
    if found.study.about:
        out.print(f"{found.study.name}: {found.study.about}\n", markup=False)
    out.print(pieces.table(*words.table(found)))
    for note in words.notes(found):
        out.print("\n" + note, markup=False)


FEW = 4
"""So many failures are shown with their dose-response without being asked to."""


def stressed(found: Stress, form: str, doses: bool) -> None:
    from oversight.reports import stress as words

    if form == "json":
        answer = {
            "scenario": found.study.name,
            "rows": found.rows(),
            "breaks": [asdict(broken) for broken in found.breaks()],
            "ranking": found.ranking(),
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
        return
    if form == "csv":
        from oversight.findings.results import SUMMARY, write_csv

        write_csv(sys.stdout, [*SUMMARY], found.rows())
        return
    parts: list[tuple[str, tuple[list[str], list[list[str]]], int]] = []
    if doses or len(found.study.failures) <= FEW:
        for name in found.study.failures:
            parts.append((words.title(found, name), words.doses(found, name), 2))
    for measure, title in words.MEASURES:
        parts.append((title, words.grid(found, measure), 1))
    parts.append((words.RANKED, words.ranking(found), 1))
    notes = [words.KEY.format(tolerance=found.tolerance), *words.undefined(found)]
    if form == "markdown":
        told = [f"{title}\n\n{pieces.markdown(*what)}" for title, what, _ in parts]
        click.echo("\n\n".join([*told, *notes]))
        return
    out = console()
    if found.study.about:
        out.print(f"{found.study.name}: {found.study.about}\n", markup=False)
    for title, what, left in parts:
        out.print(title + "\n", markup=False)
        out.print(pieces.table(*what, left))
        out.print()
    for note in notes:
        out.print(note + "\n", markup=False)


def designed(done: Designed, form: str) -> None:
    """Print what a search found."""
    from oversight.reports import design as search
    from oversight.reports.tables import markdown, table

    if form == "json":
        answer = {
            "scenario": done.study.name,
            "how": done.how,
            "rows": done.rows(),
            "hypervolume": done.hypervolumes(),
            "budget": done.budget,
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
        return
    if form == "csv":
        from oversight.findings.results import write_csv

        rows = done.rows()
        write_csv(sys.stdout, list(rows[0]), rows)
        return
    heads, cells = list(search.HEADS), search.rows(done)
    if form == "markdown":
        told = [markdown(heads, cells), *search.notes(done)]
        click.echo("\n\n".join(told))
        return
    out = console()
    if done.study.about:
        out.print(f"{done.study.name}: {done.study.about}\n", markup=False)
    made = table(heads, cells)
    made.columns[-1].justify = "left"
    out.print(made)
    for note in search.notes(done):
        out.print("\n" + note, markup=False)


def console() -> Any:
    from rich.console import Console

    wide = Console().width if sys.stdout.isatty() else 140
    return Console(width=max(wide, 60), highlight=False)


def failed(lost: list[Failed]) -> None:
    """Tell what failed, one of each kind."""
    click.echo(f"\n{len(lost)} cells failed; what follows of each kind is the first:", err=True)
    seen = set()
    for one in lost:
        name = " under ".join(part for part in one.case[:2] if part)
        kind = (name, one.error, one.origin)
        if kind not in seen:
            seen.add(kind)
            says = f"  {name}, replicate {one.replicate}: {one.error} ({one.origin})"
            click.echo(says, err=True)
