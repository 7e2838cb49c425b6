"""A protocol whose people sit at a desk: an overseer like any other, which labels what its people
get done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from pydantic import Field, PrivateAttr

from oversight.components.component import Component, Cost
from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.components.wrappers import OverseerWrapper, as_role, rewrite
from oversight.core.claims import Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.desk.human_factors import Seated, Shift, criterion, skills
from oversight.desk.queue import USUAL, Manner, ready_times
from oversight.desk.settings import Desk
from oversight.desk.simulation import simulate
from oversight.desk.timetable import Timetable
from oversight.overseers.perception import Attention
from oversight.overseers.recording import recorded
from oversight.worlds.base import Pool

FEW = 16
"""Items that are asked about to see whether all take the same."""


class Staffed(OverseerWrapper):
    """A protocol at a desk. Items wait in line, people take them in sittings, with the effort that
    they have when they sit down; labels are what the protocol says of an item with that effort.

    First the day is planned with the minutes that items take at full effort. Then the protocol
    assesses every item, with each person as attentive as at that time. Where minutes depend on
    effort (who is unsure asks on), the plan does not hold: then every sitting is planned with what
    the protocol says at that effort.
    """

    desk: Desk = Field(Desk(), exclude=True)
    log: Any = Field(None, exclude=True)

    _pool: Pool | None = None
    _setting: Setting | None = None
    _criterion: FloatArray | None = None
    _variation: FloatArray | float = 1.0
    _first: Overseer | None = None
    _full: Verdicts | None = None
    _verdicts: Verdicts | None = None
    _timetable: Timetable | None = None
    _spent: tuple[float, float] = (0.0, 0.0)
    _known: dict[Manner, Verdicts] = PrivateAttr(default_factory=dict)

    @property
    def timetable(self) -> Timetable:
        """Who worked on what when."""
        self._worked()
        assert self._timetable is not None
        return self._timetable

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        staffed = self.model_copy()
        staffed._pool, staffed._setting = pool, setting
        staffed._criterion = criterion(self.desk, pool)
        staffed._variation = _varied(self.desk, pool)
        staffed._verdicts, staffed._full, staffed._known = None, None, {}
        staffed._first = staffed._people_at(None, None)
        return staffed

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if evidence is not None or np.any(claims.node != 0):
            raise TypeError("a desk labels items: it is asked about their own questions alone")
        whole, at = self._worked(), np.broadcast_to(claims.item, claims.shape)
        assert self._pool is not None
        if claims.whole:
            return whole
        return Verdicts(
            whole.evidence[at],
            whole.prior[at],
            whole.minutes[at],
            whole.calls[at],
            whole.labeled[at],
        )

    def fixed_cost(self) -> Cost:
        """What was paid before any item, of what the protocol asked for."""
        self._worked()
        return Cost(*self._spent)

    def _worked(self) -> Verdicts:
        if self._verdicts is None:
            self._verdicts = self._work()
        return self._verdicts

    def _work(self) -> Verdicts:
        assert self._first is not None
        fixed, fixed_calls = self._first.fixed_cost()
        usual = self._guessed()
        plan = self._planned(self._at_usual(usual), fixed, usual)
        said = self._said(plan)
        if not self._holds(plan, said, usual):  # what a few items took was no rule
            usual = self._unhurried
            plan = self._planned(self._at_usual(usual), fixed, usual)
            said = self._said(plan)
        expected = usual.minutes / self._paces(plan) * self._variation
        if not self._holds(plan, said, usual):
            before = plan
            plan = self._planned(lambda manner: self._minutes(manner, before), fixed, usual)
            expected = self._picked(plan, "minutes") * self._variation
            said = self._said(plan)
            if not self._fits((said.minutes * self._variation)[plan.done], expected[plan.done]):
                said = replace(  # the protocol compares items: take what the sittings were told
                    said,
                    evidence=self._picked(plan, "evidence"),
                    prior=self._picked(plan, "prior"),
                    calls=self._picked(plan, "calls"),
                    labeled=self._picked(plan, "labeled").astype(np.bool_),
                )
        self._timetable = plan
        self._spent = (plan.fixed, fixed_calls if plan.fixed >= fixed else 0.0)
        return replace(
            said,
            minutes=np.where(plan.done, expected, 0.0),
            calls=np.where(plan.done, said.calls, 0.0),
            labeled=said.labeled & plan.done,
            trace=None,
        )

    @property
    def _unhurried(self) -> Verdicts:
        """What the protocol says of every item at full effort."""
        assert self._first is not None
        if self._full is None:
            self._full = self._first.assess(self._roots())
        return self._full

    def _guessed(self) -> Verdicts:
        """The same, as far as minutes and calls go: what a few items take, if they all take the
        same; whoever uses it must look whether it held."""
        assert self._first is not None
        items = self._draws().items
        few = self._first.assess(Claims.of(np.arange(min(FEW, items))))
        if np.ptp(few.minutes) or np.ptp(few.calls):
            return self._unhurried
        nothing = np.zeros(items)
        return Verdicts.of(nothing, 0.0, few.minutes[0], few.calls[0])

    def _at_usual(self, usual: Verdicts) -> Callable[[Manner], FloatArray]:
        return lambda manner: np.asarray(usual.minutes / manner.pace * self._variation)

    def _holds(self, plan: Timetable, said: Verdicts, usual: Verdicts) -> bool:
        """Whether a plan was made with the minutes that items took, and the calls they waited
        for."""
        charged = said.minutes * self._variation
        expected = usual.minutes / self._paces(plan) * self._variation
        done = plan.done
        if not self._fits(charged[done], expected[done]):
            return False
        return not self.desk.model_minutes or np.array_equal(said.calls, usual.calls)

    def _fits(self, charged: FloatArray, expected: FloatArray) -> bool:
        """Whether items took the minutes that they were planned with."""
        return np.allclose(charged, expected, rtol=1e-9, atol=0)

    def _planned(self, minutes: Any, fixed: float, usual: Verdicts) -> Timetable:
        desk, draws = self.desk, self._draws()
        arrival = np.full(draws.items, 60.0 * desk.start)
        if desk.arrivals is not None:
            gaps = draws.column("standard_exponential", 0, "desk", "arrivals")
            arrival = arrival + np.cumsum(gaps) * (60 / desk.arrivals)
        ready = ready_times(arrival, desk.model_minutes * usual.calls, desk.model_servers)
        urgent = np.zeros(draws.items, dtype=np.bool_)
        if desk.urgent:
            urgent = draws.column("random", 0, "desk", "urgent") < desk.urgent
        return simulate(desk, minutes, fixed, arrival, ready, urgent)

    def _said(self, plan: Timetable) -> Verdicts:
        """What the protocol says of every item, with people as they were at that time."""
        nobody = not plan.done.any()
        if nobody or (plan.done.all() and self._alike(plan) and plan.fixed_effort == 1.0):
            return self._unhurried
        attention = self._attention(plan.manners, plan)
        return self._people_at(self._before(plan), attention).assess(self._roots())

    def _alike(self, plan: Timetable) -> bool:
        """Whether everybody worked in the usual manner, and nobody is special."""
        return set(np.unique(plan.manner)) <= {0} and not self.desk.skill_sd

    def _minutes(self, manner: Manner, before: Timetable) -> FloatArray:
        """By item, what it takes people who all work in this manner."""
        if manner not in self._known:
            attention = self._attention((manner,))
            people = self._people_at(self._before(before), attention)
            self._known[manner] = people.assess(self._roots())
        return self._known[manner].minutes * self._variation

    def _picked(self, plan: Timetable, what: str) -> FloatArray:
        """By item, what the protocol says of it with everybody in the manner in which it was
        worked on."""
        found = np.zeros(plan.manner.shape)
        for row, manner in enumerate(plan.manners):
            here = (plan.manner == row) & plan.done
            if here.any():
                found[here] = getattr(self._known[manner], what)[here]
        return found

    def _paces(self, plan: Timetable) -> FloatArray:
        return np.array([manner.pace for manner in plan.manners])[plan.manner]

    def _before(self, plan: Timetable) -> Attention | None:
        """People's attention to what is paid before any item."""
        return self._attention((Manner(plan.fixed_effort),), skilled=False)

    def _attention(
        self, manners: tuple[Manner, ...], plan: Timetable | None = None, skilled: bool = True
    ) -> Attention:
        """Attention in these manners, each item in its own by a plan, or all in the first; of these
        very people, or of middling ones."""
        assert self._pool is not None
        items = self._draws().items
        return Attention(
            row=np.zeros(items, dtype=np.int64) if plan is None else plan.manner,
            effort=np.array([manner.effort for manner in manners]),
            pace=np.array([manner.pace for manner in manners]),
            skill=skills(self.desk, self._pool, manners) if skilled else np.zeros(len(manners)),
            skill_sd=self.desk.skill_sd if skilled else 0.0,
            criterion=self._criterion,
            done=np.ones(items, dtype=np.bool_) if plan is None else plan.done,
        )

    def _people_at(self, before: Attention | None, during: Attention | None) -> Overseer:
        """The protocol, prepared by people of one attention, for people of another."""
        assert self._pool is not None
        assert self._setting is not None
        if before is None and self._criterion is not None:
            before = during = self._attention((USUAL,), skilled=False)
        shift = Shift(before)
        risk = self.desk.automation_bias

        def seated(person: Component) -> Component:
            return Seated(inner=person, shift=shift, relative_risk=risk)

        protocol = rewrite(as_role(self.inner, Component), "people", seated)
        prepared = protocol.prepare(self._pool, self._setting)
        shift.attention = during
        prepared = as_role(prepared, Overseer)
        return prepared if self.log is None else recorded(prepared, self.log)

    def _roots(self) -> Claims:
        assert self._pool is not None
        return self._pool.roots

    def _draws(self) -> Any:
        assert self._pool is not None
        return self._pool.draws


def _varied(desk: Desk, pool: Pool) -> FloatArray | float:
    """By item, what its minutes are multiplied by: 1 on average."""
    if not desk.variation:
        return 1.0
    shape = desk.variation**-2
    luck = pool.draws.generator("desk", "variation")
    return np.asarray(luck.gamma(shape, 1 / shape, pool.draws.items))
