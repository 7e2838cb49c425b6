"""Where a copy of the strong model lies, and what it then states (MODEL 10)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from oversight.components.profiles import Strategy
from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray, lock
from oversight.core.streams import Draws
from oversight.overseers.perception import Perceiver
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree


@dataclass(frozen=True)
class Lies:
    """The claims about which a copy of U acts on the opposite of what it perceives.

    together  whether copies of U throw the argument for the truth
    attacked  the items that it attacks, bool over items
    false     where it acts on a falsehood, bool (nodes, items)
    usual     by node, the size of the log-odds that it usually states there, stated of a lie; None
              where it states a lie with the evidence that it has for the truth
    """

    together: bool
    attacked: BoolArray
    false: BoolArray = field(repr=False)
    usual: FloatArray | None = None

    def __post_init__(self) -> None:
        lock(self, "attacked", "false", "usual")

    @staticmethod
    def of(strategy: Strategy, attacked: BoolArray, honest: Perceiver) -> Lies:
        """What an honest copy, prepared for a pool, does when it attacks these items of it."""
        pool, items = honest.pool, np.flatnonzero(attacked)
        tree = pool.tree
        nodes = np.flatnonzero(tree.heights >= 0)
        perceived = np.zeros((len(tree), items.size), dtype=np.bool_)
        perceived[nodes] = honest.perceive(Claims.of(items, nodes[:, None])) > 0
        false = np.zeros((len(tree), attacked.size), dtype=np.bool_)
        acted = nearest(tree, perceived, ~perceived[ROOT], pool.draws, items)
        false[:, items] = acted != perceived
        usual = _usual(honest) if strategy.states == "bluff" else None
        return Lies(strategy.copies == "together", attacked, false, usual)

    def at(self, claims: Claims) -> BoolArray:
        """Whether it acts on a falsehood, bool over claims."""
        return np.asarray(self.false[claims.node, claims.item])

    def stated(
        self, claims: Claims, evidence: FloatArray, prior: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Evidence and prior as it states them, from those that it has: both change sign."""
        false = self.at(claims)
        size, start = evidence, np.broadcast_to(prior, claims.shape)
        if self.usual is not None:
            size, start = np.copysign(self.usual[claims.node], evidence), np.zeros(claims.shape)
        return np.where(false, -size, evidence), np.where(false, -start, prior)


def _usual(honest: Perceiver) -> FloatArray:
    """The median size of the log-odds that a copy states of all claims of a height, by node."""
    pool, heights = honest.pool, honest.pool.template.heights
    usual = np.zeros(heights.size)
    for height in range(int(heights.max()) + 1):
        nodes = heights == height
        stated = honest.stated(pool.roots.at(np.flatnonzero(nodes)[:, None]), None, 1.0)
        usual[nodes] = np.median(np.abs(np.add(*stated)))
    return usual


def nearest(
    tree: TaskTree, perceived: BoolArray, root: BoolArray, draws: Draws, items: IntArray
) -> BoolArray:
    """The assignment to all nodes that is consistent with these values of the root and nearest to
    what is perceived, in nodes that differ. Ties are broken at random, item by item.

    perceived  (nodes, items)
    root       (items,)
    draws      of the pool; `items` are the numbers of the items in it

    Dynamic programming: the least number of changes below each node, from the leaves up, for either
    value; then the choices, from the root down.
    """
    least = np.zeros((2, *perceived.shape), dtype=np.int64)
    for node in reversed(range(len(tree))):
        gate = tree.gate[node]
        if gate is not None:
            below = _changes(gate, least[:, list(tree.children[node])])
            for value in (0, 1):
                least[value, node] = below[_yields(gate, bool(value))].min(axis=0)
        least[0, node] += perceived[node]
        least[1, node] += ~perceived[node]
    assigned = perceived.copy()
    assigned[ROOT] = root
    for node, gate in enumerate(tree.gate):
        if gate is None or tree.heights[node] < 0:
            continue
        children = np.array(tree.children[node])
        below = _changes(gate, least[:, children])
        luck = draws.column("random", 0, "strategy", "nearest", node)[items]
        for value in (False, True):
            at, codes = np.flatnonzero(assigned[node] == value), _yields(gate, value)
            ways = below[np.ix_(codes, at)]
            best = ways == ways.min(axis=0)
            rank = (luck[at] * best.sum(axis=0)).astype(np.int64)
            code = codes[np.argmax(np.cumsum(best, axis=0) > rank, axis=0)]
            assigned[np.ix_(children, at)] = gate.bits[code].T
    return assigned


def _changes(gate: Gate, least: IntArray) -> IntArray:
    """The least number of changes under a node, by code of its children: (codes, items), from
    those under each child, (2, children, items)."""
    return np.asarray(gate.bits.astype(np.int64) @ (least[1] - least[0]) + least[0].sum(axis=0))


def _yields(gate: Gate, value: bool) -> IntArray:
    """The codes under which a gate has a value; of one question asked again, all answers alike."""
    if gate.repeat:
        return np.array([len(gate.table) - 1 if value else 0])
    return np.flatnonzero(gate.outputs == value)
