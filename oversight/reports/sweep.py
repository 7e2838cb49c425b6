"""A sweep as a document: PGR along a knob for every protocol, and where protocols change places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product

import numpy as np

from oversight.core.columns import names
from oversight.findings.rows import Row
from oversight.findings.sweep import Swept
from oversight.metrics.crossings import Crossing
from oversight.reports.comparison import precision_note
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import cell, half_width, headline, listed, subject
from oversight.studies.knobs import HOURS

BARS = "▁▂▃▄▅▆▇█"
WIDE = 10
"""Values that a table shows beside each other; of more, as many evenly chosen."""
MOST = 8
"""Tables that are shown of a grid of several knobs."""


def document(swept: Swept, precision: float | None = None) -> Document:
    """Tables along one knob; `precision` is the half-width of intervals that was wanted."""
    return Document(
        headline(swept.study),
        partial(_parts, swept, precision),
        partial(_data, swept),
        names(swept.summary_columns),
        swept.summary,
    )


def _parts(swept: Swept, precision: float | None) -> Iterator[Part]:
    """Tables and notes."""
    yield from tables(swept)
    lines = notes(swept)
    if precision is not None:
        absent = any(swept.at(*point).gap_is_absent for point in swept.points)
        lines.append(precision_note(list(swept.summary()), precision, absent))
    yield from map(Paragraph, lines)


def _data(swept: Swept) -> dict[str, object]:
    """What JSON holds."""
    return {
        "scenario": swept.study.name,
        "knobs": list(swept.knobs),
        "rows": list(swept.summary()),
        "crossings": [asdict(crossing) for crossing in swept.crossings()],
    }


def tables(swept: Swept) -> Iterator[Part]:
    """A table a combination of all knobs but one, along the one with most values."""
    knob = max(swept.knobs, key=lambda name: len(swept.grid[name]))
    others = [name for name in swept.knobs if name != knob]
    held = list(product(*(swept.grid[name] for name in others)))
    for values in held[:MOST]:
        fixed = dict(zip(others, values, strict=True))
        rows = {}
        for value in swept.grid[knob]:
            at = {**fixed, knob: value}
            for row in swept.at(*(at[name] for name in swept.knobs)).summary():
                rows[subject(row), value] = row
        where = "".join(f", {name} {value:g}" for name, value in fixed.items())
        yield from _along(knob, where, swept.grid[knob], rows)
    if len(held) > MOST:
        left = f"… and {len(held) - MOST} more combinations of {', '.join(others)}: summary.csv"
        yield Paragraph(left + " of --out, or --format csv")


def _along(
    knob: str, where: str, values: Sequence[float], rows: dict[tuple[str, float], Row]
) -> Iterator[Table]:
    """PGR along a knob; along hours, or where some items have no label, label accuracy too."""
    shown = _shown(values)
    protocols = list(dict.fromkeys(protocol for protocol, _ in rows))
    axis = "person-hours" if knob == HOURS else knob
    heads = ["protocol", *(f"{value:g}" for value in shown)]

    known = [row["pgr"] for row in rows.values() if row["pgr"] is not None]
    scale = min(known, default=0.0), max(known, default=0.0)  # one for all lines of the table
    body = [
        [
            name,
            *(_pgr(rows[name, value]) for value in shown),
            spark([rows[name, value]["pgr"] for value in values], *scale),
        ]
        for name in protocols
    ]
    yield Table([*heads, "curve"], body, title=f"PGR by {axis}{where}")
    if knob == HOURS or any(
        row["coverage"] is not None and row["coverage"] < 1 for row in rows.values()
    ):
        title = f"Label accuracy, of the share of items labeled, by {axis}{where}"
        body = [[name, *(_labels(rows[name, value]) for value in shown)] for name in protocols]
        yield Table(heads, body, title=title)


def _shown(values: Sequence[float]) -> list[float]:
    if len(values) <= WIDE:
        return list(values)
    return [values[i] for i in np.unique(np.linspace(0, len(values) - 1, WIDE).round().astype(int))]


def _pgr(row: Row) -> str:
    if row["pgr"] is None:
        return "undefined"
    if row["pgr_low"] is None:
        return cell(row, "pgr")
    return f"{cell(row, 'pgr')} {half_width(row['pgr_low'], row['pgr_high'])}"


def _labels(row: Row) -> str:
    if not row["coverage"]:
        return "none"
    return f"{cell(row, 'label_accuracy')} of {cell(row, 'coverage')}"


def spark(values: list[float | None], low: float, high: float) -> str:
    """A curve in one line on a scale from `low` to `high`; a blank where there is no value.

    >>> spark([0.0, 0.5, None, 1.0], 0.0, 1.0)
    '▁▅ █'
    """
    span = high - low
    return "".join(
        " " if v is None else BARS[round((v - low) / span * (len(BARS) - 1)) if span else 0]
        for v in values
    )


def notes(swept: Swept) -> list[str]:
    """Where protocols change places, and what is undefined and why."""
    lines = [sentence(crossing) for crossing in swept.crossings()]
    if not lines and any(len(values) > 1 for values in swept.grid.values()):
        lines = ["No two protocols clearly change places."]
    reasons: dict[str, list[str]] = {}
    for row in swept.summary():
        if row["pgr"] is None:
            at = ", ".join(f"{name} {row[name]:g}" for name in swept.knobs)
            reasons.setdefault(row["pgr_status"], []).append(f"{subject(row)} at {at}")
    lines += [f"PGR {reason} ({listed(where, 6, '; ')})" for reason, where in reasons.items()]
    runs = swept.study.replicates
    return [*lines, f"{len(swept)} points, {runs} replicates each; ± is half of a 95 % interval."]


def sentence(crossing: Crossing) -> str:
    """A crossing in words."""
    axis = "person-hours" if crossing.knob == HOURS else crossing.knob
    held = f" ({crossing.at})" if crossing.at else ""
    return (
        f"{crossing.ahead_above} overtakes {crossing.ahead_below} at {axis} {crossing.value:.3g} "
        f"(95 %: {crossing.low:.3g} to {crossing.high:.3g}){held}."
    )
