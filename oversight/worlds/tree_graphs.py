"""Task trees from graphs: every inner node has a gate, and the shape is a tree's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import networkx as nx
import numpy as np
from pydantic import Field

from oversight.core.config import fits
from oversight.core.errors import TreeError
from oversight.worlds import gates
from oversight.worlds.gates import Gate
from oversight.worlds.tree import MOST_NODES, TaskTree

if TYPE_CHECKING:
    Graph = nx.DiGraph[Any]

Prior = Annotated[float, Field(strict=True, ge=1e-6, le=1 - 1e-6, allow_inf_nan=False)]
"""P(true) of a leaf."""
PRIOR_RANGE = "a number between 0 and 1 (from 0.000001 to 0.999999)"


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
    if around := _cycle(graph):
        more = f" -> {len(around) - 5:,} more" if len(around) > 5 else ""
        cycle = " -> ".join(around[:5]) + more
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


def _cycle(graph: Graph) -> list[str]:
    """Nodes that lead around in a circle, in order; none in a tree."""
    above = dict(graph.in_degree())
    ready = [node for node, count in above.items() if not count]
    while ready:
        for child in graph.successors(ready.pop()):
            above[child] -= 1
            if not above[child]:
                ready.append(child)
    left = {node: None for node, count in above.items() if count}
    walked: dict[object, None] = {}
    node = next(iter(left), None)
    while left and node not in walked:
        walked[node] = None
        node = next(parent for parent in graph.predecessors(node) if parent in left)
    backward = list(map(str, walked))
    return backward[backward.index(str(node)) :][::-1] if left else []


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
    if not fits(Prior, prior):
        raise TreeError(f"node {str(node)!r} has prior {prior!r}; expected {PRIOR_RANGE}")
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
