"""What a long run tells while it runs: cells done, how fast, time left, what failed so far."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

import click

from oversight.running import run

if TYPE_CHECKING:
    from oversight.running.replicate import Replicate

FIRST, THEN = 5.0, 30.0
"""Seconds to the first line and between lines, where there is no terminal."""


def progress() -> Progress:
    """A bar on stderr where that is a terminal; else a line now and then on long runs."""
    return Bar() if sys.stderr.isatty() else Progress()


class Progress(run.Progress):
    """Counts cells (a protocol, under a failure or not, in one replicate) and says a plain line now
    and then. `total` is 0 where nobody knows yet."""

    def __init__(self) -> None:
        self.total = self.done = self.failed = self.there = 0
        self._began = self._said = time.monotonic()
        self._wait = FIRST

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, replicate: Replicate) -> None:
        self.done += len(replicate.rows) + len(replicate.failed)
        self.failed += len(replicate.failed)
        self.tell()

    def kept(self, cells: int) -> None:
        self.there += cells
        self.tell()

    def planned(self, cells: int) -> None:
        self.total = self.done + self.there + cells

    def noted(self, text: str) -> None:
        click.echo(text, err=True)

    def tell(self) -> None:
        """Show how far it is, if it is time to."""
        now = time.monotonic()
        if now - self._said >= self._wait:
            self._said, self._wait = now, THEN
            click.echo(self.told(), err=True)

    def told(self) -> str:
        """How far it is, in words."""
        finished = self.done + self.there
        of = f" of {max(self.total, finished):,}" if self.total else ""
        said = [f"{finished:,}{of} cells"]
        seconds = time.monotonic() - self._began
        if self.done and seconds > 0:
            rate = self.done / seconds
            said.append(f"{rate:,.3g} a second")
            if self.total > finished:
                said.append(f"{_span((self.total - finished) / rate)} left")
        said.append(f"{self.failed} failed")
        return ", ".join(said)


class Bar(Progress):
    """The same as a bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Rich

        super().__init__()
        columns = (BarColumn(), TextColumn("{task.description}"))
        self.bar: Any = Rich(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def planned(self, cells: int) -> None:
        super().planned(cells)
        self.tell()

    def noted(self, text: str) -> None:
        self.bar.update(self.task, description=f"{text}; {self.told()}")

    def tell(self) -> None:
        done = self.done + self.there
        total = max(self.total, done) if self.total else None
        self.bar.update(self.task, completed=done, total=total, description=self.told())


def _span(seconds: float) -> str:
    """A time in words, to two figures or so."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
