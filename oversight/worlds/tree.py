"""Task trees: how a question breaks into smaller ones. One template serves all items of a
scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from scipy.optimize import brentq, minimize_scalar

from oversight.core.claims import FloatArray, IntArray, read_only, without_cache
from oversight.core.config import OpenShare, fits
from oversight.core.errors import TreeError
from oversight.worlds import gates
from oversight.worlds.gates import Gate

if TYPE_CHECKING:
    Graph = nx.DiGraph[Any]

MOST_NODES = 50_000


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
            return self.filled(prior)
        if not any(math.isnan(self.leaf_prior[leaf]) for leaf in self.leaves):
            return self  # every leaf has a prior of its own: there is nothing to solve for
        return self.filled(self._balanced())

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


def balanced(branching: int, depth: int, gate_names: Sequence[object]) -> TaskTree:
    """A tree in which every inner node has `branching` children; one gate a level, the root's
    first."""
    nodes = depth + 1 if branching == 1 else (branching ** (depth + 1) - 1) // (branching - 1)
    if nodes > MOST_NODES:
        raise TreeError(
            f"a tree of {nodes:,} nodes; at most {MOST_NODES:,} fit (lower branching or depth)"
        )
    graph: Graph = nx.DiGraph()
    graph.add_node("root")
    level = ["root"]
    for gate in gate_names:
        below = []
        for parent in level:
            graph.nodes[parent]["gate"] = gate
            for i in range(branching):
                child = str(i + 1) if parent == "root" else f"{parent}.{i + 1}"
                graph.add_edge(parent, child)
                below.append(child)
        level = below
    return from_graph(graph)


def from_graph(graph: Graph) -> TaskTree:
    """A task tree from a networkx graph: edges from question to sub-question, in order.

    Node attributes: `gate` on inner nodes (name or truth table), `prior` on leaves (optional, in
    (0, 1)). Raises TreeError naming the node that is wrong.
    """
    _check_shape(graph)
    root = next(node for node, degree in graph.in_degree() if degree == 0)
    order = [root, *(child for _, child in nx.bfs_edges(graph, root))]
    number = {node: i for i, node in enumerate(order)}
    children = tuple(tuple(number[c] for c in graph.successors(node)) for node in order)
    tree_gates = tuple(_gate_of(graph, node) for node in order)
    priors = tuple(_prior_of(graph, node) for node in order)
    tree = TaskTree(tuple(map(str, order)), children, tree_gates, priors)
    if any(gate is not None and gate.repeat for gate in tree.gate):
        _check_repeats(tree)
    return tree


def _check_shape(graph: Graph) -> None:
    if len(graph) == 0:
        raise TreeError("the tree has no nodes; expected at least a root")
    if len(graph) > MOST_NODES:
        raise TreeError(f"a tree of {len(graph):,} nodes; at most {MOST_NODES:,} fit")
    if graph.is_multigraph():
        raise TreeError("two edges between the same nodes; a question has one parent, once")
    if not nx.is_directed_acyclic_graph(graph):
        cycle = " -> ".join(str(edge[0]) for edge in nx.find_cycle(graph))
        raise TreeError(
            f"the tree has a cycle ({cycle}); expected every question to break into smaller ones"
        )
    roots = [str(node) for node, degree in graph.in_degree() if degree == 0]
    if len(roots) != 1:
        raise TreeError(f"{len(roots)} roots ({', '.join(roots[:5])}); expected one")
    shared = [str(node) for node, degree in graph.in_degree() if degree > 1]
    if shared:
        raise TreeError(
            f"node {shared[0]!r} has several parents; expected one (copy it under each)"
        )
    if nx.dag_longest_path_length(graph) > 500:
        raise TreeError("a tree deeper than 500; expected at most that")


def _gate_of(graph: Graph, node: object) -> Gate | None:
    children = graph.out_degree(node)
    gate = graph.nodes[node].get("gate")
    if children == 0:
        if gate is not None:
            raise TreeError(
                f"node {str(node)!r} has a gate but no children; leave the gate out of leaves"
            )
        return None
    if gate is None:
        raise TreeError(
            f"node {str(node)!r} has children but no gate; expected {', '.join(gates.NAMES)} or "
            "a table"
        )
    try:
        return gates.parse(gate, children)
    except ValueError as error:
        raise TreeError(f"node {str(node)!r}: {error}") from None


def _prior_of(graph: Graph, node: object) -> float:
    prior = graph.nodes[node].get("prior")
    if graph.out_degree(node) or prior is None:
        if prior is not None:
            raise TreeError(f"node {str(node)!r} has children and a prior; a prior is for leaves")
        return math.nan
    if not fits(OpenShare, prior):
        raise TreeError(
            f"node {str(node)!r} has prior {prior!r}; expected a number between 0 and 1"
        )
    return float(prior)


def _check_repeats(tree: TaskTree) -> None:
    trial = tree.filled(0.4).priors
    for node, gate in enumerate(tree.gate):
        if gate is None or not gate.repeat:
            continue
        if np.ptp(trial[list(tree.children[node])]) > 1e-9:
            raise TreeError(
                f"node {tree.labels[node]!r} repeats one question, but its children have different "
                "priors; expected the same below each"
            )
