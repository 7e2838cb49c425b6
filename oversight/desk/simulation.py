"""The working days of the people of one protocol, as a discrete-event simulation: an event a
sitting, never an item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from math import inf

import simpy

from oversight.core.claims import BoolArray, FloatArray
from oversight.desk.hours import Hours
from oversight.desk.queue import ROUNDING, USUAL, Manner, MinutesOf, Queue, queues
from oversight.desk.settings import Desk
from oversight.desk.timetable import Sitting, Timetable, timetable


def simulate(
    desk: Desk,
    minutes: MinutesOf,
    fixed: float,
    arrival: FloatArray,
    ready: FloatArray,
    urgent: BoolArray,
    by_pace: bool = False,
) -> Timetable:
    """The days that it takes to label these items, or as many as budget and deadline allow.

    minutes  by item, for whoever works in a given manner
    fixed    minutes to be spent before the first item
    arrival, ready  by item, when it comes and when people can begin with it, in minutes from the
             first midnight
    urgent   by item, whether it goes first
    by_pace  whether minutes depend on a manner's pace alone
    """
    waiting = queues(ready, urgent, minutes, by_pace)
    work = _Simulation(desk, waiting, fixed)
    work.run()
    return timetable(work.log, waiting, arrival, work.hours.start, fixed - work.fixed_left)


Events = Generator[simpy.Event, None, None]
Next = tuple[bool, float]
"""What somebody does next: (True, until when they work), or (False, when to ask again; inf for
never)."""


class _Simulation:
    """People, what waits for them, and what they may still spend; minutes throughout."""

    def __init__(self, desk: Desk, waiting: list[Queue], fixed: float) -> None:
        self.desk, self.waiting = desk, waiting
        self.hours = Hours(60 * desk.start, 60 * desk.hours_per_day)
        self.deadline = inf if desk.deadline is None else 60 * desk.deadline
        self.left = inf if desk.hours is None else 60 * desk.hours
        self.fixed_left, self.fixed_end = fixed, self.hours.start
        self.over = False
        self.log: list[Sitting] = []
        # What every sitting asks for, out of the settings' reach: there are many.
        self._sitting, self._most = desk.sitting, desk.sitting_items
        self._hurried = desk.hurry > 0 and desk.people != "unlimited"
        self._hurried &= desk.arrivals is not None or desk.deadline is not None
        self._manners = _Manners(desk, waiting, self.hours, self.deadline)

    def run(self) -> None:
        """Let everybody work until there is nothing left to do, or to spend."""
        environment = simpy.Environment(initial_time=self.hours.start)
        if self.desk.people == "unlimited":
            environment.process(self._fresh_people(environment))
        else:
            for person in range(self.desk.people):
                environment.process(self._person(environment, person))
        environment.run()

    def _person(self, environment: simpy.Environment, person: int) -> Events:
        """One person's days: sittings, and breaks after enough of them."""
        worked, rest = 0.0, self.desk.break_minutes
        enough = inf if self.desk.break_after is None else self.desk.break_after
        timeout, next_sitting = environment.timeout, self._next_sitting
        while not self.over:
            now = environment.now
            works, until = next_sitting(person, now, worked)
            if works:
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

    def _fresh_people(self, environment: simpy.Environment) -> Events:
        """Somebody fresh for every sitting that can begin."""
        person = 0
        while not self.over:
            works, until = self._next_sitting(person, environment.now, 0.0)
            if works:
                person += 1
            elif until == inf:
                return
            else:
                yield environment.timeout(until - environment.now)

    def _next_sitting(self, person: int, now: float, worked: float) -> Next:
        """Give somebody who has worked for so long without rest a sitting, if there is one."""
        opens, closes = self.hours.window(now)
        if now < opens:
            return False, opens
        if now >= self.deadline or (self.left <= 0 and self.fixed_left > 0):
            return self._end()
        if self.fixed_left > 0:
            return self._fixed_work(person, now, closes, worked)
        if now < self.fixed_end:  # others are still at what comes before the first item
            return False, self.fixed_end
        for queue in self.waiting:
            if (arrived := queue.arrived(now)) > queue.next:
                pace = self._manners.pace(now) if self._hurried else 1.0
                manner = self._manners.at(worked, pace, person)
                return self._items(queue, arrived, person, now, closes, manner)
        return False, min((queue.next_ready() for queue in self.waiting), default=inf)

    def _fixed_work(self, person: int, now: float, closes: float, worked: float) -> Next:
        """A sitting of what is paid before any item; it can be cut anywhere."""
        room = min(self._sitting, self.fixed_left, self.left, closes - now)
        spent = min(room, self.deadline - now)
        self.fixed_left -= spent
        self.left -= spent
        self.fixed_end = max(self.fixed_end, now + spent)
        manner = self._manners.at(worked, 1.0, person)
        self.log.append(Sitting(person, now, spent, manner))
        return True, now + spent

    def _items(
        self, queue: Queue, arrived: int, person: int, now: float, closes: float, manner: Manner
    ) -> Next:
        """A sitting of as many items as fit into it, at least one; none where that one has to wait
        for the morning or will never fit."""
        sums, first = queue.sums(manner), queue.next
        limit = min(self.left, self.deadline - now)
        room = min(self._sitting, closes - now, limit)
        stop = bisect_right(sums, (sums[first] + room) * ROUNDING, first, arrived + 1) - 1
        if self._most is not None:
            stop = min(stop, first + self._most)
        if stop <= first:  # not even one fits
            one = sums[first + 1] - sums[first]
            if one > limit * ROUNDING:
                return self._end()
            if one > (closes - now) * ROUNDING and now > self.hours.window(now)[0]:
                return False, self.hours.after(now)
            stop = first + 1
        spent = sums[stop] - sums[first]
        queue.next = stop
        self.left -= spent
        self.log.append(Sitting(person, now, spent, manner, queue, first, stop))
        return True, now + spent

    def _end(self) -> Next:
        """Nobody begins anything any more: budget or deadline has run out."""
        self.over = True
        return False, inf


class _Manners:
    """How people work at the moment: effort by how long they have worked, pace by how far they are
    behind (MODEL 7)."""

    def __init__(self, desk: Desk, waiting: list[Queue], hours: Hours, deadline: float) -> None:
        self.desk, self.waiting, self.hours, self.deadline = desk, waiting, hours, deadline
        self._differ = desk.skill_sd > 0
        self._manners: dict[tuple[float, float, int], Manner] = {}

    def at(self, worked: float, pace: float, person: int) -> Manner:
        """The manner of a person after so many minutes without rest, at this pace."""
        key = (worked, pace, person if self._differ else 0)
        manner = self._manners.get(key)
        if manner is None:
            effort = self.desk.effort(worked)
            manner = self._manners[key] = Manner(effort / pace, pace, key[2])
        return manner

    def pace(self, now: float) -> float:
        """How fast people work: faster by as much as they are behind, in the backlog or before the
        deadline."""
        desk, pressure = self.desk, 0.0
        assert desk.people != "unlimited"
        if desk.arrivals is not None:
            backlog = sum(queue.arrived(now) - queue.next for queue in self.waiting)
            pressure = backlog / (desk.people * desk.backlog)
        if desk.deadline is not None:
            work = 0.0
            for queue in self.waiting:
                sums = queue.sums(USUAL)
                work += sums[queue.arrived(now)] - sums[queue.next]
            left = desk.people * self.hours.between(now, self.deadline)
            pressure = max(pressure, work / max(left, 1e-9))
        return desk.pace(pressure)
