"""What the commands show: progress while they run, results when they are done, what failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from oversight.reports import comparison

if TYPE_CHECKING:
    from oversight.replicate import Replicate
    from oversight.results import Results
    from oversight.robustness import Stress
    from oversight.search import Designed
    from oversight.study import Study


class Progress(AbstractContextManager["Progress"], Protocol):
    """Told of every replicate, and before every further round of them."""

    def __call__(self, replicate: Replicate) -> None: ...

    def again(self, cases: int) -> None: ...


def progress(study: Study) -> Progress:
    """A bar on stderr where that is a terminal; else a line now and then on long runs."""
    return Bar(study.replicates) if sys.stderr.isatty() else Lines(study.replicates)


class Lines:
    """A plain line at every tenth of a run that takes a while."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.cases = total, 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, replicate: Replicate) -> None:
        self.done += 1
        if self.total >= 100 and self.done % (self.total // 10) == 0:
            click.echo(f"{self.done} of {self.total} replicates", err=True)

    def again(self, cases: int) -> None:
        self.done = 0
        click.echo(f"{cases} cases in {self.total} replicates", err=True)


class Bar:
    """A progress bar: replicates done, time left."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("replicates", total=total)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, replicate: Replicate) -> None:
        self.bar.advance(self.task)

    def again(self, cases: int) -> None:
        self.bar.reset(self.task, description=f"{cases} cases, replicates")


def compared(study: Study, results: Results, form: str) -> None:
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
        click.echo(comparison.markdown(results) + "\n\n" + "\n\n".join(comparison.notes(results)))
    else:
        out = console()
        if study.about:
            out.print(f"{study.name}: {study.about}\n", markup=False)
        out.print(comparison.table(results, out.width))
        for note in comparison.notes(results):
            out.print("\n" + note, markup=False)


FEW = 4
"""So many failures are shown with their dose-response without being asked to."""


def stressed(found: Stress, form: str, doses: bool) -> None:
    from oversight.reports import pieces
    from oversight.reports import robustness as words

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
        from oversight.results import SUMMARY, write_csv

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


@contextmanager
def counting(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of protocols tried, or a line now and then."""
    if not sys.stderr.isatty():
        yield lambda tried: click.echo(f"{tried} of at most {total} protocols tried", err=True)
        return
    bar = Bar(total)
    bar.bar.update(bar.task, description="protocols tried")
    with bar:
        yield lambda tried: bar.bar.update(bar.task, completed=tried)


def designed(done: Designed, form: str) -> None:
    """Print what a search found."""
    from oversight.reports import search
    from oversight.reports.pieces import markdown, table

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
        from oversight.results import write_csv

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


def failed(results: Results) -> None:
    click.echo(
        f"\n{len(results.failed)} cells failed; what follows of each kind is the first:", err=True
    )
    seen = set()
    for failed in results.failed:
        name = " under ".join(part for part in failed.case[:2] if part)
        kind = (name, failed.error, failed.origin)
        if kind not in seen:
            seen.add(kind)
            click.echo(
                f"  {name}, replicate {failed.replicate}: {failed.error} ({failed.origin})",
                err=True,
            )
