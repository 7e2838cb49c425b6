"""Copies of the strong model U: debaters, consultants, assistants (MODEL 4, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from pydantic import Field

from oversight.components.overseer import Overseer
from oversight.components.profiles import HONEST, Setting, Strategy, StrategyField
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray, Trace, Verdicts
from oversight.core.config import Share
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.overseers.agent import Agent
from oversight.overseers.lies import Lies
from oversight.overseers.perception import Perceiver, PreparedPerceiver
from oversight.overseers.persuasion import Arguing, selected_quality, sum_of_best
from oversight.worlds.base import MODEL, Pool, World
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree


@dataclass(frozen=True, kw_only=True)
class PreparedModel(PreparedPerceiver):
    """How a copy of U sees the claims of a pool, and where it lies; None where it is honest."""

    lies: Lies | None = None


class Model(Perceiver, Agent):
    """The strong model U. All copies share one perception of a claim. As an overseer it answers
    what it believes, for one model call a claim.

    With a `strategy` it attacks some items. There it acts as if the answer were the opposite of
    what it believes, and as if the parts were what is consistent with that (MODEL 10).
    """

    name: ClassVar[str] = "model"
    draws_alike: ClassVar[tuple[str, ...]] = ("strategy",)
    of_margins: ClassVar[tuple[str, ...]] = ("shared_bias", *Perceiver.of_margins)

    shared_bias: Share | None = Field(None, description="as the scenario's, if left out")
    difficulty: Share | None = None
    strategy: StrategyField | None = Field(
        None, description="as the scenario's, if left out; a copy's own is never replaced"
    )

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({MODEL})

    @property
    def bound(self) -> PreparedModel:
        if not isinstance(self.prepared, PreparedModel):
            raise RuntimeError("model: call prepare(pool, setting) before assess")
        return self.prepared

    def problems(self, world: World) -> list[tuple[str, str]]:
        problems = super().problems(world)
        if isinstance(self.strategy, Strategy) and (problem := self.strategy.problem(world)):
            problems.append(("strategy", f"{problem}; expected another strategy"))
        return problems

    def strategy_in(self, setting: Setting) -> Strategy | None:
        """What it does in a setting; None where it is honest."""
        chosen = setting.model.strategy if self.strategy is None else self.strategy
        return None if chosen == HONEST else chosen

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        honest, strategy = super().prepare(pool, setting), self.strategy_in(setting)
        if strategy is None or not strategy.share:
            return honest
        if strategy not in setting.attacked:
            raise RuntimeError(
                "which items a model attacks is decided for a protocol as a whole: call "
                "oversight.prepared(protocol, pool, setting) instead of prepare"
            )
        lies = Lies.of(strategy, setting.attacked[strategy], honest)
        return honest.with_prepared(replace(honest.bound, lies=lies))

    def perception(self, pool: Pool, setting: Setting) -> PreparedModel:
        bias = setting.model.shared_bias if self.shared_bias is None else self.shared_bias
        difficulty = setting.model.difficulty if self.difficulty is None else self.difficulty
        right = self.right(pool, setting.model.accuracy)
        return PreparedModel(pool, setting, **self.perception_of(right, bias, difficulty))

    @property
    def noise_name(self) -> tuple[str | int, ...]:
        return ("model",)

    def drawn(self, claims: Claims) -> BoolArray | None:
        if self.pool.shared_answer is None:
            return None
        luck = self.pool.draws.at(claims, "random", *self.noise_name)
        return np.asarray(self.pool.truth(claims) ^ (luck < self.bound.angle[claims.node] / np.pi))

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        stated, prior = self.stated(claims, evidence, 1.0)
        if (lies := self.bound.lies) is not None:
            stated, prior = lies.stated(claims, stated, prior)
        trace = Trace("the model", {"answers": stated > 0}) if claims.traced else None
        return Verdicts.of(stated, prior, 0.0, 1.0, trace=trace)

    def believe(self, claims: Claims) -> BoolArray:
        believed, lies = self.perceived(claims), self.bound.lies
        return believed if lies is None else believed ^ lies.at(claims)

    def perceived(self, claims: Claims) -> BoolArray:
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
        true = side == self.perceived(claims)
        lean = np.where(true, push, -push)
        total, apart = sum_of_best(chance, arguing.candidates, rounds, "argument", rounds, who)
        argument = Argument(
            side,
            rounds * lean + total,
            arguing.gain,
            rounds,
            who,
            lambda: tuple(lean + part for part in apart()),
        )
        if (lies := self.bound.lies) is None or not lies.together:
            return argument
        # One player: the copy with the truth loses on purpose.
        return _thrown(argument, lies.attacked[claims.item] & true, lean, arguing.candidates)

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        mean: float | FloatArray = arguing.evidence
        if (lies := self.bound.lies) is not None:
            mean = np.where(lies.at(claims), -mean, mean)
        quality = mean + selected_quality(
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


def _thrown(argument: Argument, where: BoolArray, lean: FloatArray, candidates: int) -> Argument:
    """An argument that is the worst of n candidates there, and nothing at all for n = 1. The worst
    of n normals is minus the best of n, in law; the draws stay the same."""

    def worst(strength: FloatArray, mean: FloatArray) -> FloatArray:
        return np.where(where, 2 * mean - strength if candidates > 1 else 0.0, strength)

    return replace(
        argument,
        strength=worst(argument.strength, argument.count * lean),
        split=lambda: tuple(worst(part, lean) for part in argument.parts),
    )


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
