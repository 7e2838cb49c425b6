"""Task decomposition: small questions are checked, and the answers go up the tree (Christiano et
al. 2018)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr

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
    Pool,
    Rule,
    Setting,
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
        default_factory=lambda made: {"soft": Soft, "hard": Hard}[made["aggregate"]](
            noise=made["aggregator_noise"]
        ),
        exclude=True,
    )

    _reliability: dict[int, float] = PrivateAttr(default_factory=dict)

    def width(self) -> int:
        return self.votes * self.checker.width()

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        rule: Rule = "confidence" if self.aggregate == "soft" else "majority"
        voting = self.model_copy(update={"checker": copies(self.checker, self.votes, rule)})
        prepared = super(Decomposition, voting).prepare(pool, setting)
        prepared._identity = self.identity(of_draws=True)
        prepared._reliability = {}
        return prepared

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        flat = claims.flat()
        chance, tree = self.chance(flat), self.pool.tree
        found, minutes, calls = (np.zeros(flat.shape) for _ in range(3))
        labeled = np.ones(flat.shape, dtype=np.bool_)
        traces = []
        for node, at, here in flat.by_node():
            checked, out, asked = self._under(node, here, chance[at])
            found[at] = out
            minutes[at] = (checked.minutes * asked).sum(axis=0)
            calls[at] = (checked.calls * asked).sum(axis=0)
            labeled[at] = (checked.labeled | ~asked).all(axis=0)
            if claims.traced:
                traces.append(self._told(node, checked, asked, out))
        verdicts = Verdicts.of(
            found.reshape(claims.shape),
            tree.prior_log_odds[claims.node],
            minutes.reshape(claims.shape),
            calls.reshape(claims.shape),
            labeled.reshape(claims.shape),
            traces[0] if len(traces) == 1 else None,
        )
        return self.read(verdicts, evidence)

    def _under(
        self, node: int, claims: Claims, chance: Chance
    ) -> tuple[Verdicts, FloatArray, BoolArray]:
        """Verdicts at the frontier under a node (shape frontier x items), evidence about it, and
        what had to be asked."""
        tree = self.pool.tree
        frontier = tree.frontier(node, self.height)
        verdicts = self.checker.assess(claims.at(np.array(frontier)[:, None]))
        rows = dict(zip(frontier, verdicts.evidence, strict=True))
        hard = self.aggregate == "hard"
        right = {leaf: self._right(leaf) for leaf in frontier} if hard else {}
        checked = Checked(tree, node, self.height, rows, right)
        out = self.aggregator.combine(checked, chance)
        asked = np.ones(verdicts.evidence.shape, dtype=np.bool_)
        if hard and self.short_circuit:
            asked = self.aggregator.asked(checked, chance)
        return verdicts, out, asked

    def _right(self, leaf: int) -> float:
        if leaf not in self._reliability:
            self._reliability[leaf] = self.checker.reliability(leaf)
        return self._reliability[leaf]

    def _told(self, node: int, checked: Verdicts, asked: BoolArray, out: FloatArray) -> Trace:
        labels = self.pool.tree.labels
        facts: dict[str, object] = {}
        for row, leaf in enumerate(self.pool.tree.frontier(node, self.height)):
            said = np.where(checked.answer[row], "yes", "no")
            facts[f"{labels[leaf]}"] = np.where(asked[row], said, "not asked")
        facts["evidence at the top"] = out
        return Trace(f"decomposition of {labels[node]}, {self.aggregate}", facts)
