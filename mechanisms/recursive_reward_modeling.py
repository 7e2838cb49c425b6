"""Recursive reward modeling: reward models are fitted level by level, and each helps people to
judge the next level (Leike et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

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
    PreparedMechanism,
    RewardModel,
    RewardModelSlot,
    Setting,
    Tries,
    Verdicts,
    through,
)


class RecursiveRewardModeling(Mechanism, Arguing):
    """Each height has one reward model, fitted to judgments of a sample of its claims. Leaves come
    first.

    Above the leaves the evaluator has two aids: `trust` times the evidence of the reward models
    about the parts, pushed through the gate; and the best of n arguments by an assistant, ranked by
    those reward models. People are paid per sample, not per item, so labels are cheap. The risk is
    that errors pass from level to level. The last reward model is itself a linear probe, so its
    errors are fully representable and its generalization gain is about 0 (MODEL 5).
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

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"tree"})

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        bound = prepared.bound
        levels = Levels(pool, setting, identity=bound.identity)
        minutes = calls = 0.0
        for height in range(pool.tree.height + 1):
            # 1. A sample of the claims of this height, from all its nodes and all items.
            claims = prepared.sample(height)
            aid = None
            if height > 0:
                # 2. Above the leaves, the reward models below report on the parts of each claim,
                #    and rank the arguments of an assistant.
                levels = levels.ranking(height, claims)
                aid = prepared.aid(levels, claims)
                calls += self.candidates * claims.item.size
            # 3. The evaluator judges the sample.
            verdicts = prepared.evaluator.assess(claims, aid)
            minutes += float(verdicts.minutes.sum())
            calls += float(verdicts.calls.sum())
            # 4. A reward model is fitted to those judgments.
            levels = levels.fitting(
                height, prepared.reward_model.fit(pool, claims, verdicts.belief)
            )
        return prepared.with_prepared(levels).spending(minutes, calls)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        # 5. The items are labeled by the last reward model, or by the evaluator with its aid.
        if self.labeler == "human":
            return self._judged(claims, evidence)
        scores = self.levels.scores(claims)
        verdicts = Verdicts.of(scores, self.pool.tree.prior_log_odds[claims.node])
        if claims.traced:
            verdicts = verdicts.with_trace("the last reward model", {"its evidence": scores})
        return self.read(verdicts, evidence)

    @property
    def levels(self) -> Levels:
        """The reward models of every height. Raises RuntimeError before `prepare`."""
        if not isinstance(self.prepared, Levels):
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) before assess")
        return self.prepared

    def _judged(self, claims: Claims, evidence: Evidence | None) -> Verdicts:
        """The evaluator's own judgment of every claim, aided wherever there are reward models
        below."""
        flat = claims.flat()
        leaf = self.pool.tree.heights[flat.node] == 0
        stated, minutes, calls, disagreement = (np.zeros(flat.shape) for _ in range(4))
        overridden = np.zeros(flat.shape, dtype=np.bool_)
        for at in (np.flatnonzero(leaf), np.flatnonzero(~leaf)):
            if not at.size:
                continue
            aid = Evidence() if leaf[at[0]] else self.aid(self.levels, flat[at])
            heard = aid + (evidence.at(at, claims.shape) if evidence else None)
            verdicts = self.evaluator.assess(flat[at], heard)
            stated[at], minutes[at] = verdicts.evidence, verdicts.minutes
            overridden[at], disagreement[at] = verdicts.overridden, verdicts.disagreement
            calls[at] = verdicts.calls + (0 if leaf[at[0]] else self.candidates)
        verdicts = Verdicts.of(
            stated.reshape(claims.shape),
            self.pool.tree.prior_log_odds[claims.node],
            minutes.reshape(claims.shape),
            calls.reshape(claims.shape),
            overridden=overridden.reshape(claims.shape),
            disagreement=disagreement.reshape(claims.shape),
        )
        facts = {"the aided evaluator's evidence": verdicts.evidence}
        return verdicts.with_trace("reward models and people", facts) if claims.traced else verdicts

    def sample(self, height: int) -> Claims:
        """Distinct claims of one height, from all its nodes and all items."""
        bound = self.bound
        nodes, items = np.flatnonzero(bound.pool.tree.heights == height), bound.pool.draws.items
        generator = bound.pool.draws.generator(bound.identity, self.copy_number, "sample", height)
        picks = generator.choice(
            nodes.size * items, size=min(self.samples, nodes.size * items), replace=False
        )
        return Claims(picks % items, nodes[picks // items])

    def aid(self, levels: Levels, claims: Claims) -> Evidence:
        """What the evaluator sees beside one-dimensional claims above the leaves: the reward
        models' report on the parts, and an argument."""
        tree = self.pool.tree
        report, correlation = np.zeros(claims.shape), np.zeros(claims.shape)
        for node, at, here in claims.by_node():
            gate, below = tree.gate[node], list(tree.children[node])
            assert gate is not None
            scores = levels.scores(here.at(np.array(below)[:, None]))
            report[at] = self.trust * through(gate, tree.priors[below], list(scores))
        for height in np.unique(tree.heights[claims.node]):
            correlation[tree.heights[claims.node] == height] = levels.rank[int(height)]
        argument = self.assistant.assist(
            claims, self, correlation, self.chance(claims), "assistant"
        )
        return Evidence((argument,), report, 1)


@dataclass(frozen=True, kw_only=True)
class Levels(PreparedMechanism):
    """Reward models by height, as far as they were fitted.

    models  the reward model of each height
    rank    by height, how well the reward models below rank arguments for its claims: corr of
            MODEL 5, in [-1, 1]
    """

    models: Mapping[int, RewardModel] = field(default_factory=dict)
    rank: Mapping[int, float] = field(default_factory=dict)

    def fitting(self, height: int, model: RewardModel) -> Levels:
        """These, and the reward model of one more height."""
        return replace(self, models={**self.models, height: model})

    def ranking(self, height: int, claims: Claims) -> Levels:
        """These, and corr = cos(pi (1 - accuracy)) of the reward models below a height, on the
        parts of these claims."""
        tree, right = self.pool.tree, []
        for node, _, here in claims.by_node():
            parts = here.at(np.array(tree.children[node])[:, None])
            right.append(((self.scores(parts) > 0) == self.pool.truth(parts)).ravel())
        corr = float(np.cos(np.pi * (1 - np.concatenate(right).mean())))
        return replace(self, rank={**self.rank, height: corr})

    def scores(self, claims: Claims) -> FloatArray:
        """Evidence from the reward model of each claim's height."""
        flat = claims.flat()
        heights = self.pool.tree.heights[flat.node]
        scores = np.zeros(flat.shape)
        for height in np.unique(heights):
            scores[heights == height] = self.models[height].evidence(flat[heights == height])
        return scores.reshape(claims.shape)
