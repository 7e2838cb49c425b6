"""Critique: a strong model lists flaws, and the overseer judges with the list (Saunders et al.
2022)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight import (
    AgentSlot,
    Arguing,
    Claims,
    Evidence,
    Human,
    Mechanism,
    Model,
    OverseerSlot,
    Tries,
    Verdicts,
    Whole,
    exchange,
    judged,
    pushes,
)


class Critique(Mechanism, Arguing):
    """A critic argues `flaws` times that the claim is false, whatever it believes; then the judge
    decides.

    Real flaws are better argued than invented ones. With a perfect model, one candidate and a judge
    who knows nothing, P(right) = Phi(c mu sqrt(flaws)), as for a consultant. With many candidates
    the critic finds fault with everything.
    """

    name: ClassVar[str] = "critique"
    citation: ClassVar[str] = "Saunders et al. 2022, arXiv 2206.05802"
    tries: ClassVar[Tries] = {"flaws": (1, 3, 6), "candidates": (1, 4)}

    flaws: Whole = Field(3, le=1000, description="flaws that are listed")
    judge: OverseerSlot = Human()
    critic: AgentSlot = Model()

    @property
    def assigns_sides(self) -> bool:
        return True

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        sides = {"critic": np.zeros(claims.shape, dtype=np.bool_)}
        chance = self.chance(claims)
        heard = exchange(self.critic, self.judge, claims, sides, self.flaws, self, chance, evidence)
        verdicts = judged(self.judge, claims, heard, self.flaws, self.candidates)
        if not claims.traced:
            return verdicts
        return verdicts.with_trace(f"a critique of {self.flaws} flaws", pushes(heard))
