"""Days planned with the minutes that items are expected to take, and whether they took them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from oversight.core.claims import FloatArray, Verdicts
from oversight.desk.queue import Manner, MinutesOf, ready_times
from oversight.desk.settings import Desk
from oversight.desk.simulation import simulate
from oversight.desk.timetable import Timetable
from oversight.worlds.base import Pool


@dataclass(frozen=True)
class Plan:
    """Days as they were planned.

    timetable  who works on what when
    minutes    by item, what it takes in its sitting by the plan
    calls      by item, the model calls that people wait for
    """

    timetable: Timetable
    minutes: FloatArray
    calls: FloatArray


@dataclass(frozen=True)
class Planner:
    """Plans the days of a desk for the items of a pool.

    fixed  minutes that come before the first item
    """

    desk: Desk
    pool: Pool
    fixed: float

    @cached_property
    def variation(self) -> FloatArray:
        """By item, what its minutes are multiplied by: gamma with mean 1 and the desk's coefficient
        of variation, so that 1 is exponential (MODEL 7)."""
        items, spread = self.pool.draws.items, self.desk.variation
        if not spread:
            return np.ones(items)
        shape = spread**-2
        luck = self.pool.draws.generator("desk", "variation")
        return np.asarray(luck.gamma(shape, 1 / shape, items))

    def by_pace(self, usual: Verdicts) -> Plan:
        """Days planned with the minutes that items take at full effort, shorter by pace alone."""

        def minutes(manner: Manner) -> FloatArray:
            return np.asarray(usual.minutes / manner.pace * self.variation)

        table = self._days(minutes, usual.calls, by_pace=True)
        return Plan(table, usual.minutes / table.pace * self.variation, usual.calls)

    def by_manner(
        self, usual: Verdicts, judged: Callable[[Manner], Verdicts]
    ) -> tuple[Plan, Verdicts]:
        """Days in which every sitting is planned with what items take in its manner, and the
        verdicts by item that sittings give so.

        usual   minutes and calls at full effort
        judged  verdicts on every item, all worked on in a manner
        """
        verdicts: dict[Manner, Verdicts] = {}

        def minutes(manner: Manner) -> FloatArray:
            if manner not in verdicts:
                verdicts[manner] = judged(manner)
            return verdicts[manner].minutes * self.variation

        table = self._days(minutes, usual.calls)
        alone = by_sitting(table, verdicts)
        return Plan(table, alone.minutes * self.variation, usual.calls), alone

    def takes_as_planned(self, plan: Plan, verdicts: Verdicts) -> bool:
        """Whether the items that are done take the minutes that they were planned with."""
        done = plan.timetable.done
        return same_minutes((verdicts.minutes * self.variation)[done], plan.minutes[done])

    def holds(self, plan: Plan, verdicts: Verdicts) -> bool:
        """Whether items take the minutes that they were planned with, after as many model calls
        as were planned."""
        if not self.takes_as_planned(plan, verdicts):
            return False
        return not self.desk.model_minutes or np.array_equal(verdicts.calls, plan.calls)

    def _days(self, minutes: MinutesOf, calls: FloatArray, by_pace: bool = False) -> Timetable:
        desk, draws = self.desk, self.pool.draws
        arrival = np.full(draws.items, 60.0 * desk.start)
        if desk.arrivals is not None:
            gaps = draws.column("standard_exponential", 0, "desk", "arrivals")
            arrival = arrival + np.cumsum(gaps) * (60 / desk.arrivals)
        ready = ready_times(arrival, desk.model_minutes * calls, desk.model_servers)
        urgent = np.zeros(draws.items, dtype=np.bool_)
        if desk.urgent:
            urgent = draws.column("random", 0, "desk", "urgent") < desk.urgent
        return simulate(desk, minutes, self.fixed, arrival, ready, urgent, by_pace)


def same_minutes(charged: FloatArray, planned: FloatArray) -> bool:
    """Whether minutes are equal but for rounding.

    >>> same_minutes(np.array([12.0]), np.array([12.0 + 1e-12]))
    True
    """
    return np.allclose(charged, planned, rtol=1e-9, atol=0)


def by_sitting(table: Timetable, verdicts: Mapping[Manner, Verdicts]) -> Verdicts:
    """By item, the verdict in the manner in which it was worked on; 0 and no label where nobody
    worked on it."""
    items = table.manner.size
    evidence, prior, minutes, calls, disagreement = (np.zeros(items) for _ in range(5))
    labeled, overridden = (np.zeros(items, dtype=np.bool_) for _ in range(2))
    for row, manner in enumerate(table.manners):
        at = np.flatnonzero((table.manner == row) & table.done)
        if at.size:
            own = verdicts[manner]
            evidence[at], prior[at] = own.evidence[at], own.prior[at]
            minutes[at], calls[at], labeled[at] = own.minutes[at], own.calls[at], own.labeled[at]
            overridden[at], disagreement[at] = own.overridden[at], own.disagreement[at]
    return Verdicts(evidence, prior, minutes, calls, labeled, None, overridden, disagreement)
