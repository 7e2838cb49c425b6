"""Copies of the strong model U: debaters, consultants, assistants (MODEL 4, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight.components.component import Component, Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray, Trace, Verdicts
from oversight.core.config import Share
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.overseers.perception import Perceiver
from oversight.overseers.persuasion import Arguing, selected_quality, sum_of_best
from oversight.worlds.base import Setting
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree


class Agent(Component):
    """What a mechanism asks of a strong model. Arrays are over the claims; `chance` is drawn for
    the same claims."""

    def believe(self, claims: Claims) -> BoolArray:
        """Whether U takes each claim to be true."""
        raise TypeError(f"{type(self).__name__} does not say what it believes")

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
        """What `who` says for `side` in so many arguments, each the best by how it will strike the
        judge; `evidence` is what was heard before."""
        raise TypeError(f"{type(self).__name__} does not argue")

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        """The best argument for what U believes, by a ranking that correlates so much with its
        evidence."""
        raise TypeError(f"{type(self).__name__} does not assist")

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """A code of values for the children of each claim under which the claim has the value
        defended."""
        raise TypeError(f"{type(self).__name__} does not announce")

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """The index of the child whose announced value it disputes."""
        raise TypeError(f"{type(self).__name__} does not dispute")


class Model(Perceiver, Agent):
    """U. All copies share one perception of a claim. As an overseer it answers what it believes,
    for one call."""

    name: ClassVar[str] = "model"

    shared_bias: Share | None = Field(None, description="as the scenario's, if left out")

    _last: tuple[Claims | None, BoolArray] = (None, np.zeros(0, dtype=np.bool_))

    def _bind(self, setting: Setting) -> None:
        bias = setting.model.shared_bias if self.shared_bias is None else self.shared_bias
        self._see(setting.model.accuracy, bias)

    def _noise_name(self) -> tuple[str | int, ...]:
        return ("model",)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        found, prior = self._judge(claims, evidence, 1.0)
        trace = Trace("the model", {"answers": found > 0}) if claims.traced else None
        return Verdicts.of(found, prior, 0.0, 1.0, trace=trace)

    def believe(self, claims: Claims) -> BoolArray:
        last, believed = self._last  # asked again for every argument about the same claims
        if last is not claims:
            believed = self.perceive(claims) > 0
            self._last = (claims, believed)
        return believed

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
        strength = rounds * lean + total
        return Argument(
            side,
            strength,
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
