"""A column of results, declared once: its name, meaning, unit, kind, and how a table formats it.

Every room declares the columns of what it measures. The order in CSV and JSON files, the cells of
printed tables, Parquet's types and the tables of columns in docs/ follow from the declarations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "whole", "text", "flag"]
MISSING = "–"
"""What a table shows where there is no value."""


@dataclass(frozen=True)
class Column:
    """One column of results.

    name     as in CSV and JSON files
    meaning  one line for whoever reads the file
    unit     of its numbers: "share" runs from 0 to 1; empty for text, flags and plain counts
    kind     "number", "whole" number, "text", or "flag" (true or false); any may be empty
    format   how a table formats a value, as `format` takes it; one that ends in "%" shows a share
             as a percentage
    """

    name: str
    meaning: str
    unit: str = ""
    kind: Kind = "number"
    format: str = ".2f"

    def text(self, value: float | str | bool | None) -> str:
        """A value as a cell of a table; a number that rounds to zero has no minus sign.

        >>> accuracy = Column("accuracy", "how often labels are right", "share", format=".3f")
        >>> accuracy.text(0.87654), accuracy.text(-0.0001), accuracy.text(None)
        ('0.877', '0.000', '–')
        >>> Column("coverage", "items labeled", "share", format=".3g%").text(0.125)
        '12.5 %'
        """
        if value is None:
            return MISSING
        if isinstance(value, bool):
            return "yes" if value else "no"
        if self.kind == "text" or isinstance(value, str):
            return str(value)
        if self.kind == "whole":
            return f"{value:g}"
        if self.format.endswith("%"):
            return f"{100 * value:{self.format[:-1]}} %"
        return format_number(value, self.format)


def format_number(value: float, spec: str) -> str:
    """A number by a format like ".2f" or "+.2f"; what rounds to zero has no minus sign.

    >>> format_number(-0.001, ".2f"), format_number(0.5, "+.2f")
    ('0.00', '+0.50')
    """
    sign, places = spec[: -len(spec.lstrip("+"))], spec.lstrip("+")
    return f"{value:{sign}z{places}}"


def names(columns: Iterable[Column]) -> tuple[str, ...]:
    """The names of columns, in order.

    >>> names([Column("pgr", "performance gap recovered"), Column("pgr_low", "lower bound")])
    ('pgr', 'pgr_low')
    """
    return tuple(column.name for column in columns)


def column_of(columns: Iterable[Column], name: str) -> Column:
    """The column of a name. Raises KeyError where there is none."""
    for column in columns:
        if column.name == name:
            return column
    raise KeyError(name)
