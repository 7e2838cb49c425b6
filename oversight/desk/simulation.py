"""The working days of the people of one protocol, as a discrete-event simulation: an event a
sitting, never an item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import simpy

from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.desk.hours import Hours
from oversight.desk.queue import ROUNDING, Line, Manner, MinutesOf, lines
from oversight.desk.settings import Desk

Taken = tuple[int, float, Line | None, int, int, float, Manner]
"""A sitting as it is noted: person, start, line (None for work paid before any item), from which
place in it to which, minutes, manner."""


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

    start     when the people began, and when the last sitting was over
    arrival, started, finished   by item; NaN where nobody worked on it
    manner    by item, its place in `manners`; 0 where nobody worked on it
    fixed     minutes spent before any item, of those asked for, and their mean effort (1 if none)
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
    _taken: tuple[Taken, ...]

    @property
    def done(self) -> BoolArray:
        """Whether each item was worked on to its end."""
        return ~np.isnan(self.finished)

    @property
    def sittings(self) -> tuple[Sitting, ...]:
        """Every sitting, in the order in which they began."""
        nothing = np.zeros(0, dtype=np.int64)
        return tuple(
            Sitting(who, start, spent, how, line.items[first:last] if line else nothing)
            for who, start, line, first, last, spent, how in self._taken
        )


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
        self.taken: list[Taken] = []
        # What every sitting asks for, out of the settings' reach: there are many.
        self._sitting, self._most = desk.sitting, desk.sitting_items
        self._hurried = desk.hurry > 0 and desk.people != "unlimited"
        self._hurried &= desk.arrivals is not None or desk.deadline is not None
        self._manners: dict[tuple[float, float, int], Manner] = {}
        self._efforts: dict[float, float] = {}

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
        enough = inf if self.desk.break_after is None else self.desk.break_after
        timeout, take = environment.timeout, self._take
        while not self.over:
            now = environment.now
            took, until = take(person, now, worked)
            if took:
                worked += until - now
                if worked >= enough:
                    until += rest
                    worked = 0.0
                yield timeout(until - now)
            elif until == inf:
                return
            else:
                worked = 0.0 if until - now >= rest else worked
                yield timeout(until - now)

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
        if self.fixed_left > 0:
            room = min(self._sitting, self.fixed_left, self.left, closes - now)
            spent = min(room, self.deadline - now)
            self.fixed_left -= spent
            self.left -= spent
            self.fixed_end = max(self.fixed_end, now + spent)
            manner = self._manner(worked, 1.0, person)
            self.taken.append((person, now, None, 0, 0, spent, manner))
            return True, now + spent
        if now < self.fixed_end:  # others are still at what comes before the first item
            return False, self.fixed_end
        return self._next_items(person, now, opens, closes, worked)

    def _next_items(
        self, person: int, now: float, opens: float, closes: float, worked: float
    ) -> tuple[bool, float]:
        for line in self.lines:
            here, first = line.here(now), line.next
            if here <= first:
                continue
            manner = self._manner(worked, self._pace(now) if self._hurried else 1.0, person)
            sums = line.sums(manner)
            limit = min(self.left, self.deadline - now)
            room = min(self._sitting, closes - now, limit)
            last = bisect_right(sums, (sums[first] + room) * ROUNDING, first, here + 1) - 1
            if self._most is not None:
                last = min(last, first + self._most)
            if last <= first:  # not even one fits
                one = sums[first + 1] - sums[first]
                if one > limit * ROUNDING:
                    self.over = True
                    return False, inf
                if one > (closes - now) * ROUNDING and now > opens:
                    return False, self.hours.after(now)
                last = first + 1
            spent = sums[last] - sums[first]
            line.next = last
            self.left -= spent
            self.taken.append((person, now, line, first, last, spent, manner))
            return True, now + spent
        return False, min((line.coming() for line in self.lines), default=inf)

    def _manner(self, worked: float, pace: float, person: int) -> Manner:
        effort = self._efforts.get(worked)
        if effort is None:
            effort = self._efforts[worked] = self.desk.effort(worked)
        key = (effort, pace, person if self.desk.skill_sd else 0)
        if key not in self._manners:
            self._manners[key] = Manner(effort / pace, pace, key[2])
        return self._manners[key]

    def _pace(self, now: float) -> float:
        desk = self.desk
        assert desk.people != "unlimited"
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
        places = {Manner(): 0}
        for taken in self.taken:
            places.setdefault(taken[6], len(places))
        for line in self.lines:
            mine = [taken for taken in self.taken if taken[2] is line]
            if not mine:
                continue
            # Sittings of a line follow each other: one array over its items, up to the last.
            long = np.array([taken[4] - taken[3] for taken in mine])
            begun = np.repeat([taken[1] for taken in mine], long)
            first = np.repeat([taken[3] for taken in mine], long)
            how = np.repeat([places[taken[6]] for taken in mine], long)
            at, items = np.arange(long.sum()), line.items[: long.sum()]
            used = [known for known in places if known in line.known]
            sums = np.zeros((len(places), len(line.items) + 1))
            for known in used:
                sums[places[known]] = line.known[known]
            started[items] = begun + (sums[how, at] - sums[how, first])
            finished[items] = begun + (sums[how, at + 1] - sums[how, first])
            manner[items] = how
        before = [(taken[5], taken[6].effort) for taken in self.taken if taken[2] is None]
        fixed = self.fixed - self.fixed_left
        mean = sum(spent * effort for spent, effort in before) / fixed if fixed else 1.0
        return Timetable(
            start=self.start,
            end=max((taken[1] + taken[5] for taken in self.taken), default=self.start),
            arrival=self.arrival,
            started=started,
            finished=finished,
            manner=manner,
            manners=tuple(places),
            fixed=fixed,
            fixed_effort=mean,
            _taken=tuple(self.taken),
        )
