"""Sweeps as people read them: a table of PGR along a knob for every protocol, and where protocols
change places."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from oversight.findings.results import Row
from oversight.findings.sweep import Crossing, Swept
from oversight.reports.comparison import about
from oversight.reports.tables import three, two
from oversight.studies.knobs import HOURS

BARS = "▁▂▃▄▅▆▇█"
WIDE = 10
"""Values that a table shows beside each other; of more, as many evenly chosen."""
MOST = 8
"""Tables that are shown of a grid of several knobs."""


def tables(swept: Swept) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, heads and rows: one table a combination of all knobs but one, along that one."""
    knob = max(swept.knobs, key=lambda name: len(swept.grid[name]))
    others = [name for name in swept.knobs if name != knob]
    held = list(product(*(swept.grid[name] for name in others)))
    for values in held[:MOST]:
        fixed = dict(zip(others, values, strict=True))
        rows = {}
        for value in swept.grid[knob]:
            at = {**fixed, knob: value}
            for row in swept.at(*(at[name] for name in swept.knobs)).summary():
                rows[about(row), value] = row
        where = "".join(f", {name} {value:g}" for name, value in fixed.items())
        yield from _of(knob, where, swept.grid[knob], rows)
    if len(held) > MOST:
        left = f"… and {len(held) - MOST} more combinations of {', '.join(others)}: summary.csv"
        yield left + " of --out, or --format csv", [], []


def _of(
    knob: str, where: str, values: Sequence[float], rows: dict[tuple[str, float], Row]
) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    shown = _shown(values)
    names = list(dict.fromkeys(name for name, _ in rows))
    told = "person-hours" if knob == HOURS else knob
    heads = ["protocol", *(f"{value:g}" for value in shown)]

    def cells(cell: Any) -> list[list[str]]:
        return [[name, *(cell(rows[name, value]) for value in shown)] for name in names]

    curves = [spark([rows[name, value]["pgr"] for value in values]) for name in names]
    body = [[*row, curve] for row, curve in zip(cells(_pgr), curves, strict=True)]
    yield f"PGR by {told}{where}", [*heads, "curve"], body
    if knob == HOURS or any(
        row["coverage"] is not None and row["coverage"] < 1 for row in rows.values()
    ):
        yield (
            f"Label accuracy, of the share of items labeled, by {told}{where}",
            heads,
            cells(_labels),
        )


def _shown(values: Sequence[float]) -> list[float]:
    if len(values) <= WIDE:
        return list(values)
    return [values[i] for i in np.unique(np.linspace(0, len(values) - 1, WIDE).round().astype(int))]


def _pgr(row: Row) -> str:
    if row["pgr"] is None:
        return "undefined"
    if row["pgr_low"] is None:
        return two(row["pgr"])
    return f"{two(row['pgr'])} ±{two((row['pgr_high'] - row['pgr_low']) / 2)}"


def _labels(row: Row) -> str:
    if not row["coverage"]:
        return "none"
    return f"{three(row['label_accuracy'])} of {100 * row['coverage']:.3g} %"


def spark(values: list[float | None]) -> str:
    """A curve in one line: low to high, a blank where there is no value."""
    known = [value for value in values if value is not None]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    return "".join(
        " " if v is None else BARS[round((v - low) / span * (len(BARS) - 1)) if span else 0]
        for v in values
    )


def notes(swept: Swept) -> list[str]:
    """Where protocols change places, and what is undefined and why."""
    said = [sentence(crossing) for crossing in swept.crossings()]
    if not said and any(len(values) > 1 for values in swept.grid.values()):
        said = ["No two protocols clearly change places."]
    reasons: dict[str, list[str]] = {}
    for row in swept.summary():
        if row["pgr_status"] != "ok":
            at = ", ".join(f"{name} {row[name]:g}" for name in swept.knobs)
            reasons.setdefault(row["pgr_status"], []).append(f"{about(row)} at {at}")
    for reason, where in reasons.items():
        more = f" and {len(where) - 6} more" if len(where) > 6 else ""
        said.append(f"PGR {reason} ({'; '.join(where[:6])}{more})")
    runs = swept.study.replicates
    said.append(f"{len(swept)} points, {runs} replicates each; ± is half of a 95 % interval.")
    return said


def sentence(found: Crossing) -> str:
    """A crossing in words."""
    unit = "person-hours" if found.knob == HOURS else found.knob
    low = "below what was tried" if found.low is None else f"{found.low:.3g}"
    high = "beyond what was tried" if found.high is None else f"{found.high:.3g}"
    held = f" ({found.at})" if found.at else ""
    return (
        f"{found.ahead_above} overtakes {found.ahead_below} at {unit} {found.value:.3g} "
        f"(95 %: {low} to {high}){held}."
    )


def picture(swept: Swept) -> str:
    """PGR along the knob with most values, a panel a combination of the others, as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    knob = max(swept.knobs, key=lambda name: len(swept.grid[name]))
    others = [name for name in swept.knobs if name != knob]
    held = list(product(*(swept.grid[name] for name in others)))[:MOST]
    settings: Any = {"svg.hashsalt": "oversight", "svg.fonttype": "none", "font.size": 9}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(8.5 if len(held) == 1 else 12, 4 * ((len(held) + 1) // 2)))
        figure.set_layout_engine("constrained")
        columns = min(len(held), 2)
        axes = figure.subplots(-(-len(held) // columns), columns, squeeze=False, sharey=True)
        for panel, values in zip(axes.flat, held, strict=False):
            fixed = dict(zip(others, values, strict=True))
            _panel(panel, swept, knob, fixed)
        for panel in axes.flat[len(held) :]:
            panel.set_axis_off()
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside right upper")
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _panel(panel: Any, swept: Swept, knob: str, fixed: dict[str, float]) -> None:
    curves: dict[str, list[tuple[float, float, float, float]]] = {}
    for value in sorted(swept.grid[knob]):
        at = {**fixed, knob: value}
        for row in swept.at(*(at[name] for name in swept.knobs)).summary():
            points = curves.setdefault(about(row), [])
            if row["pgr"] is not None:
                low = row["pgr"] if row["pgr_low"] is None else row["pgr_low"]
                high = row["pgr"] if row["pgr_high"] is None else row["pgr_high"]
                points.append((value, row["pgr"], low, high))
    for name, points in curves.items():
        x, y, low, high = zip(*points, strict=True) if points else ((), (), (), ())
        (line,) = panel.plot(x, y, marker="o", markersize=3, linewidth=1.2, label=name)
        panel.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    if min(swept.grid[knob]) > 0 and max(swept.grid[knob]) > 5 * min(swept.grid[knob]):
        panel.set_xscale("log")
    panel.set_xlabel("person-hours" if knob == HOURS else knob)
    panel.set_ylabel("performance gap recovered")
    panel.set_title(", ".join(f"{name} {value:g}" for name, value in fixed.items()), fontsize=9)
