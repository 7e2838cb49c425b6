"""The working days of the people of one protocol, as a discrete-event simulation: an event a
sitting, never an item."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import simpy

from oversight.claims import BoolArray, FloatArray, IntArray
from oversight.desk.hours import Hours
from oversight.desk.queue import ROUNDING, Batch, Manner, MinutesOf, lines
from oversight.desk.settings import Desk

FIXED = -1
"""Instead of a first item: work that is paid before any item is labeled."""


@dataclass(frozen=True)
class Sitting:
    """What one person did in one go; `items` is empty for work paid before any item."""

    person: int
    start: float
    minutes: float
    manner: Manner
    items: IntArray


@dataclass(frozen=True)
class Timetable:
    """Who worked on what when, in minutes from the first midnight.

    sittings  in the order in which they began
    start     when the people began
    arrival, started, finished   by item; NaN where nobody worked on it
    manner    by item, its place in `manners`; 0 where nobody worked on it
    fixed     minutes spent before any item, of those asked for
    """

    sittings: tuple[Sitting, ...]
    start: float
    arrival: FloatArray
    started: FloatArray
    finished: FloatArray
    manner: IntArray
    manners: tuple[Manner, ...]
    fixed: float

    @property
    def done(self) -> BoolArray:
        """Whether each item was worked on to its end."""
        return ~np.isnan(self.finished)

    @property
    def end(self) -> float:
        """When the last sitting was over; the start where there was none."""
        return max((s.start + s.minutes for s in self.sittings), default=self.start)

    def fixed_effort(self) -> float:
        """Mean effort over the minutes spent before any item; 1 where there were none."""
        if not self.fixed:
            return 1.0
        before = [(s.minutes, s.manner.effort) for s in self.sittings if not s.items.size]
        return sum(minutes * effort for minutes, effort in before) / sum(m for m, _ in before)


def simulate(
    desk: Desk,
    minutes: MinutesOf,
    fixed: float,
    arrival: FloatArray,
    ready: FloatArray,
    urgent: BoolArray,
) -> Timetable:
    """The days that it takes to label these items, or as many as budget and deadline allow.

    minutes  by item, for whoever works in a given manner
    fixed    minutes to be spent before the first item
    arrival, ready  by item, when it comes and when people can begin with it
    """
    return _Floor(desk, minutes, fixed, arrival, ready, urgent).run()


class _Floor:
    """People, what waits for them, and what they may still spend."""

    def __init__(
        self,
        desk: Desk,
        minutes: MinutesOf,
        fixed: float,
        arrival: FloatArray,
        ready: FloatArray,
        urgent: BoolArray,
    ) -> None:
        self.desk, self.arrival = desk, arrival
        self.lines = lines(ready, urgent, minutes)
        self.hours = Hours(60 * desk.start, 60 * desk.hours_per_day)
        self.start = self.hours.start
        self.deadline = inf if desk.deadline is None else 60 * desk.deadline
        self.left = inf if desk.hours is None else 60 * desk.hours
        self.fixed, self.fixed_left, self.fixed_end = fixed, fixed, self.start
        self.over = False
        self.sittings: list[tuple[int, float, Batch | None, float, Manner]] = []

    def run(self) -> Timetable:
        environment = simpy.Environment(initial_time=self.start)
        if self.desk.people == "unlimited":
            environment.process(self._crowd(environment))
        else:
            for person in range(self.desk.people):
                environment.process(self._person(environment, person))
        environment.run()
        return self._timetable()

    def _person(self, environment: simpy.Environment, person: int) -> Generator[Any, Any, None]:
        worked, rest = 0.0, self.desk.break_minutes
        while not self.over:
            now = environment.now
            took, until = self._take(person, now, worked)
            if took:
                worked += until - now
                yield environment.timeout(until - now)
                if self.desk.break_after is not None and worked >= self.desk.break_after:
                    yield environment.timeout(rest)
                    worked = 0.0
            elif until == inf:
                return
            else:
                worked = 0.0 if until - now >= rest else worked
                yield environment.timeout(until - now)

    def _crowd(self, environment: simpy.Environment) -> Generator[Any, Any, None]:
        """Somebody fresh for every sitting that can begin."""
        person = 0
        while not self.over:
            took, until = self._take(person, environment.now, 0.0)
            if took:
                person += 1
            elif until == inf:
                return
            else:
                yield environment.timeout(until - environment.now)

    def _take(self, person: int, now: float, worked: float) -> tuple[bool, float]:
        """Give somebody a sitting: (True, when it ends), or (False, when to ask again; inf for
        never)."""
        opens, closes = self.hours.window(now)
        if now < opens:
            return False, opens
        if now >= self.deadline or (self.left <= 0 and self.fixed_left > 0):
            self.over = True
            return False, inf
        effort = self.desk.effort(worked)
        if self.fixed_left > 0:
            room = min(self.desk.sitting, self.fixed_left, self.left, closes - now)
            spent = min(room, self.deadline - now)
            self.fixed_left -= spent
            self.left -= spent
            self.fixed_end = max(self.fixed_end, now + spent)
            self.sittings.append((person, now, None, spent, Manner(effort, 1.0, self._who(person))))
            return True, now + spent
        if now < self.fixed_end:  # others are still at what comes before the first item
            return False, self.fixed_end
        return self._next_items(person, now, opens, closes, effort)

    def _next_items(
        self, person: int, now: float, opens: float, closes: float, effort: float
    ) -> tuple[bool, float]:
        for line in self.lines:
            here = line.here(now)
            if here <= line.next:
                continue
            pace = self._pace(now)
            manner = Manner(effort / pace, pace, self._who(person))
            limit = min(self.left, self.deadline - now)
            room = min(self.desk.sitting, closes - now, limit)
            batch = line.fitting(manner, here, room, self.desk.sitting_items)
            if batch.last == batch.first:  # not even one
                sums = line.sums(manner)
                one = sums[line.next + 1] - sums[line.next]
                if one > limit * ROUNDING:
                    self.over = True
                    return False, inf
                if one > (closes - now) * ROUNDING and now > opens:
                    return False, self.hours.after(now)
                batch = Batch(line, line.next, line.next + 1, one)
            line.next = batch.last
            self.left -= batch.minutes
            self.sittings.append((person, now, batch, batch.minutes, manner))
            return True, now + batch.minutes
        return False, min((line.coming() for line in self.lines), default=inf)

    def _who(self, person: int) -> int:
        """Who somebody is, where it matters."""
        return person if self.desk.skill_sd else 0

    def _pace(self, now: float) -> float:
        desk = self.desk
        if not desk.hurry or desk.people == "unlimited":
            return 1.0
        pressure = 0.0
        if desk.arrivals is not None:
            waiting = sum(line.here(now) - line.next for line in self.lines)
            pressure = waiting / (desk.people * desk.backlog)
        if desk.deadline is not None:
            usual = Manner()
            work = 0.0
            for line in self.lines:
                sums = line.sums(usual)
                work += sums[line.here(now)] - sums[line.next]
            left = desk.people * self.hours.between(now, self.deadline)
            pressure = max(pressure, work / max(left, 1e-9))
        return desk.pace(pressure)

    def _timetable(self) -> Timetable:
        size = self.arrival.size
        started, finished = np.full(size, np.nan), np.full(size, np.nan)
        manner = np.zeros(size, dtype=np.int64)
        manners: dict[Manner, int] = {Manner(): 0}
        nothing = np.zeros(0, dtype=np.int64)
        told = []
        for person, start, batch, spent, how in self.sittings:
            items = nothing
            if batch is not None:
                items = batch.line.items[batch.first : batch.last]
                sums = batch.line.sums(how)
                begun = sums[batch.first]
                started[items] = np.subtract(sums[batch.first : batch.last], begun) + start
                finished[items] = np.subtract(sums[batch.first + 1 : batch.last + 1], begun) + start
                manner[items] = manners.setdefault(how, len(manners))
            told.append(Sitting(person, start, spent, how, items))
        return Timetable(
            sittings=tuple(told),
            start=self.start,
            arrival=self.arrival,
            started=started,
            finished=finished,
            manner=manner,
            manners=tuple(manners),
            fixed=self.fixed - self.fixed_left,
        )
