"""Task decomposition: people check small questions, and the answers go up the tree (Christiano et
al. 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from oversight import (
    AggregatorSlot,
    BoolArray,
    Chance,
    Checked,
    Claims,
    Count,
    Evidence,
    FloatArray,
    Hard,
    Human,
    Mechanism,
    OverseerSlot,
    Rule,
    Share,
    Soft,
    Switch,
    Trace,
    Tries,
    Verdicts,
    Whole,
    copies,
)


class Decomposition(Mechanism):
    """Claims at `height` go to a checker, `votes` people each; an aggregator carries the answers
    up.

    soft  sum-product on the tree with the checker's evidence, root prior 1/2
    hard  gates on answers; accuracy is that of dynamic programming over P(computed | true)

    Short-circuiting (hard only) stops where a gate is decided: same answers, fewer minutes (MODEL
    5).
    """

    name: ClassVar[str] = "decomposition"
    citation: ClassVar[str] = "Christiano, Shlegeris & Amodei 2018, arXiv 1810.08575"
    tries: ClassVar[Tries] = {
        "aggregate": ("soft", "hard"),
        "votes": (1, 3),
        "height": (0, 1),
    }

    draws_alike: ClassVar[tuple[str, ...]] = ("short_circuit",)

    aggregate: Literal["soft", "hard"] = "soft"
    votes: Count = Field(1, le=101, description="people who check each claim")
    short_circuit: Switch = Field(True, description="hard only: stop where a gate is decided")
    height: Whole = Field(0, description="height of the claims that are checked; 0 is the leaves")
    aggregator_noise: Share = Field(0.0, description="chance that a gate's output comes out wrong")
    checker: OverseerSlot = Human()
    aggregator: AggregatorSlot = Field(
        default_factory=lambda knobs: {"soft": Soft, "hard": Hard}[knobs["aggregate"]](
            noise=knobs["aggregator_noise"]
        ),
        exclude=True,
    )

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"tree"})

    def width(self) -> int:
        return self.votes * self.checker.width()

    def unfolded(self) -> Self:
        rule: Rule = "confidence" if self.aggregate == "soft" else "majority"
        return self.model_copy(update={"checker": copies(self.checker, self.votes, rule)})

    def claims_of(self, slot: str, claims: Claims) -> Claims:
        if slot != "checker" or claims.node.size != 1:
            return claims
        return claims.at(
            np.array(self.pool.tree.frontier(claims.node.item(), self.height))[:, None]
        )

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        flat = claims.flat()
        chance, tree = self.chance(flat), self.pool.tree
        top, minutes, calls, disagreement = (np.zeros(flat.shape) for _ in range(4))
        overridden = np.zeros(flat.shape, dtype=np.bool_)
        labeled = ~overridden
        traces = []
        for node, at, here in flat.by_node():
            checked, out, needed = self._under(node, here, chance[at])
            top[at] = out
            minutes[at] = (checked.minutes * needed).sum(axis=0)
            calls[at] = (checked.calls * needed).sum(axis=0)
            labeled[at] = (checked.labeled | ~needed).all(axis=0)
            overridden[at] = (checked.overridden & needed).any(axis=0)
            checks = np.maximum(needed.sum(axis=0), 1)
            disagreement[at] = sum(checked.disagreement * needed) / checks
            if claims.traced:
                traces.append(self._trace(node, checked, needed, out))
        verdicts = Verdicts.of(
            top.reshape(claims.shape),
            tree.prior_log_odds[claims.node],
            minutes.reshape(claims.shape),
            calls.reshape(claims.shape),
            labeled.reshape(claims.shape),
            traces[0] if len(traces) == 1 else None,
            overridden.reshape(claims.shape),
            disagreement.reshape(claims.shape),
        )
        return self.read(verdicts, evidence)

    def _under(
        self, node: int, claims: Claims, chance: Chance
    ) -> tuple[Verdicts, FloatArray, BoolArray]:
        """Verdicts at the frontier under a node (shape frontier x items), evidence about it, and
        which of the frontier had to be checked."""
        tree = self.pool.tree
        frontier = tree.frontier(node, self.height)
        verdicts = self.checker.assess(claims.at(np.array(frontier)[:, None]))
        rows = dict(zip(frontier, verdicts.evidence, strict=True))
        hard = self.aggregate == "hard"
        right = {leaf: self.checker.reliability(leaf) for leaf in frontier} if hard else {}
        checked = Checked(tree, node, self.height, rows, right)
        out = self.aggregator.combine(checked, chance)
        needed = np.ones(verdicts.evidence.shape, dtype=np.bool_)
        if hard and self.short_circuit:
            needed = self.aggregator.needed(checked, chance)
        return verdicts, out, needed

    def _trace(self, node: int, checked: Verdicts, needed: BoolArray, out: FloatArray) -> Trace:
        labels = self.pool.tree.labels
        facts: dict[str, object] = {}
        for row, leaf in enumerate(self.pool.tree.frontier(node, self.height)):
            answers = np.where(checked.answer[row], "yes", "no")
            facts[f"{labels[leaf]}"] = np.where(needed[row], answers, "not asked")
        facts["evidence at the top"] = out
        return Trace(f"decomposition of {labels[node]}, {self.aggregate}", facts)
