"""Failures of a decomposition: of those who check the parts, and of the gates that carry answers
up."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, Verdicts
from oversight.core.config import Amount, Share
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance
from oversight.failures.base import Failure, OverseerFailure
from oversight.overseers.aggregation import Checked
from oversight.worlds.base import Pool

CHECKERS = ("checker", "first", "then", "of", "by", "members")
"""Roles of who judges a part, or judges for somebody else to go on from."""


def wrong(verdicts: Verdicts, pool: Pool, claims: Claims, struck: BoolArray) -> Verdicts:
    """The verdicts with the wrong answer, stated as strongly as before, where `struck` (bool over
    claims)."""
    strength = np.abs(verdicts.evidence)
    lie = np.where(pool.truth(claims), -strength, strength)
    return replace(verdicts, evidence=np.where(struck, lie, verdicts.evidence))


class MaliciousLeaves(OverseerFailure):
    """Somebody who wants the whole to come out wrong answers some of the parts.

    In the literature the adversary picks the parts on which the whole turns. Here the parts are a
    random share, each by itself, pivotal or not: a real adversary does more harm with as many.
    """

    name: ClassVar[str] = "malicious_leaves"
    can_strike: ClassVar[tuple[str, ...]] = CHECKERS
    on: str | None = "checker"
    knob: ClassVar[str] = "share of checked claims that are answered wrongly on purpose"
    source: ClassVar[str] = "Brown-Cohen et al. 2025, on prover-estimator debate"
    most: Share = 0.5

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        return wrong(verdicts, self.pool, claims, self.strikes(claims))


class LostContext(OverseerFailure):
    """The checker sees too little of the whole to understand the part, and guesses."""

    name: ClassVar[str] = "lost_context"
    can_strike: ClassVar[tuple[str, ...]] = CHECKERS
    knob: ClassVar[str] = "share of checked claims that are guessed"
    source: ClassVar[str] = "Ought's factored cognition: workers who see 650 characters"
    on: str | None = "checker"
    most: Share = 1.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        strength = np.abs(verdicts.evidence)
        guess = np.where(self.chance(claims).coin("guess"), strength, -strength)
        return replace(verdicts, evidence=np.where(self.strikes(claims), guess, verdicts.evidence))


class CommonCause(OverseerFailure):
    """All checkers of an item make some errors together, however many they are. Errors of rate p
    with a common cause of share rho leave any number of votes wrong with chance rho p."""

    name: ClassVar[str] = "common_cause"
    can_strike: ClassVar[tuple[str, ...]] = ("checker",)
    knob: ClassVar[str] = "common errors, as a multiple of the checker's own error rate"
    source: ClassVar[str] = (
        "MODEL 8; Kim et al. 2025: two models that are both wrong give the same wrong answer in "
        "60 % of cases"
    )
    most: Amount = 4.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        nodes = claims.nodes
        rate = np.array([1 - self.reliability(int(node)) for node in nodes])
        often = self.strength(claims) * rate[np.searchsorted(nodes, claims.node)]
        lot = self.chance(claims.at(ROOT)).uniform("cause")
        return wrong(verdicts, self.pool, claims, np.broadcast_to(lot, claims.shape) < often)

    @property
    def seat(self) -> int:
        """One cause for all siblings."""
        return 0


class NoisyAggregator(Failure):
    """The output of each gate is wrong with some chance, and nobody allows for it."""

    name: ClassVar[str] = "noisy_aggregator"
    can_strike: ClassVar[tuple[str, ...]] = ("aggregator",)
    knob: ClassVar[str] = "chance that a gate's output is wrong"
    source: ClassVar[str] = (
        "Evans & Schulman 1999: three-fold repetition forgets above 1/6; MODEL 5, 8"
    )
    most: Share = 0.5

    def combine(self, checked: Checked, chance: Chance) -> FloatArray:
        return super().combine(self._struck_gates(checked, chance), chance)

    def needed(self, checked: Checked, chance: Chance) -> BoolArray:
        return super().needed(self._struck_gates(checked, chance), chance)

    def _struck_gates(self, checked: Checked, chance: Chance) -> Checked:
        gates = {
            inner: checked.wrong.get(inner, False) ^ self.strikes(chance.claims.at(inner))
            for inner, _, _ in checked.gates()
        }
        return replace(checked, wrong=gates)
