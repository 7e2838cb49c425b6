"""Recursive reward modeling: reward models fitted level by level, each helping people judge the
next (Leike et al. 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr

from oversight import (
    AgentSlot,
    Amount,
    Arguing,
    Claims,
    Count,
    Evidence,
    FloatArray,
    Human,
    Mechanism,
    Model,
    OverseerSlot,
    Pool,
    RewardModel,
    RewardModelSlot,
    Setting,
    Tries,
    Verdicts,
    through,
)


class RecursiveRewardModeling(Mechanism, Arguing):
    """One reward model a height, fitted to judgments of a sample of that height's claims, leaves
    first.

    Above the leaves the evaluator is aided: trust x the reward model's evidence about the sub-
    questions, pushed through the gate, and the best of n arguments by an assistant, ranked by the
    reward model. People are paid per sample, not per item: that is the bargain, and errors handed
    from level to level are its risk. The last reward model is itself a linear probe, so its errors
    are fully representable and its generalization gain is about 0 (MODEL 5).
    """

    name: ClassVar[str] = "recursive_reward_modeling"
    citation: ClassVar[str] = "Leike et al. 2018, arXiv 1811.07871"
    tries: ClassVar[Tries] = {
        "samples": (50, 150, 300, 1000),
        "candidates": (1, 4, 16),
        "labeler": ("reward_model", "human"),
    }

    samples: Count = Field(
        300, ge=2, description="claims judged at each height; all of them where there are fewer"
    )
    trust: Amount = Field(
        1.0, description="weight of the reward model's report in the evaluator's judgment"
    )
    labeler: Literal["reward_model", "human"] = Field(
        "reward_model", description="who labels the items in the end"
    )
    evaluator: OverseerSlot = Human()
    assistant: AgentSlot = Model()
    reward_model: RewardModelSlot = Field(RewardModel(), exclude=True)

    _fitted: dict[int, RewardModel] = PrivateAttr(default_factory=dict)
    # How well the reward models below a height rank arguments for it: corr of MODEL 5.
    _ranking: dict[int, float] = PrivateAttr(default_factory=dict)

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        prepared._fitted, prepared._ranking = {}, {}
        minutes = calls = 0.0
        for height in range(pool.tree.height + 1):
            claims = prepared._sample(height)
            aid = prepared._aid(claims) if height > 0 else None
            verdicts = prepared.evaluator.assess(claims, aid)
            minutes += float(verdicts.minutes.sum())
            calls += float(verdicts.calls.sum()) + (
                self.candidates * claims.item.size if height > 0 else 0
            )
            prepared._fitted[height] = prepared.reward_model.fit(pool, claims, verdicts.belief)
        prepared._fixed = (minutes, calls)
        return prepared

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.labeler == "human":
            return self._judged(claims, evidence)
        found = self._scores(claims)
        verdicts = Verdicts.of(found, self.pool.tree.prior_log_odds[claims.node])
        if claims.traced:
            verdicts = verdicts.told("the last reward model", {"its evidence": found})
        return self.read(verdicts, evidence)

    def _judged(self, claims: Claims, evidence: Evidence | None) -> Verdicts:
        """The evaluator's own judgment of every claim, aided wherever there are reward models
        below."""
        flat = claims.flat()
        leaf = self.pool.tree.heights[flat.node] == 0
        found, minutes, calls = (np.zeros(flat.shape) for _ in range(3))
        for at in (np.flatnonzero(leaf), np.flatnonzero(~leaf)):
            if not at.size:
                continue
            aid = Evidence() if leaf[at[0]] else self._aid(flat[at])
            heard = aid + (evidence.at(at, claims.shape) if evidence else None)
            verdicts = self.evaluator.assess(flat[at], heard)
            found[at], minutes[at] = verdicts.evidence, verdicts.minutes
            calls[at] = verdicts.calls + (0 if leaf[at[0]] else self.candidates)
        verdicts = Verdicts.of(
            found.reshape(claims.shape),
            self.pool.tree.prior_log_odds[claims.node],
            minutes.reshape(claims.shape),
            calls.reshape(claims.shape),
        )
        facts = {"the aided evaluator's evidence": verdicts.evidence}
        return verdicts.told("reward models and people", facts) if claims.traced else verdicts

    def _sample(self, height: int) -> Claims:
        """Distinct claims of one height, from all its nodes and all items."""
        nodes, items = np.flatnonzero(self.pool.tree.heights == height), self.pool.draws.items
        generator = self.pool.draws.generator(self._identity, self.copy_number, "sample", height)
        picks = generator.choice(
            nodes.size * items, size=min(self.samples, nodes.size * items), replace=False
        )
        return Claims(picks % items, nodes[picks // items])

    def _scores(self, claims: Claims) -> FloatArray:
        """Evidence from the reward model of each claim's height."""
        flat = claims.flat()
        heights = self.pool.tree.heights[flat.node]
        found = np.zeros(flat.shape)
        for height in np.unique(heights):
            found[heights == height] = self._fitted[height].evidence(flat[heights == height])
        return found.reshape(claims.shape)

    def _aid(self, claims: Claims) -> Evidence:
        """What the evaluator gets to see of one-dimensional claims above the leaves."""
        tree = self.pool.tree
        report, correlation = np.zeros(claims.shape), np.zeros(claims.shape)
        for node, at, here in claims.by_node():
            gate, below = tree.gate[node], list(tree.children[node])
            assert gate is not None
            scores = self._scores(here.at(np.array(below)[:, None]))
            report[at] = self.trust * through(gate, tree.priors[below], list(scores))
        for height in np.unique(tree.heights[claims.node]):
            correlation[tree.heights[claims.node] == height] = self._ranks(int(height))
        chance = self.chance(claims)
        argument = self.assistant.assist(claims, self, correlation, chance, "assistant")
        return Evidence((argument,), report, 1)

    def _ranks(self, height: int) -> float:
        """corr = cos(pi (1 - accuracy)) of the reward models below a height, on the sub-questions
        of its sample."""
        if height not in self._ranking:
            tree, claims = self.pool.tree, self._sample(height)
            right = []
            for node, _, here in claims.by_node():
                parts = here.at(np.array(tree.children[node])[:, None])
                right.append(((self._scores(parts) > 0) == self.pool.truth(parts)).ravel())
            self._ranking[height] = float(np.cos(np.pi * (1 - np.concatenate(right).mean())))
        return self._ranking[height]
