"""Debate: two copies of the strong model argue for opposite answers (Irving, Christiano & Amodei
2018)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight import (
    AgentSlot,
    Arguing,
    Chance,
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


class Debate(Mechanism, Arguing):
    """Both sides argue for `turns` turns; then the judge decides.

    With a perfect model, one candidate and a judge who knows nothing, P(right) = Phi(c mu sqrt(2
    T)). With `tree`, the debate first walks down the task tree, one disputed part at a time, and
    the judge rules at a leaf. With a perfect model and T = 0 it is then as accurate as the judge is
    on leaves, for one leaf check an item (MODEL 5).
    """

    name: ClassVar[str] = "debate"
    citation: ClassVar[str] = "Irving, Christiano & Amodei 2018, arXiv 1805.00899"
    tries: ClassVar[Tries] = {
        "turns": (1, 2, 3, 5),
        "candidates": (1, 4, 16),
        "tree": (False, True),
    }

    turns: Whole = Field(3, le=1000)
    tree: Switch = Field(False, description="walk down the task tree to a disputed leaf first")
    judge: OverseerSlot = Human()
    debater: AgentSlot = Model()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"tree"} if self.tree else ())

    @property
    def assigns_sides(self) -> bool:
        return not self.tree  # announcements and disputes follow what a copy believes

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.tree:
            return self._walk(claims, evidence)
        return self._flat(claims, self.chance(claims), evidence)

    def _flat(self, claims: Claims, chance: Chance, evidence: Evidence | None) -> Verdicts:
        yes = np.ones(claims.shape, dtype=np.bool_)
        sides = {"for": yes, "against": ~yes}
        heard = exchange(
            self.debater, self.judge, claims, sides, self.turns, self, chance, evidence
        )
        verdicts = judged(self.judge, claims, heard, 2 * self.turns, self.candidates)
        if not claims.traced:
            return verdicts
        return verdicts.with_trace(f"debate of {self.turns} turns", pushes(heard))

    def _walk(self, whole: Claims, evidence: Evidence | None) -> Verdicts:
        """Follow one dispute, a level at a time, to a leaf, where the judge rules."""
        claims, tree = whole.flat(), self.pool.tree
        chance = self.chance(claims)
        # 1. A coin decides which value of the claim the side that announces first defends.
        first = chance.coin("first announcer")
        node, value = claims.node.copy(), first.copy()
        facts: dict[str, object] = {"announced first": first}
        calls = np.zeros(claims.shape)
        for level in range(tree.height):
            active = np.flatnonzero(tree.heights[node] > 0)
            if not active.size:
                break
            here, luck = Claims(claims.item[active], node[active]), chance[active]
            # 2. The announcer gives every child a value, so that the claim has what it defends.
            announced = self.debater.announce(here, value[active], luck, "announce", level)
            # 3. The opponent disputes one child.
            child = self.debater.dispute(here, announced, luck, "dispute", level)
            # 4. The debate goes on about that child; who defends its value announces next.
            node[active] = tree.child_table[node[active], child]
            value[active] = (announced >> child & 1).astype(np.bool_)
            calls[active] += 2
            if claims.traced:
                facts[f"disputed, level {level + 1}"] = np.array(tree.labels)[node]
                facts[f"announced there, level {level + 1}"] = value.copy()
        # 5. At the leaf both sides argue, and the judge rules. The announcer wins if the judge
        #    rules as announced; the leaf's own prior says nothing about who is right.
        leaf = self._flat(replace(claims, node=node), chance, None)
        ruling = np.where(value == first, leaf.evidence, -leaf.evidence)
        verdicts = Verdicts(
            evidence=ruling.reshape(whole.shape),
            prior=np.zeros(whole.shape),
            minutes=leaf.minutes.reshape(whole.shape),
            calls=(leaf.calls + calls).reshape(whole.shape),
            labeled=leaf.labeled.reshape(whole.shape),
            trace=leaf.trace,
            overridden=leaf.overridden.reshape(whole.shape),
            disagreement=leaf.disagreement.reshape(whole.shape),
        )
        if claims.traced:
            verdicts = verdicts.with_trace("debate on the tree", facts)
        return self.read(verdicts, evidence)
