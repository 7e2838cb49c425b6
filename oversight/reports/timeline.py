"""A picture of a desk: who works on what when, and effort over the day."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from oversight.desk.settings import Desk
from oversight.desk.timetable import Sitting, Timetable
from oversight.reports.svg import style, svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PEOPLE, DAYS = 12, 2
"""The first people and days, which are drawn; effort over the day is that of all people and
days."""
BINS = 48
"""Half hours of a day."""
DAY = 1440.0
"""Minutes."""


def picture(title: str, desk: Desk, table: Timetable) -> str:
    """The timetable as SVG, the same bytes for the same timetable."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with style(8):
        figure = Figure(figsize=(11, 5.2), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        days = sorted({int(s.start // DAY) for s in table.sittings})[:DAYS] or [0]
        grid = figure.add_gridspec(2, len(days), height_ratios=[3, 1.4])
        colors = mpl.colormaps["viridis"]
        shade = mpl.colors.Normalize(0.4, 1.0)
        above = None
        for column, day in enumerate(days):
            above = figure.add_subplot(grid[0, column], sharey=above)
            _who(above, table, day, lambda effort: colors(shade(effort)))
            _hours(above, desk, day)
        figure.colorbar(
            mpl.cm.ScalarMappable(shade, colors),
            ax=figure.axes[: len(days)],
            label="effort",
            fraction=0.03,
            pad=0.01,
        )
        _effort(figure.add_subplot(grid[1, :]), desk, table)
        return svg_of(figure)


def _who(axes: Axes, table: Timetable, day: int, color: Callable[[float], object]) -> None:
    """One day: a row a person, a bar a sitting, the numbers of its items where they fit."""
    rows = 0
    for sitting in table.sittings:
        if int(sitting.start // DAY) != day or sitting.person >= PEOPLE:
            continue
        rows = max(rows, sitting.person + 1)
        begin, length = (sitting.start - day * DAY) / 60, sitting.minutes / 60
        axes.barh(
            sitting.person,
            length,
            left=begin,
            height=0.8,
            color=color(sitting.manner.effort),
            edgecolor="white",
            linewidth=0.4,
            hatch=None if sitting.items.size else "///",
        )
        label = _items(sitting)
        if length > 0.09 * len(label):
            ink = "black" if sitting.manner.effort > 0.8 else "white"
            axes.text(
                begin + length / 2,
                sitting.person,
                label,
                ha="center",
                va="center",
                fontsize=6,
                color=ink,
            )
    axes.set_title(f"day {day + 1}: who works on which items (hatched: paid before any)")
    axes.set_yticks(range(rows), [f"person {i + 1}" for i in range(rows)])
    axes.invert_yaxis() if not axes.yaxis_inverted() else None


def _items(sitting: Sitting) -> str:
    """The numbers of the items of a sitting, or how many there are."""
    items = sitting.items
    if not items.size:
        return ""
    if items.size == 1:
        return str(items[0])
    together = int(items.max()) - int(items.min()) == items.size - 1
    return f"{items.min()}–{items.max()}" if together else f"{items.size} items"


def _hours(axes: Axes, desk: Desk, day: int) -> None:
    """The hours of a day that are shown, and the deadline where it falls on that day."""
    end = min(desk.start + desk.hours_per_day, 24.0)
    axes.set_xlim(desk.start, end)
    if desk.deadline is not None and desk.deadline // 24 == day:
        axes.axvline(desk.deadline % 24, color="crimson", linewidth=1)
    axes.set_xlabel("hour of the day")


def _effort(axes: Axes, desk: Desk, table: Timetable) -> None:
    """Mean effort of all who work at an hour of the day, and its range, over all days."""
    edges = np.linspace(0, 24, BINS + 1)
    starts = np.array([s.start % DAY / 60 for s in table.sittings])
    weight = np.array([s.minutes for s in table.sittings])
    effort = np.array([s.manner.effort for s in table.sittings])
    place = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, BINS - 1)
    middle, low, high, mean = [], [], [], []
    for bin_ in np.unique(place):
        here = place == bin_
        middle.append((edges[bin_] + edges[bin_ + 1]) / 2)
        low.append(effort[here].min())
        high.append(effort[here].max())
        total = weight[here].sum()
        mean.append(float((effort * weight)[here].sum() / total) if total else effort[here].mean())
    axes.fill_between(middle, low, high, color="0.85", step="mid", label="lowest to highest")
    axes.step(middle, mean, where="mid", color="black", linewidth=1.2, label="mean")
    axes.set_ylim(0, 1.05)
    axes.set_xlim(desk.start, min(desk.start + desk.hours_per_day, 24.0))
    axes.set_xlabel("hour of the day, all days together")
    axes.set_ylabel("effort at the start\nof a sitting")
    axes.legend(loc="lower left", frameon=False, ncols=2)
