"""Cells and names in the form that reports share."""

from __future__ import annotations

from collections.abc import Mapping

from oversight.core.columns import MISSING, Column, column_of, format_number
from oversight.findings import columns
from oversight.findings.columns import SUMMARY
from oversight.findings.rows import Row
from oversight.metrics.columns import PREDICTABLE
from oversight.studies.study import Study

PGR = column_of(SUMMARY, "pgr")
_COLUMNS: Mapping[str, Column] = {
    column.name: column
    for table in (
        columns.RANKING,
        columns.DESIGN,
        columns.BREAK,
        columns.INDEX,
        columns.PLAY,
        (*SUMMARY, PREDICTABLE),
    )
    for column in table
}


def first_sentence(plugin: object) -> str:
    """The first sentence of a plugin's docstring.

    >>> class Example:
    ...     '''Labels everything at
    ...     random. And more.'''
    >>> first_sentence(Example)
    'Labels everything at random.'
    """
    text = " ".join((plugin.__doc__ or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".") + "."


def headline(study: Study) -> str:
    """A study's name and what it is about; empty where it does not say."""
    return f"{study.name}: {study.about}" if study.about else ""


def cell(row: Row, name: str) -> str:
    """The cell of a row's column, formatted as the column is declared."""
    return _COLUMNS[name].text(row[name])


def two(value: float | None) -> str:
    """A number to two decimal places, as PGR is shown."""
    return PGR.text(value)


def interval(low: float | None, high: float | None) -> str:
    """The two ends of an interval.

    >>> interval(0.125, 0.25), interval(None, None)
    ('0.12 to 0.25', '–')
    """
    return MISSING if low is None or high is None else f"{two(low)} to {two(high)}"


def half_width(low: float, high: float) -> str:
    """Half of an interval.

    >>> half_width(0.1, 0.3)
    '±0.10'
    """
    return "±" + format_number((high - low) / 2, ".2f")


def subject(row: Row) -> str:
    """What a row is about: a protocol, and the failure that it suffers, with its severity.

    >>> subject({"protocol": "debate", "failure": "collusion", "severity": 0.5})
    'debate, collusion 0.5'
    """
    if not row["failure"]:
        return str(row["protocol"])
    return f"{row['protocol']}, {row['failure']} {row['severity']:g}"


def listed(names: list[str], most: int, between: str = ", ") -> str:
    """Names in a line; of more than `most`, the first ones and how many are left out.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more
