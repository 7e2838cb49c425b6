"""Rows of tables, and how they are written as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from typing import Any, TextIO

Row = dict[str, Any]
"""A row of a table by column; None where there is no value."""
ROWS = 1000
"""Replicates whose rows are written together."""

FORMULA = ("=", "+", "-", "@")
"""What a formula of a spreadsheet starts with."""


def write_csv(file: TextIO, keys: Iterable[str], rows: Iterable[Row]) -> None:
    """Rows as CSV, None as an empty field, numbers as Python writes them.

    Text that a spreadsheet would run as a formula (it starts with = + - @) gets a leading '.
    """
    writer = csv.DictWriter(file, list(keys), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def number(value: float) -> float | None:
    """A number as a row holds it: None where it is not finite."""
    return float(value) if math.isfinite(value) else None
