"""A protocol whose people sit at a desk: an overseer like any other, which labels what its people
get done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from pydantic import Field

from oversight.components.assessing import paid_before
from oversight.components.component import Cost, Prepared
from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.components.wrappers import OverseerWrapper, as_role
from oversight.core.claims import ROOT, Claims, Verdicts
from oversight.core.evidence import Evidence
from oversight.desk.planning import Planner
from oversight.desk.settings import Desk
from oversight.desk.timetable import Timetable
from oversight.desk.workplace import Workplace
from oversight.metrics.agent_score import Defended
from oversight.worlds.base import Pool


@dataclass(frozen=True, kw_only=True)
class Worked(Prepared):
    """Work that is done. `cost` is what was paid before any item, of what the protocol asked for.

    verdicts   on the root claims of all items; minutes as charged; no label where nobody got to it
    timetable  who worked on what when
    defended   what agents argued for while the protocol judged items
    """

    verdicts: Verdicts
    timetable: Timetable
    defended: Defended


class Staffed(OverseerWrapper):
    """A protocol at a desk. Items wait in line, people take them in sittings, with the effort that
    they have when they sit down; labels are the protocol's verdicts on an item with that effort.
    The work is done when it is prepared."""

    desk: Desk = Field(Desk(), exclude=True)

    @property
    def worked(self) -> Worked:
        """The work that is done. Raises RuntimeError before that."""
        if not isinstance(self.prepared, Worked):
            raise RuntimeError("a desk: call prepare(pool, setting) before assess")
        return self.prepared

    @property
    def timetable(self) -> Timetable:
        """Who worked on what when."""
        return self.worked.timetable

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        protocol = as_role(self.inner, Overseer)
        return self.with_prepared(work(protocol, self.desk, pool, setting))

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if evidence is not None or np.any(claims.node != ROOT):
            raise TypeError("a desk labels items: it is asked about their own questions alone")
        verdicts = self.worked.verdicts
        if claims.whole:
            return verdicts
        at = np.broadcast_to(claims.item, claims.shape)
        return Verdicts(
            verdicts.evidence[at],
            verdicts.prior[at],
            verdicts.minutes[at],
            verdicts.calls[at],
            verdicts.labeled[at],
            overridden=verdicts.overridden[at],
            disagreement=verdicts.disagreement[at],
        )


def work(protocol: Overseer, desk: Desk, pool: Pool, setting: Setting) -> Worked:
    """Let a protocol's people label the items of a pool at a desk (MODEL 7).

    Minutes decide who works on what when, hence with which effort, and effort may change minutes:
    who is unsure asks on. So days are planned, the protocol judges every item with people as
    attentive as they are in its sitting, and the plan holds if items take the minutes that they
    were planned with.
    """
    place = Workplace(protocol, desk, pool, setting)
    fixed = paid_before(place.rested())
    planner = Planner(desk, pool, fixed.minutes)

    # 1. Plan with the minutes of items at full effort: those of a few items, if these are alike.
    few = place.of_a_few()
    usual = place.at_full_effort() if few is None else few
    plan = planner.by_pace(usual)
    verdicts = place.as_planned(plan.timetable)

    # 2. The few were not like all others: plan with the minutes of every item at full effort.
    if few is not None and not planner.holds(plan, verdicts):
        usual = place.at_full_effort()
        plan = planner.by_pace(usual)
        verdicts = place.as_planned(plan.timetable)

    # 3. Effort changes minutes: plan every sitting with what the protocol takes at its effort.
    if not planner.holds(plan, verdicts):
        before = plan.timetable.fixed_effort
        plan, alone = planner.by_manner(usual, lambda manner: place.in_manner(manner, before))
        verdicts = place.as_planned(plan.timetable)
        if not planner.takes_as_planned(plan, verdicts):  # the protocol compares items
            verdicts = alone

    done, paid = plan.timetable.done, plan.timetable.fixed
    charged = replace(
        verdicts,
        minutes=np.where(done, plan.minutes, 0.0),
        calls=np.where(done, verdicts.calls, 0.0),
        labeled=verdicts.labeled & done,
        trace=None,
    )
    cost = Cost(paid, fixed.calls if paid >= fixed.minutes else 0.0)
    defended = place.tape.defended
    return Worked(
        pool, setting, cost, verdicts=charged, timetable=plan.timetable, defended=defended
    )
