"""Consultancy: one copy of the strong model argues for one answer (Irving et al. 2018; Khan et al.
2024)."""

from __future__ import annotations

from typing import ClassVar

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
    Switch,
    Tries,
    Verdicts,
    Whole,
    exchange,
    judged,
    pushes,
)


class Consultancy(Mechanism, Arguing):
    """A consultant argues for one side for `turns` turns; then the judge decides.

    A fair coin assigns the side. If `open`, it is the side that the consultant believes. With a
    perfect model, one candidate and a judge who knows nothing, P(right) = Phi(c mu sqrt(T)) (MODEL
    5).
    """

    name: ClassVar[str] = "consultancy"
    citation: ClassVar[str] = "Khan et al. 2024, arXiv 2402.06782"
    tries: ClassVar[Tries] = {
        "turns": (1, 3, 6),
        "candidates": (1, 4),
        "open": (False, True),
    }

    turns: Whole = Field(3, le=1000)
    open: Switch = Field(False, description="the consultant argues for what it believes")
    judge: OverseerSlot = Human()
    consultant: AgentSlot = Model()

    @property
    def assigns_sides(self) -> bool:
        return not self.open

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        chance = self.chance(claims)
        side = self.consultant.believe(claims) if self.open else chance.coin("side")
        sides = {"consultant": side}
        heard = exchange(
            self.consultant, self.judge, claims, sides, self.turns, self, chance, evidence
        )
        verdicts = judged(self.judge, claims, heard, self.turns, self.candidates)
        if not claims.traced:
            return verdicts
        facts = {"the consultant argues for": side, **pushes(heard)}
        return verdicts.with_trace(f"consultancy of {self.turns} turns", facts)
