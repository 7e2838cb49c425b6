"""Small worlds, settings and overseers that the tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

from oversight import (
    ByHeight,
    Claims,
    Evidence,
    Mechanism,
    Minutes,
    ModelSettings,
    Overseer,
    PeopleSettings,
    Setting,
    Verdicts,
)
from oversight.worlds.concept import ConceptPool, ConceptWorld
from oversight.worlds.tree_files import BalancedTree


def tree(*gates: Any, branching: int = 3, leaf_prior: Any = "balanced") -> BalancedTree:
    """A balanced tree with these gates, the root's first; no gates for a lone question."""
    return BalancedTree(
        branching=branching, depth=len(gates), gates=tuple(gates), leaf_prior=leaf_prior
    )


def world(**changes: Any) -> ConceptWorld:
    """A small world without label noise, whose trees always decide the question."""
    plain: dict[str, Any] = {
        "train_items": 4000,
        "test_items": 4000,
        "features": 16,
        "ceiling": 1.0,
        "decomposability": 1.0,
        "tree": tree("or", "and"),
    }
    return ConceptWorld(**{**plain, **changes})


def pool(of: ConceptWorld, seed: int = 1, replicate: int = 0, part: str = "train") -> ConceptPool:
    return of.pool(seed, replicate, part)  # type: ignore[arg-type]


def setting(
    root: float = 0.7, leaf: float = 0.9, u_root: float = 0.95, u_leaf: float = 0.98, **people: Any
) -> Setting:
    """People and a model with these accuracies; other settings of people by name."""
    shared_bias = people.pop("shared_bias", 0.2)
    return Setting(
        PeopleSettings(accuracy=ByHeight(root=root, leaf=leaf), **people),
        ModelSettings(accuracy=ByHeight(root=u_root, leaf=u_leaf), shared_bias=shared_bias),
    )


PERFECT = {"root": 1.0, "leaf": 1.0, "u_root": 1.0, "u_leaf": 1.0, "structure": 0.0}


def binomial_error(chance: float, draws: float) -> float:
    """Standard error of a share."""
    return float(np.sqrt(chance * (1 - chance) / draws))


class Blank(Overseer):
    """A judge who knows nothing and believes the arguments."""

    name = "blank"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        push = np.zeros(claims.shape) if evidence is None else evidence.push
        return Verdicts.of(np.broadcast_to(push, claims.shape))

    def reliability(self, node: int) -> float:
        return 0.5


class Gold(Mechanism):
    """Labels that are the gold answers."""

    name = "gold"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        gold = self.pool.gold[np.broadcast_to(claims.item, claims.shape)]
        return Verdicts.of(np.where(gold, 800.0, -800.0))


class Flipped(Mechanism):
    """The intended answers, each flipped by a coin of its own."""

    name = "flipped"
    share: float = 0.3

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        flip = self.chance(claims).uniform("flip") < self.share
        answer = self.pool.truth(claims) ^ flip
        strength = np.log((1 - self.share) / self.share)
        return Verdicts.of(np.where(answer, strength, -strength))


FREE = Minutes(root=0, leaf=0, argument=0)
