"""Item 1 and 3: people are as accurate as said, at every height and prior, and calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, log_ndtr, ndtr

from oversight import Claims, Human, Panel
from oversight.metrics import closed_forms as theory
from oversight.overseers.drift import Drift
from oversight.overseers.model import Model
from oversight.overseers.perception import Attention, logit_phi, moved_accuracy
from oversight.worlds.tree_graphs import from_graph
from tests.helpers import binomial_error, pool, setting, tree, world

TREES = {
    "balanced or/and": tree("or", "and"),
    "lopsided or/and": tree("or", "and", leaf_prior=0.85),
    "rare and/or": tree("and", "or", leaf_prior=0.12),
    "parity": tree("xor", "majority", leaf_prior=0.4),
    "repeat": tree("repeat", "or"),
}


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("who", [Human(), Model()])
def test_right_as_often_as_said_at_every_height(name: str, who: Human | Model) -> None:
    items = pool(world(tree=TREES[name], train_items=20_000))
    wanted = {0: 0.9, 2: 0.7} if isinstance(who, Human) else {0: 0.98, 2: 0.95}
    odds = [np.log(a / (1 - a)) for a in wanted.values()]
    wanted[1] = float(expit(np.mean(odds)))
    prepared = who.prepare(items, setting())
    for height, accuracy in wanted.items():
        nodes = np.flatnonzero(items.tree.heights == height)
        claims = Claims.of(items.everyone, nodes[:, None])
        right = prepared.assess(claims).answer == items.truth(claims)
        # Claims of one item share its misconception, so that only items are independent.
        each = right.mean(axis=0)
        error = each.std() / np.sqrt(each.size)
        assert right.mean() == pytest.approx(accuracy, abs=4.5 * error)


@pytest.mark.parametrize("value", [True, False])
def test_right_as_often_on_true_as_on_false_claims(value: bool) -> None:
    items = pool(world(tree=tree("or", "and", leaf_prior=0.85), train_items=20_000))
    claims = Claims.of(items.everyone, items.tree.leaves[:, None])
    right = Human().prepare(items, setting()).assess(claims).answer == items.truth(claims)
    chosen = right[items.truth(claims) == value]
    assert chosen.mean() == pytest.approx(0.9, abs=9 * binomial_error(0.9, chosen.size))


@pytest.mark.parametrize("name", ["balanced or/and", "lopsided or/and", "rare and/or"])
def test_beliefs_are_calibrated_at_lopsided_priors(name: str) -> None:
    items = pool(world(tree=TREES[name], train_items=30_000, claim_correlation=0.0))
    for node in (0, 1, int(items.tree.leaves[0])):
        claims = Claims.of(items.everyone, node)
        belief = Human().prepare(items, setting()).assess(claims).belief
        truth = items.truth(claims)
        for low in np.arange(0, 1, 0.1):
            here = (belief >= low) & (belief < low + 0.1)
            if here.sum() > 100:
                error = binomial_error(float(belief[here].mean()), float(here.sum()))
                assert truth[here].mean() == pytest.approx(belief[here].mean(), abs=4.5 * error)


def test_a_scenario_that_says_70_percent_against_gold_gets_it() -> None:
    items = pool(world(ceiling=0.95, train_items=200_000, features=2))
    verdicts = Human().prepare(items, setting(root=0.70)).assess(items.roots)
    error = binomial_error(0.7, 200_000)
    assert np.mean(verdicts.answer == items.gold) == pytest.approx(0.70, abs=4 * error)
    intended = (0.70 - 0.05) / 0.9
    assert np.mean(verdicts.answer == items.intended) == pytest.approx(intended, abs=4 * error)


def test_accuracies_can_be_listed_root_first() -> None:
    items = pool(world(train_items=50_000))
    prepared = Human(accuracy=[0.6, 0.8, 0.75]).prepare(items, setting())
    for node, wanted in ((0, 0.6), (1, 0.8), (int(items.tree.leaves[0]), 0.75)):
        claims = Claims.of(items.everyone, node)
        right = np.mean(prepared.assess(claims).answer == items.truth(claims))
        assert right == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, 50_000))
        assert prepared.reliability(node) == pytest.approx(wanted)


def test_confidence_multiplies_log_odds_and_changes_no_answer() -> None:
    items = pool(world(tree=tree("or", "and", leaf_prior=0.85)))
    claims = Claims.of(items.everyone, items.tree.leaves[:, None])
    plain = Human().prepare(items, setting()).assess(claims)
    sure = Human(confidence=2.5).prepare(items, setting()).assess(claims)
    assert np.array_equal(plain.answer, sure.answer)
    np.testing.assert_allclose(sure.evidence + sure.prior, 2.5 * (plain.evidence + plain.prior))


def test_effort_scales_the_signal_to_noise_ratio_by_its_root() -> None:
    items = pool(world(train_items=50_000))
    tired = Human(effort=0.25).prepare(items, setting()).assess(items.roots)
    wanted = 1 - np.arctan(np.tan(np.pi * 0.3) / np.sqrt(0.25)) / np.pi
    right = np.mean(tired.answer == items.intended)
    assert right == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, 50_000))


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_attention_by_item_moves_accuracy_and_minutes_item_by_item(difficulty: float) -> None:
    """Skill by row moves accuracy as it moves that of a person, and effort as `effort` does."""
    items, row = pool(world(train_items=60_000)), np.arange(60_000) % 3
    effort, pace, skill = np.array([1.0, 0.25, 1.0]), np.array([1.0, 2.0, 1.0]), [0.0, 0.0, 0.6]
    plain = Attention(row, effort, pace, np.zeros(3), 0.0, None, items.everyone % 4 > 0)
    moved = replace(plain, skill=np.array(skill), skill_sd=0.5)
    who = setting(difficulty=difficulty)
    middling = [float(moved_accuracy(np.array([0.7]), 0.5, by)[0]) for by in (0.0, 0.6)]
    for attention, full in ((plain, (0.7, 0.7, 0.7)), (moved, (middling[0], *middling))):
        ready = Human().prepare(items, who).attending(attention)
        verdicts, wanted = ready.assess(items.roots), []
        for i in range(3):
            lone = Drift.of(np.array([full[i]]), difficulty, float(effort[i]))
            wanted.append(float(lone.accuracy[0]))
            right = (verdicts.answer == items.intended)[row == i]
            error = binomial_error(wanted[i], 20_000)
            assert right.mean() == pytest.approx(wanted[i], abs=4.5 * error)
            assert set(verdicts.minutes[row == i]) == {12 / pace[i]}
        assert ready.reliability(0) == pytest.approx(np.mean(wanted), abs=1e-9)
        assert np.array_equal(verdicts.labeled, attention.done)


@pytest.mark.parametrize("sd", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("accuracy", [0.55, 0.9])
def test_the_mean_over_people_stays_at_any_spread(accuracy: float, sd: float) -> None:
    by = sd * np.linspace(-8, 8, 801)
    weight = np.exp(-((by / sd) ** 2) / 2)
    each = [float(moved_accuracy(np.array([accuracy]), sd, one)[0]) for one in by]
    assert weight @ each / weight.sum() == pytest.approx(accuracy, abs=1e-6)


def test_a_person_is_the_same_on_every_pool_of_a_replicate() -> None:
    person = Human(skill_sd=0.8)
    train, test, later = (
        person.prepare(pool(world(train_items=10), replicate=n, part=part), setting()).reliability(
            0
        )
        for n, part in ((0, "train"), (0, "test"), (1, "train"))
    )
    assert train == test != later


def test_skill_differs_between_people_and_keeps_the_mean() -> None:
    items = pool(world(train_items=10))
    people = [Human(person=i, skill_sd=0.8).prepare(items, setting()) for i in range(3000)]
    skills = np.array([person.reliability(0) for person in people])
    assert skills.mean() == pytest.approx(0.7, abs=4.5 * skills.std() / np.sqrt(3000))
    odds = np.log(skills / (1 - skills))
    assert odds.std() == pytest.approx(0.8, abs=4.5 * 0.8 / np.sqrt(2 * 3000))


@pytest.mark.parametrize("people", [2, 3, 9])
@pytest.mark.parametrize("structure", [0.0, 0.6, 1.0])
def test_averaging_people(people: int, structure: float) -> None:
    items = pool(world(train_items=100_000, features=2))
    work = setting(structure=structure)
    seen = [Human(person=i).prepare(items, work).perceive(items.roots) for i in range(people)]
    right = np.mean((np.mean(seen, axis=0) > 0) == items.intended)
    wanted = theory.panel_accuracy(0.7, structure, people)
    assert right == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, 100_000))


def test_averaging_is_not_voting() -> None:
    # .7492 against .7381 at three people, A = .7, s = .3.
    people, share = 3, 0.3
    r = np.cos(np.pi * 0.3)
    average = theory.panel_accuracy(0.7, share, people)
    assert average == pytest.approx(0.7492, abs=5e-5)
    assert theory.panel_accuracy(0.7, 1.0, people) == pytest.approx(0.7)
    # Given margin and misconception, people vote alike and independently.
    b = np.linspace(-8, 8, 802)  # the margin of a true claim is its absolute value: half-normal
    weight = np.exp(-b * b / 2) / np.exp(-b * b / 2).sum()
    m = np.abs(b)[:, None]
    one = ndtr((r * m + np.sqrt((1 - r**2) * share) * b) / np.sqrt((1 - r**2) * (1 - share)))
    assert weight @ one @ weight == pytest.approx(0.7, abs=1e-4)
    vote = float(weight @ (3 * one**2 - 2 * one**3) @ weight)
    assert vote == pytest.approx(0.7381, abs=5e-5)
    items = pool(world(train_items=100_000, features=2))
    work = setting(structure=share)
    seen = np.stack(
        [Human(person=i).prepare(items, work).perceive(items.roots) for i in range(people)]
    )
    members = tuple(Human(person=i) for i in range(people))
    for rule, wanted, answer in (
        ("average", average, seen.mean(axis=0) > 0),
        ("majority", vote, (seen > 0).sum(axis=0) > 1),
    ):
        panel = Panel(members=members, rule=rule).prepare(items, work).assess(items.roots).answer
        assert np.array_equal(panel, answer)
        error = binomial_error(wanted, 100_000)
        assert np.mean(panel == items.intended) == pytest.approx(wanted, abs=4 * error)
    both = ((seen.mean(axis=0) > 0) == items.intended).astype(float)
    both -= ((seen > 0).sum(axis=0) > 1) == items.intended
    assert both.mean() == pytest.approx(average - vote, abs=4 * both.std() / np.sqrt(both.size))
    assert both.mean() > 4 * both.std() / np.sqrt(both.size)


def test_people_share_the_misconception_and_not_their_noise() -> None:
    items = pool(world(train_items=50_000, features=2))
    one, two = (Human(person=i).prepare(items, setting(structure=0.6)) for i in (0, 1))
    r = np.cos(np.pi * 0.3)
    seen = np.corrcoef(one.perceive(items.roots), two.perceive(items.roots))[0, 1]
    wanted = r**2 + (1 - r**2) * 0.6
    assert seen == pytest.approx(wanted, abs=4.5 * (1 - wanted**2) / np.sqrt(50_000))


def test_evidence_of_what_is_seen_keeps_its_strength_in_the_tails() -> None:
    x = np.linspace(-60, 60, 241)
    np.testing.assert_allclose(logit_phi(x), log_ndtr(x) - log_ndtr(-x), rtol=1e-12, atol=1e-14)


def test_a_trace_names_whom_it_is_about() -> None:
    items = pool(world(train_items=10))
    claims = Claims.of(items.everyone, 0, traced=True)
    for who, name in (
        (Human(), "a person"),
        (Human(person=2), "person 2"),
        (Human(person=2, copy_number=1), "person 2 (copy 1)"),
    ):
        trace = who.prepare(items, setting()).assess(claims).trace
        assert trace is not None
        assert trace.title == name


def test_the_same_person_sees_a_claim_the_same_way_everywhere() -> None:
    items = pool(world())
    first = Human().prepare(items, setting()).assess(items.roots)
    again = Human(minutes=None).prepare(items, setting()).assess(items.roots)
    other = Human(person=1).prepare(items, setting()).assess(items.roots)
    assert np.array_equal(first.evidence, again.evidence)
    assert not np.array_equal(first.evidence, other.evidence)


def test_minutes_are_geometric_between_leaf_and_root() -> None:
    items = pool(world())
    prepared = Human().prepare(items, setting())
    claims = Claims.of(np.array([0]), np.array([0, 1, 4])[:, None])
    assert prepared.assess(claims).minutes.ravel() == pytest.approx([12, np.sqrt(24), 2])


def test_irregular_trees_take_accuracy_by_height() -> None:
    import networkx as nx

    graph = nx.DiGraph([("r", "a"), ("r", "b"), ("a", "c"), ("a", "d"), ("c", "e"), ("c", "f")])
    for node, gate in (("r", "and"), ("a", "or"), ("c", "xor")):
        graph.nodes[node]["gate"] = gate
    template = from_graph(graph)
    assert template.heights.tolist() == [3, 2, 0, 1, 0, 0, 0]
