"""How far a run is, on stderr: cells done, how fast, time left, how many failed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

import click

from oversight.running.run_options import Progress

if TYPE_CHECKING:
    from oversight.running.replicate import Replicate

FIRST, THEN = 5.0, 30.0
"""Seconds to the first line and between lines, where there is no terminal."""


def progress() -> CellCount:
    """A bar on stderr where that is a terminal; else a line now and then on long runs."""
    return Bar() if sys.stderr.isatty() else CellCount()


class CellCount(Progress):
    """Counts cells and prints a plain line now and then.

    total     cells of the rounds so far; 0 where nobody knows yet
    done      cells that this run finished, with those that failed
    there     cells that are kept from an earlier run
    failed    cells that failed in this run
    """

    def __init__(self) -> None:
        self.total = self.done = self.there = self.failed = 0
        self._began = self._last_line = time.monotonic()
        self._wait = FIRST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._wait == THEN:  # whoever reads lines gets the last one too
            click.echo(self.line(), err=True)

    def __call__(self, replicate: Replicate) -> None:
        self.done += len(replicate.rows) + len(replicate.failed)
        self.failed += len(replicate.failed)
        self.update()

    def planned(self, cells: int) -> None:
        self.total = self.done + self.there + cells

    def kept(self, cells: int) -> None:
        self.there += cells
        self.update()

    def noted(self, text: str) -> None:
        click.echo(text, err=True)

    def warned(self, text: str) -> None:
        click.echo(text, err=True)

    def update(self) -> None:
        """Print a line, if the last one is long enough ago."""
        now = time.monotonic()
        if now - self._last_line >= self._wait:
            self._last_line, self._wait = now, THEN
            click.echo(self.line(), err=True)

    def line(self) -> str:
        """How far the run is, in a line.

        >>> cells = CellCount()
        >>> cells.planned(1200)
        >>> cells.kept(300)
        >>> cells.line()
        '300 of 1,200 cells, 0 failed'
        """
        finished = self.done + self.there
        of = f" of {max(self.total, finished):,}" if self.total else ""
        parts = [f"{finished:,}{of} cells"]
        seconds = time.monotonic() - self._began
        if self.done and seconds > 0:
            rate = self.done / seconds
            parts.append(f"{rate:,.3g} a second")
            if self.total > finished:
                parts.append(f"{_span((self.total - finished) / rate)} left")
        parts.append(f"{self.failed} failed")
        return ", ".join(parts)


class Bar(CellCount):
    """The same as a bar in a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        super().__init__()
        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        self._bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._bar.stop()

    def planned(self, cells: int) -> None:
        super().planned(cells)
        self.update()

    def noted(self, text: str) -> None:
        self._bar.update(self._task, description=f"{text}; {self.line()}")

    def update(self) -> None:
        done = self.done + self.there
        total = max(self.total, done) if self.total else None
        self._bar.update(self._task, completed=done, total=total, description=self.line())


def _span(seconds: float) -> str:
    """A time in words, to about two figures."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
