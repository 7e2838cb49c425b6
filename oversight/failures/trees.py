"""Failures of the task tree: it differs from what the protocol takes it for."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray
from oversight.core.config import Share
from oversight.failures.base import PoolFailure
from oversight.worlds.base import Pool
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree
from oversight.worlds.views import View


class Redrawn(View):
    """A pool with another tree in it."""

    def __init__(self, whole: Pool, tree: TaskTree) -> None:
        super().__init__(whole)
        self._tree = tree

    @property
    def tree(self) -> TaskTree:
        return self._tree


class DepthCut(PoolFailure):
    """The budget does not reach the bottom of the tree, so the smallest questions that are asked
    are larger.

    Levels are whole, so the response has steps.
    """

    name: ClassVar[str] = "depth_cut"
    can_strike: ClassVar[tuple[str, ...]] = ("tree",)
    partial: ClassVar[bool] = False
    knob: ClassVar[str] = "share of the tree's levels that are cut off, from the leaves up"
    source: ClassVar[str] = "Christiano et al. 2018: amplification of finite depth"
    most: Share = 1.0

    def view(self, pool: Pool) -> Pool:
        whole = pool.tree
        cut = int(self.severity * self.most * whole.height + 1e-9)
        lowest = whole.heights <= cut
        children = tuple(
            () if low else below for low, below in zip(lowest, whole.children, strict=True)
        )
        gates = tuple(None if low else g for low, g in zip(lowest, whole.gate, strict=True))
        priors = tuple(float(p) for p in np.where(lowest, whole.priors, whole.leaf_prior))
        return Redrawn(pool, TaskTree(whole.labels, children, gates, priors))


class MismatchedInterfaces(PoolFailure):
    """What one level means by yes, the next takes for no: some edges of the tree carry the opposite
    of the answer. Each replicate draws these edges anew."""

    name: ClassVar[str] = "mismatched_interfaces"
    can_strike: ClassVar[tuple[str, ...]] = ("tree",)
    partial: ClassVar[bool] = False
    knob: ClassVar[str] = "share of edges that are read the other way around"
    source: ClassVar[str] = "proposed here: symbols at the interface of levels, relabeled at random"
    most: Share = 0.5

    def view(self, pool: Pool) -> Pool:
        whole = pool.tree
        lot = pool.draws.generator("failure", self.name).random(len(whole))
        turned = lot < self.severity * self.most
        gates = tuple(
            None if gate is None else _misread(gate, turned[list(below)])
            for gate, below in zip(whole.gate, whole.children, strict=True)
        )
        return Redrawn(pool, replace(whole, gate=gates))


def _misread(gate: Gate, turned: BoolArray) -> Gate:
    """The gate as one who reads some of its inputs the other way around computes it."""
    if not turned.any():
        return gate
    mask = int((turned << np.arange(turned.size)).sum())
    return Gate(tuple(gate.table[code ^ mask] for code in range(len(gate.table))))


class LostInteractions(PoolFailure):
    """On some items the parts say nothing about the whole: what matters lies between the parts.

    The claims below the root of such an item have the truths of another item.
    """

    name: ClassVar[str] = "lost_interactions"
    can_strike: ClassVar[tuple[str, ...]] = ("tree",)
    knob: ClassVar[str] = "share of items whose parts say nothing about the whole"
    source: ClassVar[str] = "the part of a question's variance that lies across blocks; MODEL 2"
    most: Share = 1.0

    def view(self, pool: Pool) -> Pool:
        lost = np.flatnonzero(self.strikes(pool.roots))
        instead = pool.everyone.copy()
        instead[lost] = np.roll(lost, 1)  # items are alike: the next one is any other
        return _Swapped(pool, instead)


class _Swapped(View):
    """A pool in which claims below the root are about another item."""

    def __init__(self, whole: Pool, instead: IntArray) -> None:
        super().__init__(whole)
        self.instead = instead

    def _moved(self, claims: Claims) -> Claims:
        item = np.where(claims.node == ROOT, claims.item, self.instead[claims.item])
        return Claims(item, np.broadcast_to(claims.node, item.shape), claims.traced)

    def truth(self, claims: Claims) -> BoolArray:
        return self.whole.truth(self._moved(claims))

    def margin(self, claims: Claims) -> FloatArray:
        return self.whole.margin(self._moved(claims))

    def misconception(self, claims: Claims) -> FloatArray:
        return self.whole.misconception(self._moved(claims))

    def features(self, claims: Claims) -> FloatArray:
        return self.whole.features(self._moved(claims))
