"""Task trees: how a question breaks into smaller ones. One template serves all items of a
scenario."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from oversight.core.claims import FloatArray, IntArray, read_only, without_cache
from oversight.core.errors import TreeError
from oversight.worlds.gates import Gate

MOST_NODES = 50_000
RAREST = 1e-12
"""Share of items of which a question is true, or false, at least."""


@dataclass(frozen=True)
class TaskTree:
    """A rooted tree of questions. Nodes are numbered from the root, 0, parents before children.

    labels      the nodes' names
    children    the nodes below each node, in order; empty for a leaf
    gate        the gate of each inner node, None for a leaf
    leaf_prior  P(true) of each node that is a leaf; ignored for the others
    """

    labels: tuple[str, ...]
    children: tuple[tuple[int, ...], ...]
    gate: tuple[Gate | None, ...]
    leaf_prior: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.children)

    def __getstate__(self) -> dict[str, object]:
        """Pickled without its arrays, which are read-only in every process."""
        return without_cache(self)

    @cached_property
    def heights(self) -> IntArray:
        """Height of every node: 0 for a leaf, else one more than the highest child; -1 for a node
        that no question leads to."""
        heights = np.zeros(len(self), dtype=np.int64)
        for node in reversed(range(len(self))):
            heights[node] = 1 + max((heights[c] for c in self.children[node]), default=-1)
        reached = np.zeros(len(self), dtype=np.bool_)
        reached[0] = True
        for node, below in enumerate(self.children):
            reached[list(below)] = reached[node]
        return read_only(np.where(reached, heights, -1))

    @property
    def height(self) -> int:
        """The height of the root: levels below it."""
        return int(self.heights[0])

    @cached_property
    def leaves(self) -> IntArray:
        """The nodes without children."""
        return read_only(np.flatnonzero(self.heights == 0))

    @cached_property
    def priors(self) -> FloatArray:
        """P(true) of every node when leaves are independent: what the template says, before the
        item's question."""
        priors = np.array(self.leaf_prior, dtype=np.float64)
        for node in reversed(range(len(self))):
            gate = self.gate[node]
            if gate is not None:
                priors[node] = gate.prior(priors[list(self.children[node])])
        return read_only(priors)

    @cached_property
    def marginals(self) -> FloatArray:
        """P(true) of every node over items: the root is a fair coin, and each node's children
        follow from it.

        Equal to `priors` where the root's prior is one half.
        """
        marginals = np.full(len(self), 0.5)
        for node, gate in enumerate(self.gate):
            if gate is not None:
                below = list(self.children[node])
                true, false = (gate.given(v, self.priors[below]) @ gate.bits for v in (True, False))
                marginals[below] = marginals[node] * true + (1 - marginals[node]) * false
        return read_only(marginals)

    @cached_property
    def prior_log_odds(self) -> FloatArray:
        """Log-odds that each node is true before anyone looked: 0 for the root."""
        return read_only(np.asarray(np.log(self.marginals) - np.log1p(-self.marginals)))

    @cached_property
    def child_table(self) -> IntArray:
        """Children by node and index, shape (nodes, most children); -1 where there are fewer."""
        table = np.full((len(self), max(map(len, self.children), default=0)), -1, dtype=np.int64)
        for node, below in enumerate(self.children):
            table[node, : len(below)] = below
        return read_only(table)

    def frontier(self, node: int, height: int) -> list[int]:
        """The nodes under `node` that are checked: the highest ones of at most this height."""
        if self.heights[node] <= height:
            return [node]
        return [low for child in self.children[node] for low in self.frontier(child, height)]

    def inner(self, node: int, height: int) -> list[int]:
        """The nodes from `node` down to above the frontier, children before parents."""
        if self.heights[node] <= height:
            return []
        below = [n for child in self.children[node] for n in self.inner(child, height)]
        return [*below, node]

    def with_leaf_prior(self, prior: float | str) -> TaskTree:
        """The tree with the prior of leaves that have none of their own (NaN); "balanced" makes the
        root a fair coin."""
        if not isinstance(prior, str):
            return self.filled(prior).undecided()
        if not any(math.isnan(self.leaf_prior[leaf]) for leaf in self.leaves):
            return (
                self.undecided()
            )  # every leaf has a prior of its own: there is nothing to solve for
        return self.filled(self._balanced()).undecided()

    def undecided(self) -> TaskTree:
        """The tree itself, where no question is as good as answered before anyone looks."""
        shut = np.flatnonzero(~(np.abs(self.priors - 0.5) <= 0.5 - RAREST))
        if shut.size:
            node = int(shut[0])
            raise TreeError(
                f"node {self.labels[node]!r} is true of a share of {self.priors[node]:.3g} of the "
                f"items before anyone looks; expected from {RAREST:g} to 1 - {RAREST:g} (move the "
                "priors of the leaves toward one half)"
            )
        return self

    def filled(self, prior: float) -> TaskTree:
        """The tree with this prior at every leaf that has none of its own (NaN)."""
        filled = tuple(prior if math.isnan(p) else p for p in self.leaf_prior)
        return TaskTree(self.labels, self.children, self.gate, filled)

    def _kinds(self) -> list[tuple[Gate | None, tuple[int, ...], float]]:
        """The different subtrees there are, smaller ones first, the whole tree last: gate, kinds of
        the children, own prior. Large regular trees have few."""
        number: dict[object, int] = {}
        kinds: list[tuple[Gate | None, tuple[int, ...], float]] = []
        of = [0] * len(self)
        for node in reversed(range(len(self))):
            below = tuple(of[child] for child in self.children[node])
            own = self.leaf_prior[node] if not below else math.nan
            key = (self.gate[node], below, None if math.isnan(own) else own)
            if key not in number:
                number[key] = len(kinds)
                kinds.append((self.gate[node], below, own))
            of[node] = number[key]
        return kinds

    def _balanced(self) -> float:
        """The leaf prior nearest one half for which the root is a fair coin."""

        kinds = self._kinds()

        def off(leaf_prior: float) -> float:
            priors: list[float] = []
            for gate, below, own in kinds:
                if gate is None:
                    priors.append(leaf_prior if math.isnan(own) else own)
                else:
                    priors.append(gate.prior(np.array([priors[kind] for kind in below])))
            return priors[-1] - 0.5

        if abs(off(0.5)) < 1e-12:
            return 0.5
        grid = np.linspace(0.0, 1.0, 201)[1:-1]
        values = np.array([off(p) for p in grid])
        turns = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
        roots = [float(brentq(off, grid[i], grid[i + 1], xtol=1e-13)) for i in turns]
        roots += [float(p) for p, v in zip(grid, values, strict=True) if abs(v) < 1e-12]
        roots += _touches(off, grid, values)
        if roots:
            return min(roots, key=lambda p: abs(p - 0.5))
        best = minimize_scalar(lambda p: abs(off(p)), bounds=(1e-6, 1 - 1e-6), method="bounded")
        raise TreeError(
            "no leaf prior makes the root of this tree a fair coin "
            f"(nearest {best.x:.3f}, root {0.5 + off(best.x):.3f}); give leaf_prior a number"
        )


def _touches(off: Callable[[float], float], grid: FloatArray, values: FloatArray) -> list[float]:
    """Where a smooth function touches zero between grid points without crossing it."""
    size = np.abs(values)
    lowest = np.flatnonzero((size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])) + 1
    touches = []
    for i in lowest:
        ends = (float(grid[i - 1]), float(grid[i + 1]))
        best = minimize_scalar(
            lambda p: abs(off(p)), bounds=ends, method="bounded", options={"xatol": 1e-12}
        )
        if abs(off(best.x)) < 1e-10:
            touches.append(float(best.x))
    return touches
