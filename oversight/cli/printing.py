"""Results on stdout, in the format that was chosen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oversight.reports.document import Document, Format

WIDTH = 140
"""Columns of a table where there is no terminal."""
NARROWEST = 60
"""Columns that a table takes at least."""


def show(document: Document, form: Format) -> None:
    """Print a document; a table is as wide as the terminal."""
    document.write(form, sys.stdout, _width())


def _width() -> int:
    if not sys.stdout.isatty():
        return WIDTH
    from rich.console import Console

    return max(Console().width, NARROWEST)
