"""Concept items: a point in a strong representation, an intended concept, a misconception, a task
tree (MODEL 2)."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray, read_only
from oversight.core.config import Share
from oversight.core.streams import Draws, gather, stream
from oversight.worlds.base import MARGINS, MODEL, PEOPLE, TREE, Items, Part, Pool, World
from oversight.worlds.tree import TaskTree
from oversight.worlds.tree_files import BalancedTree, TreeSettings

MOST_CLAIMS = 100_000_000


class ConceptWorld(World):
    """Items x ~ N(0, I). Intended answer: the side of the concept; gold: that, flipped with chance
    1 - ceiling."""

    has: ClassVar[frozenset[str]] = frozenset({TREE, PEOPLE, MODEL, MARGINS})

    kind: Literal["concept"] = "concept"
    train_items: Items = 4000
    test_items: Items = 4000
    features: Annotated[int, Field(strict=True, ge=2, le=4096)] = 32
    ceiling: Annotated[float, Field(strict=True, gt=0.5, le=1)] = 0.95
    decomposability: Share = Field(
        0.95, description="share of items whose tree decides the item's own question"
    )
    claim_correlation: Share = Field(
        0.5, description="how far one misunderstanding runs through the tree, rho"
    )
    tree: TreeSettings = Field(default_factory=BalancedTree)

    @model_validator(mode="after")
    def _fits(self) -> ConceptWorld:
        claims = len(self.tree.tree) * max(self.train_items, self.test_items)
        if claims > MOST_CLAIMS:
            raise ValueError(
                f"{len(self.tree.tree):,} nodes x {max(self.train_items, self.test_items):,} "
                "items are "
                f"{claims:,} claims; at most {MOST_CLAIMS:,} fit (fewer items or a smaller tree)"
            )
        return self

    @property
    def width(self) -> int:
        return self.features

    @property
    def task_tree(self) -> TaskTree:
        return self.tree.tree

    @property
    def best_accuracy(self) -> float:
        return self.ceiling

    def items(self, part: Part) -> int:
        return self.train_items if part == "train" else self.test_items

    def pool(self, seed: int, replicate: int, part: Part) -> ConceptPool:
        return ConceptPool(self, seed, replicate, part)


class ConceptPool(Pool):
    """One replicate's items. The root's margin and misconception are those of the item itself."""

    def __init__(self, world: ConceptWorld, seed: int, replicate: int, part: Part) -> None:
        self.world = world
        # Directions are the replicate's, shared by its two pools; everything else is the pool's
        # own.
        self._replicate = replicate
        self._draws = Draws(seed, ("replicate", replicate, part), world.items(part))

    @property
    def draws(self) -> Draws:
        return self._draws

    @property
    def tree(self) -> TaskTree:
        return self.world.task_tree

    @property
    def label_noise(self) -> float:
        return 1 - self.world.ceiling

    @cached_property
    def x(self) -> FloatArray:
        shape = (self.draws.items, self.world.features)
        return read_only(self.draws.generator("world", "items").standard_normal(shape))

    def directions(self, height: int) -> tuple[FloatArray, FloatArray]:
        """Orthonormal concept and misconception for claims of a height; the root's are the item's
        own."""
        level = "root" if height == self.tree.height else height
        generator = stream(self.draws.seed, "replicate", self._replicate, "directions", level)
        basis, _ = np.linalg.qr(generator.standard_normal((self.world.features, 2)))
        return basis[:, 0].copy(), basis[:, 1].copy()

    @cached_property
    def _root(self) -> tuple[FloatArray, FloatArray]:
        concept, misconception = self.directions(self.tree.height)
        return self.x @ concept, self.x @ misconception

    @cached_property
    def intended(self) -> BoolArray:
        return read_only(self._root[0] > 0)

    @cached_property
    def gold(self) -> BoolArray:
        luck = self.draws.generator("world", "gold").random(self.draws.items)
        return read_only(self.intended ^ (luck < self.label_noise))

    @cached_property
    def _truths(self) -> BoolArray:
        """Truth of every node, (nodes, items), drawn top-down; row 0 is what the tree's root
        says."""
        fair = self.draws.generator("world", "tree root").random((2, self.draws.items))
        truths = np.empty((len(self.tree), self.draws.items), dtype=np.bool_)
        truths[ROOT] = np.where(fair[0] < self.world.decomposability, self.intended, fair[1] < 0.5)
        for node, gate in enumerate(self.tree.gate):
            if gate is None:
                continue
            below = list(self.tree.children[node])
            luck = self.draws.generator("world", "truths", node).random(self.draws.items)
            false, true = (
                drawn_codes(luck, gate.given(value, self.tree.priors[below]))
                for value in (False, True)
            )
            codes = np.where(truths[node], true, false)
            truths[below] = gate.bits.T.take(codes, axis=1)
        return truths

    def truth(self, claims: Claims) -> BoolArray:
        if claims.node.size == 1 and claims.node.flat[0] == ROOT:
            return np.asarray(self.intended[np.broadcast_to(claims.item, claims.shape)])
        own = self._truths[claims.node, claims.item]
        return np.asarray(np.where(claims.node == ROOT, self.intended[claims.item], own))

    def margin(self, claims: Claims) -> FloatArray:
        return gather(claims, self._margin)

    def _margin(self, node: int) -> FloatArray:
        if node == ROOT:
            return self._root[0]
        size = self.draws.column("standard_normal", 0, "world", "margin", node)
        return np.asarray(np.copysign(size, self._truths[node] - 0.5))

    def misconception(self, claims: Claims) -> FloatArray:
        return gather(claims, self._misconception)

    def _misconception(self, node: int) -> FloatArray:
        if node == ROOT:
            return self._root[1]
        rho = self.world.claim_correlation
        own = self.draws.column("standard_normal", 0, "world", "misconception", node)
        coordinate = np.sqrt(1 - rho) * own
        coordinate += np.sqrt(rho) * self._root[1]
        return np.asarray(coordinate)

    def features(self, claims: Claims) -> FloatArray:
        if claims.node.size == 1:
            seen = self._features(int(claims.node.flat[0]))
            if claims.whole and claims.node.ndim == 0:
                return seen
            return np.asarray(seen[np.broadcast_to(claims.item, claims.shape)])
        flat = claims.flat()
        seen = np.empty((flat.item.size, self.world.features))
        for node, at, here in flat.by_node():
            seen[at] = self._features(node)[here.item]
        return seen.reshape(*claims.shape, self.world.features)

    def _features(self, node: int) -> FloatArray:
        """What a reward model sees of a node's claims: margin and misconception along two
        directions of the height."""
        if node == ROOT:
            return self.x
        return self.draws.kept(("features", node), lambda: self._placed(node))

    def _placed(self, node: int) -> FloatArray:
        concept, misconception = self.directions(int(self.tree.heights[node]))
        name = ("world", "features", node)
        loose = self.draws.generator(*name).standard_normal((self.draws.items, self.world.features))
        wanted = np.stack([self._margin(node), self._misconception(node)], axis=1)
        plane = np.stack([concept, misconception], axis=1)
        loose += (wanted - loose @ plane) @ plane.T
        return loose


def drawn_codes(luck: FloatArray, chances: FloatArray) -> IntArray:
    """Codes drawn with these chances, one a uniform number."""
    # Only codes with a chance, so that rounding in the sum picks no impossible one.
    possible = np.flatnonzero(chances)
    steps = np.cumsum(chances[possible])[:-1]
    if steps.size > 16:
        return np.asarray(possible[np.searchsorted(steps, luck, side="right")])
    place = np.zeros(luck.shape, dtype=np.int64)  # the same, faster where there are few
    for step in steps:
        place += luck >= step
    return np.asarray(possible[place])
