"""A protocol whose people sit at a desk: its verdicts with people as attentive as a plan says."""

from __future__ import annotations

import numpy as np

from oversight.components.assessing import assessed
from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.components.wrappers import as_role
from oversight.core.claims import Claims, Verdicts
from oversight.desk.human_factors import Team, attending, seated
from oversight.desk.queue import Manner
from oversight.desk.settings import Desk
from oversight.desk.timetable import Timetable
from oversight.overseers.recording import Tape, recorded
from oversight.worlds.base import Pool

FEW = 16
"""Items that are judged to see whether all take the same."""


class Workplace:
    """A protocol at a desk, for as long as its work is being planned.

    The protocol is prepared once for each effort that people may have before the first item.
    Whatever agents argue in verdicts is noted on `tape`.
    """

    def __init__(self, protocol: Overseer, desk: Desk, pool: Pool, setting: Setting) -> None:
        self.protocol, self.desk, self.pool, self.setting = protocol, desk, pool, setting
        self.team, self.tape = Team(desk, pool), Tape(pool)
        self._prepared: dict[float | None, Overseer] = {}
        self._full_effort: Verdicts | None = None

    def rested(self) -> Overseer:
        """The protocol, prepared by people at full effort, who stay so."""
        return self._prepared_with(None)

    def at_full_effort(self) -> Verdicts:
        """Verdicts on every item by people at full effort."""
        if self._full_effort is None:
            self._full_effort = assessed(self.rested(), self.pool.roots)
        return self._full_effort

    def of_a_few(self) -> Verdicts | None:
        """Minutes and calls of every item at full effort, if a few items all take the same; whoever
        uses them must look whether they held. None if the few differ."""
        items = self.pool.draws.items
        few = assessed(self.rested(), Claims.of(np.arange(min(FEW, items))))
        if np.ptp(few.minutes) or np.ptp(few.calls):
            return None
        return Verdicts.of(np.zeros(items), 0.0, few.minutes[0], few.calls[0])

    def in_manner(self, manner: Manner, before: float) -> Verdicts:
        """Verdicts on every item by people who all work in one manner, after preparing with the
        effort `before`."""
        people = attending(self._prepared_with(before), self.team.in_manner(manner))
        return assessed(people, self.pool.roots)

    def as_planned(self, table: Timetable) -> Verdicts:
        """Verdicts on every item by people as they are in its sitting."""
        nobody_tired = table.fixed_effort == 1.0 and not table.manner.any()
        everything = table.done.all() and nobody_tired and not self.desk.skill_sd
        if everything or not table.done.any():
            return self.at_full_effort()
        people = attending(self._prepared_with(table.fixed_effort), self.team.as_planned(table))
        return assessed(people, self.pool.roots)

    def _prepared_with(self, effort: float | None) -> Overseer:
        """The protocol, prepared by middling people of this effort; None for rested ones."""
        if effort not in self._prepared:
            attention = self.team.rested() if effort is None else self.team.middling(effort)
            protocol = seated(self.protocol, attention, self.desk.automation_bias)
            prepared = as_role(protocol.prepare(self.pool, self.setting), Overseer)
            # Recorders come after: what agents argue while preparing is not about the items.
            self._prepared[effort] = recorded(prepared, self.tape)
        return self._prepared[effort]
