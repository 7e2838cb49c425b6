"""What a desk's timetable comes to."""

from __future__ import annotations

import numpy as np

from oversight.core.claims import BoolArray
from oversight.core.columns import Column
from oversight.desk.hours import Hours
from oversight.desk.settings import Desk
from oversight.desk.timetable import Timetable

NOTHING = float("nan")

COLUMNS = (
    Column("hours_used", "person-hours worked, as charged", "hours", format=".1f"),
    Column(
        "makespan_hours",
        "from the start to the end of the last sitting, nights included",
        "hours",
        format=".1f",
    ),
    Column(
        "utilization",
        "hours worked over the hours that people were there until then",
        "share",
        format=".3g%",
    ),
    Column(
        "waiting_hours",
        "mean time from an item's arrival until somebody begins with it, nights included",
        "hours",
        format=".1f",
    ),
    Column("effort", "mean effort with which labels were given", "share of full effort"),
    Column("labels_per_hour", "labels a person-hour", "labels an hour"),
)
"""What a desk's timetable comes to, in this order; empty without a desk."""


def measures(desk: Desk, table: Timetable, minutes: float, labeled: BoolArray) -> dict[str, float]:
    """The numbers of COLUMNS, by name; NaN where there is nothing to measure.

    minutes  charged by the protocol, of everybody and all items together
    labeled  by item, whether it got a label

    Where items take no time, effort is that of the work paid before any item.
    """
    hours = minutes / 60
    waiting = (table.started - table.arrival)[table.done]
    untimed = table.started == table.finished
    effort = np.where(untimed, table.fixed_effort, table.effort)[labeled]
    return {
        "hours_used": hours,
        "makespan_hours": (table.end - table.start) / 60 if table.end > table.start else NOTHING,
        "utilization": _utilization(desk, table, hours),
        "waiting_hours": float(waiting.mean()) / 60 if waiting.size else NOTHING,
        "effort": float(effort.mean()) if effort.size else NOTHING,
        "labels_per_hour": float(labeled.sum()) / hours if hours else NOTHING,
    }


def _utilization(desk: Desk, table: Timetable, hours: float) -> float:
    """Hours worked over the hours that people were there until the last sitting ended."""
    if desk.people == "unlimited":  # people come for a sitting each
        return 1.0 if hours else NOTHING
    there = Hours(60 * desk.start, 60 * desk.hours_per_day).between(table.start, table.end)
    return hours * 60 / (desk.people * there) if there else NOTHING
