"""A picture of a sweep: PGR along a knob, with intervals."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from oversight.findings.sweep import Swept
from oversight.reports.svg import style, svg_of
from oversight.reports.tables import subject
from oversight.studies.knobs import HOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 8
"""Panels of a grid of several knobs, at most."""


def picture(swept: Swept) -> str:
    """PGR along the knob with most values, a panel a combination of the others, as SVG."""
    from matplotlib.figure import Figure

    knob = max(swept.knobs, key=lambda name: len(swept.grid[name]))
    others = [name for name in swept.knobs if name != knob]
    held = list(product(*(swept.grid[name] for name in others)))[:MOST]
    with style(9):
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
        return svg_of(figure)


def _panel(panel: Axes, swept: Swept, knob: str, fixed: dict[str, float]) -> None:
    curves: dict[str, list[tuple[float, float, float, float]]] = {}
    for value in sorted(swept.grid[knob]):
        at = {**fixed, knob: value}
        for row in swept.at(*(at[name] for name in swept.knobs)).summary():
            points = curves.setdefault(subject(row), [])
            if row["pgr"] is not None:
                low = row["pgr"] if row["pgr_low"] is None else row["pgr_low"]
                high = row["pgr"] if row["pgr_high"] is None else row["pgr_high"]
                points.append((value, row["pgr"], low, high))
    for name, points in curves.items():
        x, y, low, high = zip(*points, strict=True) if points else ((), (), (), ())
        (line,) = panel.plot(x, y, marker="o", markersize=3, linewidth=1.2, label=_shown(name))
        panel.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    if min(swept.grid[knob]) > 0 and max(swept.grid[knob]) > 5 * min(swept.grid[knob]):
        panel.set_xscale("log")
    panel.set_xlabel("person-hours" if knob == HOURS else knob)
    panel.set_ylabel("performance gap recovered")
    panel.set_title(", ".join(f"{name} {value:g}" for name, value in fixed.items()), fontsize=9)


def _shown(name: str) -> str:
    """A name for a legend, which leaves out what starts with an underscore."""
    return f"\u200b{name}" if name.startswith("_") else name
