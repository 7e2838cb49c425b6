"""A picture of a desk: who works on what when, and effort over the day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from oversight.core.claims import FloatArray
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


class HalfHours(NamedTuple):
    """Effort by half hour of the day, (48,), over all people and days; NaN where nobody works."""

    lowest: FloatArray
    mean: FloatArray
    highest: FloatArray


def effort_by_half_hour(sittings: Iterable[Sitting]) -> HalfHours:
    """The effort of those at work in each half hour, whenever their sitting began; the mean counts
    every minute alike."""
    lowest, highest = np.full(BINS, np.inf), np.full(BINS, -np.inf)
    minutes, total = np.zeros(BINS), np.zeros(BINS)
    length = DAY / BINS
    for sitting in sittings:
        effort, begin, end = sitting.manner.effort, sitting.start, sitting.start + sitting.minutes
        for bin_ in range(int(begin // length), int(np.ceil(end / length))):
            here, place = min(end, (bin_ + 1) * length) - max(begin, bin_ * length), bin_ % BINS
            minutes[place] += here
            total[place] += here * effort
            lowest[place] = min(lowest[place], effort)
            highest[place] = max(highest[place], effort)
    nobody = minutes == 0
    mean = np.where(nobody, np.nan, total / np.where(nobody, 1, minutes))
    return HalfHours(np.where(nobody, np.nan, lowest), mean, np.where(nobody, np.nan, highest))


def _effort(axes: Axes, desk: Desk, table: Timetable) -> None:
    """Mean effort of all who work at an hour of the day, and its range, over all days."""
    edges = np.linspace(0, 24, BINS + 1)
    low, mean, high = effort_by_half_hour(table.sittings)
    # Stairs reach the end of the last half hour.
    low, high = np.append(low, low[-1]), np.append(high, high[-1])
    axes.fill_between(edges, low, high, color="0.85", step="post", label="lowest to highest")
    axes.stairs(mean, edges, baseline=None, color="black", linewidth=1.2, label="mean")
    axes.set_ylim(0, 1.05)
    axes.set_xlim(desk.start, min(desk.start + desk.hours_per_day, 24.0))
    axes.set_xlabel("hour of the day, all days together")
    axes.set_ylabel("effort of those\nat work")
    axes.legend(loc="lower left", frameon=False, ncols=2)
