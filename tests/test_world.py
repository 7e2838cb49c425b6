"""Concept items: truths follow the tree, margins and misconceptions are as drawn in the model."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from oversight import Claims
from oversight.worlds.tree import TaskTree
from oversight.worlds.tree_graphs import from_graph
from tests.helpers import binomial_error, pool, tree, world


def irregular() -> TaskTree:
    """Leaves at three depths, five kinds of gate, leaf priors of their own."""
    graph = nx.DiGraph()
    gates = {"r": "or", "a": "and", "b": "0110", "c": "majority", "d": "repeat"}
    for node, gate in gates.items():
        graph.add_node(node, gate=gate)
    graph.add_edges_from([("r", "a"), ("r", "b"), ("r", "x"), ("a", "c"), ("a", "y"), ("b", "d")])
    graph.add_edges_from(
        [("b", "z"), *[("c", f"c{i}") for i in range(3)], ("d", "d0"), ("d", "d1")]
    )
    for node, prior in (("x", 0.2), ("y", 0.9), ("z", 0.35), ("c0", 0.7), ("c1", 0.6)):
        graph.nodes[node]["prior"] = prior
    return from_graph(graph).with_leaf_prior(0.5)


def every_truth(items):  # type: ignore[no-untyped-def]
    nodes = np.arange(len(items.tree))[:, None]
    truths = items.truth(Claims.of(items.everyone, nodes))
    return truths


class _World(type(world())):
    """A world around a template given as such."""

    _given: TaskTree

    @property
    def task_tree(self) -> TaskTree:
        return self._given


def around(template: TaskTree, **changes: object):  # type: ignore[no-untyped-def]
    made = _World(**{**world(**changes).__dict__})
    made.__pydantic_private__ = {"_given": template}
    return made


@pytest.mark.parametrize(
    "template", [tree("or", "and").tree, tree("xor", "0110", branching=2).tree]
)
def test_truths_follow_the_gates(template: TaskTree) -> None:
    check(template)


def test_truths_follow_the_gates_of_irregular_trees() -> None:
    check(irregular())


def check(template: TaskTree) -> None:
    items = pool(around(template, train_items=20_000))
    truths = every_truth(items)
    for node, gate in enumerate(template.gate):
        below = truths[list(template.children[node])]
        if gate is not None:
            assert np.array_equal(gate.output(below), truths[node])
        if gate is not None and gate.repeat:
            assert (below == truths[node]).all()
    assert np.array_equal(truths[0], items.intended)
    for node, wanted in enumerate(template.marginals):
        error = binomial_error(float(wanted), 20_000)
        assert truths[node].mean() == pytest.approx(wanted, abs=4.5 * error)


@pytest.mark.parametrize(
    "gates", [("xor", "or"), ("xor", "and"), ("xor", "majority"), ("xor", "xor", "or")]
)
def test_a_root_that_touches_one_half_without_crossing_is_balanced(gates: tuple[str, ...]) -> None:
    for branching in (2, 3):
        template = tree(*gates, branching=branching).tree
        assert template.priors[0] == pytest.approx(0.5, abs=1e-9)


def test_two_ors_below_a_parity() -> None:
    prior = tree("xor", "or", branching=2).tree.leaf_prior[-1]
    assert prior == pytest.approx(1 - np.sqrt(0.5), abs=1e-5)  # .293: (1 - p)^2 = 1/2


def test_the_balanced_leaf_prior_is_as_published() -> None:
    assert tree("or", "and").tree.leaf_prior[-1] == pytest.approx(0.591, abs=0.0005)
    assert tree("or", "and").tree.priors[0] == pytest.approx(0.5, abs=1e-9)
    assert tree("xor", branching=2).tree.leaf_prior[-1] == 0.5


def test_margins_and_misconceptions() -> None:
    items = pool(world(train_items=40_000, claim_correlation=0.4))
    error = 4.5 / np.sqrt(40_000)
    for node in (0, 1, 6):
        claims = Claims.of(items.everyone, node)
        margin, off = items.margin(claims), items.misconception(claims)
        assert np.array_equal(margin > 0, items.truth(claims))
        assert np.abs(margin).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=error)
        assert (margin**2).mean() == pytest.approx(1, abs=error * np.sqrt(2))
        assert off.mean() == pytest.approx(0, abs=error)
        assert np.corrcoef(margin, off)[0, 1] == pytest.approx(0, abs=error)
    root, leaf, other = (items.misconception(Claims.of(items.everyone, n)) for n in (0, 6, 7))
    assert np.corrcoef(root, leaf)[0, 1] == pytest.approx(np.sqrt(0.4), abs=error)
    assert np.corrcoef(leaf, other)[0, 1] == pytest.approx(0.4, abs=error)


def test_gold_is_the_intended_answer_with_label_noise() -> None:
    items = pool(world(train_items=40_000, ceiling=0.9))
    wrong = np.mean(items.gold != items.intended)
    assert wrong == pytest.approx(0.1, abs=4.5 * binomial_error(0.1, 40_000))


def test_decomposability_is_the_share_of_trees_that_decide() -> None:
    items = pool(world(train_items=40_000, decomposability=0.8))
    top = items.truth(Claims.of(items.everyone, np.arange(1, 4)[:, None])).any(axis=0)
    agrees = np.mean(top == items.intended)
    assert agrees == pytest.approx(0.9, abs=4.5 * binomial_error(0.9, 40_000))


def test_claims_have_features_in_which_margin_and_misconception_are_directions() -> None:
    items = pool(world())
    for node in (0, 2, 8):
        claims = Claims.of(items.everyone, node)
        concept, misconception = items.directions(int(items.tree.heights[node]))
        assert concept @ misconception == pytest.approx(0, abs=1e-12)
        seen = items.features(claims)
        np.testing.assert_allclose(seen @ concept, items.margin(claims), atol=1e-12)
        np.testing.assert_allclose(seen @ misconception, items.misconception(claims), atol=1e-12)
    mixed = Claims.of(np.array([5, 9, 5]), np.array([0, 8, 8]))
    np.testing.assert_array_equal(
        items.features(mixed)[1], items.features(Claims.of(items.everyone, 8))[9]
    )


def test_training_and_test_items_differ_and_share_the_concept() -> None:
    small = world()
    train, test = pool(small), pool(small, part="test")
    assert not np.array_equal(train.x, test.x)
    assert np.array_equal(train.directions(2)[0], test.directions(2)[0])
    again = pool(world(tree=tree("and", "or", "and")))
    assert np.array_equal(train.x, again.x)
    assert np.array_equal(train.intended, again.intended)
