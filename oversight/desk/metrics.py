"""What a desk's timetable comes to."""

from __future__ import annotations

import numpy as np

from oversight.core.claims import BoolArray
from oversight.core.columns import Column
from oversight.desk.hours import Hours
from oversight.desk.settings import Desk
from oversight.desk.timetable import Timetable

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
    """Numbers of COLUMNS, by name; NaN where there is nothing to measure.

    `minutes` are those charged. Where items take no time, effort is that of the work paid before
    any item.
    """
    nothing = float("nan")
    done, hours = table.done, minutes / 60
    span = table.end - table.start
    there = Hours(60 * desk.start, 60 * desk.hours_per_day).between(table.start, table.end)
    if desk.people == "unlimited":  # people come for a sitting each
        utilization = 1.0 if hours else nothing
    else:
        utilization = hours * 60 / (desk.people * there) if there else nothing
    effort = np.array([manner.effort for manner in table.manners])[table.manner]
    untimed = table.started == table.finished
    effort = np.where(untimed, table.fixed_effort, effort)
    waited = (table.started - table.arrival)[done]
    some = bool(labeled.any())
    return {
        "hours_used": hours,
        "makespan_hours": span / 60 if table.end > table.start else nothing,
        "utilization": utilization,
        "waiting_hours": float(waited.mean()) / 60 if waited.size else nothing,
        "effort": float(effort[labeled].mean()) if some else nothing,
        "labels_per_hour": float(labeled.sum()) / hours if hours else nothing,
    }
