"""Who worked on what when: the log of a simulation, and the timetable that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.desk.queue import USUAL, Manner, Queue


class Sitting(NamedTuple):
    """What one person did in one go.

    person, start, minutes  who, from when on (minutes from the first midnight), and for how long
    manner       how they worked
    queue        where the items came from; None for work paid before any item
    first, stop  the places in that queue: from `first` to before `stop`
    """

    person: int
    start: float
    minutes: float
    manner: Manner
    queue: Queue | None = None
    first: int = 0
    stop: int = 0

    @property
    def items(self) -> IntArray:
        """The items that were worked on; none for work paid before any item."""
        everything = np.zeros(0, np.int64) if self.queue is None else self.queue.items
        return everything[self.first : self.stop]


@dataclass(frozen=True)
class Timetable:
    """Who worked on what when, in minutes from the first midnight.

    start, end   when the people began, and when the last sitting was over
    arrival, started, finished   by item; the last two NaN where nobody worked on it
    manner       by item, its place in `manners`; 0 where nobody worked on it
    manners      every manner in which somebody worked; the first is the usual one
    fixed        minutes spent before any item, of those asked for
    fixed_effort   their mean effort; 1 if there are none
    sittings     every sitting, in the order in which they began
    """

    start: float
    end: float
    arrival: FloatArray
    started: FloatArray
    finished: FloatArray
    manner: IntArray
    manners: tuple[Manner, ...]
    fixed: float
    fixed_effort: float
    sittings: tuple[Sitting, ...]

    @property
    def done(self) -> BoolArray:
        """Whether each item was worked on to its end, (items,)."""
        return ~np.isnan(self.finished)

    @property
    def effort(self) -> FloatArray:
        """The effort with which each item was worked on, (items,); 1 where nobody did."""
        return np.array([manner.effort for manner in self.manners])[self.manner]

    @property
    def pace(self) -> FloatArray:
        """The pace at which each item was worked on, (items,); 1 where nobody did."""
        return np.array([manner.pace for manner in self.manners])[self.manner]


def timetable(
    log: Sequence[Sitting],
    waiting: Sequence[Queue],
    arrival: FloatArray,
    start: float,
    fixed: float,
) -> Timetable:
    """The timetable that sittings make.

    log      the sittings, in the order in which they began
    waiting  the queues that their items came from
    arrival  by item, when it came
    start    when the people began
    fixed    minutes spent before any item
    """
    started, finished = np.full(arrival.size, np.nan), np.full(arrival.size, np.nan)
    manner = np.zeros(arrival.size, dtype=np.int64)
    # A number for every manner, in the order of the log; 0 for the usual one.
    manners = dict.fromkeys([USUAL, *(sitting.manner for sitting in log)])
    rows = {manner: row for row, manner in enumerate(manners)}
    for queue in waiting:
        served = [sitting for sitting in log if sitting.queue is queue]
        if served:
            items, begin, end, row = _served(queue, served, rows)
            started[items], finished[items], manner[items] = begin, end, row
    return Timetable(
        start=start,
        end=max((sitting.start + sitting.minutes for sitting in log), default=start),
        arrival=arrival,
        started=started,
        finished=finished,
        manner=manner,
        manners=tuple(rows),
        fixed=fixed,
        fixed_effort=_mean_effort_before(log, fixed),
        sittings=tuple(log),
    )


def _served(
    queue: Queue, log: Sequence[Sitting], rows: dict[Manner, int]
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """The items of a queue that were taken on, when each began and ended, and in which manner.

    A queue's sittings follow each other, so that they are one stretch of it, from its head on."""
    length = np.array([sitting.stop - sitting.first for sitting in log])
    begin = np.repeat([sitting.start for sitting in log], length)
    first = np.repeat([sitting.first for sitting in log], length)
    row = np.repeat([rows[sitting.manner] for sitting in log], length)
    place = np.arange(length.sum())
    alike = [queue.alike(manner) for manner in rows]
    manners = list(dict.fromkeys(alike))
    places = {manner: at for at, manner in enumerate(manners)}
    line = np.array([places[manner] for manner in alike])[row]
    sums = np.zeros((len(manners), len(queue.items) + 1))
    for used in np.unique(line).tolist():
        sums[used] = queue.sums(manners[used])
    before = sums[line, first]
    return (
        queue.items[: place.size],
        begin + (sums[line, place] - before),
        begin + (sums[line, place + 1] - before),
        row,
    )


def _mean_effort_before(log: Sequence[Sitting], fixed: float) -> float:
    """The mean effort, over minutes, of what was paid before any item; 1 if nothing was."""
    if not fixed:
        return 1.0
    return (
        sum(sitting.minutes * sitting.manner.effort for sitting in log if sitting.queue is None)
        / fixed
    )
