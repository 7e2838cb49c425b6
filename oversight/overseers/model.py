"""Copies of the strong model U: debaters, consultants, assistants (MODEL 4, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray, Trace, Verdicts
from oversight.core.config import Share
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.overseers.agent import Agent
from oversight.overseers.perception import Perceiver, PreparedPerceiver
from oversight.overseers.persuasion import Arguing, selected_quality, sum_of_best
from oversight.worlds.base import MODEL, Pool
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree


class Model(Perceiver, Agent):
    """The strong model U. All copies share one perception of a claim. As an overseer it answers
    what it believes, for one model call a claim."""

    name: ClassVar[str] = "model"

    shared_bias: Share | None = Field(None, description="as the scenario's, if left out")
    difficulty: Share | None = None

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {MODEL}

    def perception(self, pool: Pool, setting: Setting) -> PreparedPerceiver:
        bias = setting.model.shared_bias if self.shared_bias is None else self.shared_bias
        difficulty = setting.model.difficulty if self.difficulty is None else self.difficulty
        right = self.right(pool, setting.model.accuracy)
        return PreparedPerceiver(pool, setting, **self.perception_of(right, bias, difficulty))

    @property
    def noise_name(self) -> tuple[str | int, ...]:
        return ("model",)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        stated, prior = self.stated(claims, evidence, 1.0)
        trace = Trace("the model", {"answers": stated > 0}) if claims.traced else None
        return Verdicts.of(stated, prior, 0.0, 1.0, trace=trace)

    def believe(self, claims: Claims) -> BoolArray:
        return self.perceive(claims) > 0

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
        # p = c e + sqrt(1 - c^2) rhetoric is normal with variance 1 around c (+-mu).
        push = arguing.discernment * arguing.evidence
        lean = np.where(side == self.believe(claims), push, -push)
        total, apart = sum_of_best(chance, arguing.candidates, rounds, "argument", rounds, who)
        return Argument(
            side,
            rounds * lean + total,
            arguing.gain,
            rounds,
            who,
            lambda: tuple(lean + part for part in apart()),
        )

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        quality = arguing.evidence + selected_quality(
            chance, arguing.candidates, correlation, *name, "candidates"
        )
        c = arguing.discernment
        strength = c * quality + np.sqrt(1 - c**2) * chance.normal(*name, "rhetoric")
        return Argument(self.believe(claims), strength, arguing.gain)

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        luck = chance.uniform(*name)
        codes = np.zeros(claims.shape, dtype=np.int64)
        for gate, group, below in by_gate(self.pool.tree, claims):
            perceived = (self.believe(below) << np.arange(gate.children)[:, None]).sum(axis=0)
            table, count = gate.nearest
            choices = count[value[group].astype(np.int64), perceived]
            pick = (luck[group] * choices).astype(np.int64)
            codes[group] = table[value[group].astype(np.int64), perceived, pick]
        return codes

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        luck = chance.uniform(*name)
        chosen = np.zeros(claims.shape, dtype=np.int64)
        for gate, group, below in by_gate(self.pool.tree, claims):
            values = (announced[group] >> np.arange(gate.children)[:, None] & 1).astype(np.bool_)
            doubted = values != self.believe(below)
            doubted |= ~doubted.any(axis=0)
            rank = (luck[group] * doubted.sum(axis=0)).astype(np.int64)
            chosen[group] = np.argmax(np.cumsum(doubted, axis=0) > rank, axis=0)
        return chosen


def by_gate(tree: TaskTree, claims: Claims) -> Iterator[tuple[Gate, IntArray, Claims]]:
    """One-dimensional claims about inner nodes, grouped by gate: the gate, positions, and claims
    about the children."""
    groups: dict[Gate, list[int]] = {}
    for node in claims.nodes.tolist():
        gate = tree.gate[node]
        assert gate is not None
        groups.setdefault(gate, []).append(node)
    for gate, nodes in groups.items():
        position = np.flatnonzero(np.isin(claims.node, nodes))
        below = np.array([tree.children[node] for node in nodes])  # nodes ascend
        row = np.searchsorted(nodes, claims.node[position])
        yield gate, position, Claims(claims.item[position], below[row].T, claims.traced)
