"""Who argued for what while a protocol gave its verdicts."""

from __future__ import annotations

import numpy as np
from pydantic import Field, SkipValidation

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.wrappers import as_role, inner_of
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.metrics.agent_score import Defended
from oversight.overseers.agent import Agent
from oversight.overseers.persuasion import Arguing
from oversight.overseers.roles import RoleWrapper
from oversight.worlds.base import Pool


class Tape:
    """What agents argued for on the items of a pool, as far as it was recorded."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.truth = np.zeros(pool.draws.items, dtype=np.bool_)
        self.falsehood = np.zeros(pool.draws.items, dtype=np.bool_)

    def note(self, claims: Claims, side: BoolArray) -> None:
        """Somebody argued for these sides of these claims."""
        item = np.broadcast_to(claims.item, claims.shape)
        true = self.pool.truth(claims) == side
        self.truth[item[true]] = True
        self.falsehood[item[~true]] = True

    def note_both(self, claims: Claims) -> None:
        """Both sides of these claims were argued for."""
        self.truth[claims.item] = self.falsehood[claims.item] = True

    @property
    def defended(self) -> Defended:
        """What was recorded so far."""
        return Defended(self.truth.copy(), self.falsehood.copy())


class Recorder(RoleWrapper):
    """An agent whose sides are recorded, and who is otherwise the same."""

    tape: SkipValidation[Tape | None] = Field(None, exclude=True, repr=False)

    def _note(self, claims: Claims, side: BoolArray) -> None:
        if self.tape is not None:
            self.tape.note(claims, side)

    def argue(
        self,
        claims: Claims,
        side: BoolArray,
        rounds: int,
        arguing: Arguing,
        chance: Chance,
        who: str,
        *,
        evidence: Evidence | None = None,
        judge: Overseer | None = None,
    ) -> Argument:
        self._note(claims, side)
        return super().argue(
            claims, side, rounds, arguing, chance, who, evidence=evidence, judge=judge
        )

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        argument = super().assist(claims, arguing, correlation, chance, *name)
        self._note(claims, argument.side)
        return argument

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        if self.tape is not None:  # whoever announces is disputed by the other side
            self.tape.note_both(claims)
        return super().announce(claims, value, chance, *name)


def recorded(protocol: Overseer, tape: Tape) -> Overseer:
    """A prepared protocol in which whatever agents argue from now on is noted on the tape."""

    def change(_: str, part: Component) -> Component:
        if inner_of(part, Agent) is not None:
            return Recorder(inner=part, tape=tape)
        return part.mapped(change)

    return as_role(change("", protocol), Overseer)
