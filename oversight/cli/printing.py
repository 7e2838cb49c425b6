"""What a command prints: the document of its results, and what failed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oversight.reports.document import Document, Format
    from oversight.running.replicate import Failed

WIDTH = 140
"""Columns of a table where there is no terminal."""
NARROWEST = 60


def show(document: Document, form: Format) -> None:
    """Print results on stdout."""
    document.write(form, sys.stdout, _width())


def show_failed(failed: Sequence[Failed]) -> None:
    """Print on stderr what failed: of each kind the first, with its origin."""
    click.echo(f"\n{len(failed)} cells failed; the first of each kind:", err=True)
    seen = set()
    for one in failed:
        name = " under ".join(part for part in one.case[:2] if part)
        kind = (name, one.error, one.origin)
        if kind not in seen:
            seen.add(kind)
            message = f"  {name}, replicate {one.replicate}: {one.error} ({one.origin})"
            click.echo(message, err=True)


def _width() -> int:
    if not sys.stdout.isatty():
        return WIDTH
    from rich.console import Console

    return max(Console().width, NARROWEST)
