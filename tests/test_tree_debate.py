"""Item 5: with a perfect U and T = 0, tree debate is as accurate as the judge is on leaves."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mechanisms.debate import Debate
from oversight import Claims
from oversight.components.profiles import ModelSettings
from oversight.worlds.tree import TaskTree
from oversight.worlds.tree_graphs import from_graph
from tests.helpers import binomial_error, pool, setting, tree, world
from tests.test_representable_share import measured
from tests.test_world import around, irregular

ITEMS = 40_000


def chain() -> TaskTree:
    """A tree in which some leaves are much deeper than others, with a gate that negates."""
    graph = nx.DiGraph([("r", "a"), ("r", "l"), ("a", "b"), ("b", "c"), ("b", "d"), ("b", "e")])
    for node, gate in (("r", "and"), ("a", "10"), ("b", "majority")):
        graph.nodes[node]["gate"] = gate
    return from_graph(graph).with_leaf_prior(0.45)


TREES = {
    "or/and": tree("or", "and").tree,
    "and/or/and": tree("and", "or", "and", branching=2).tree,
    "parity": tree("xor", "xor").tree,
    "majority": tree("majority", "majority").tree,
    "truth tables": tree("0110", "1011", branching=2, leaf_prior=0.6).tree,
    "repeat": tree("repeat", "or").tree,
    "lopsided": tree("or", "and", leaf_prior=0.8).tree,
    "irregular": irregular(),
    "chain with a negation": chain(),
}


@pytest.mark.parametrize("name", TREES)
def test_leaf_accuracy_whoever_announces_first(name: str) -> None:
    items = pool(around(TREES[name], train_items=ITEMS, features=2))
    work = setting(leaf=0.85, u_root=1.0, u_leaf=1.0)
    debate = Debate(tree=True, turns=0).prepare(items, work)
    verdicts = debate.assess(items.roots)
    right = verdicts.answer == items.intended
    honest = debate.chance(items.roots).coin("first announcer") == items.intended
    for announcer in (honest, ~honest):
        error = binomial_error(0.85, float(announcer.sum()))
        assert right[announcer].mean() == pytest.approx(0.85, abs=4.5 * error)
    # One leaf check an item, and nothing else of people's time.
    assert set(verdicts.minutes) == {2.0}


@pytest.mark.parametrize(("model", "wanted"), [(0.999, 0.849), (0.99, 0.828)])
def test_a_nearly_perfect_model(model: float, wanted: float) -> None:
    items = pool(world(tree=tree("and", "or", "and"), train_items=300_000, features=2))
    work = setting(leaf=0.85)
    u = ModelSettings(accuracy=(model,) * 4, shared_bias=0.0)
    debate = Debate(tree=True, turns=0).prepare(items, type(work)(work.people, u))
    right = np.mean(debate.assess(items.roots).answer == items.intended)
    assert right == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, 300_000) + 0.0005)


def test_tree_debate_follows_the_tree_and_not_the_item() -> None:
    items = pool(world(decomposability=0.0, train_items=ITEMS, features=2))
    debate = Debate(tree=True, turns=0).prepare(items, setting(leaf=0.99, u_root=1.0, u_leaf=1.0))
    right = np.mean(debate.assess(items.roots).answer == items.intended)
    assert right == pytest.approx(0.5, abs=4.5 * binomial_error(0.5, ITEMS))


def test_an_exchange_at_the_leaf_helps() -> None:
    items = pool(world(train_items=ITEMS, features=2))
    work = setting(leaf=0.75, u_root=1.0, u_leaf=1.0)
    silent, told = (
        np.mean(
            Debate(tree=True, turns=t).prepare(items, work).assess(items.roots).answer
            == items.intended
        )
        for t in (0, 3)
    )
    assert told - silent > 4.5 * binomial_error(0.75, ITEMS)


def test_residual_errors_are_hardly_representable() -> None:
    pools = [
        pool(world(train_items=4000, claim_correlation=0.5), replicate=run) for run in range(10)
    ]
    people = setting(leaf=0.8, u_leaf=1.0, u_root=1.0)
    debates = [Debate(tree=True, turns=0).prepare(items, people) for items in pools]
    share = measured([debate.assess(debate.pool.roots).answer for debate in debates], pools)
    # Of the people's own errors, .6 is representable: most of that has gone.
    assert share.high < 0.3


def test_a_leaf_claim_is_judged_where_it_stands() -> None:
    items = pool(world(train_items=2000))
    leaf = Claims.of(items.everyone, int(items.tree.leaves[0]))
    debate = Debate(tree=True, turns=0).prepare(items, setting(leaf=0.85))
    right = np.mean(debate.assess(leaf).answer == items.truth(leaf))
    assert right == pytest.approx(0.85, abs=4.5 * binomial_error(0.85, 2000))


def test_two_model_calls_a_level_and_candidates_for_each_argument() -> None:
    items = pool(world(train_items=20))
    debate = Debate(tree=True, turns=1, candidates=3).prepare(items, setting())
    assert set(debate.assess(items.roots).calls) == {2 * 2 + 2 * 3}
