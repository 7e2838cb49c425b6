"""What panels state: their beliefs follow the laws of MODEL 3, without gold and without knowing how
much their members misunderstand together."""

from __future__ import annotations

import numpy as np
import pytest

from mechanisms.decomposition import Decomposition
from mechanisms.vote import Vote
from oversight import Claims, Evidence, Human, Mechanism, Rule, Verdicts
from oversight.metrics import closed_forms as theory
from oversight.overseers import dawid_skene
from oversight.overseers.panel_law import pooled_gain, vote_accuracy, vote_evidence
from tests.helpers import binomial_error, pool, setting, tree, world

ITEMS = 100_000


def shown(
    overseer: Vote | Decomposition, structure: float, leaf: float = 0.92
) -> tuple[Verdicts, float]:
    """Verdicts about root claims, and how often they are right."""
    top = tree("or", "and") if isinstance(overseer, Decomposition) else tree()
    items = pool(world(train_items=ITEMS, features=2, tree=top))
    ready = overseer.prepare(items, setting(root=0.7, leaf=leaf, structure=structure))
    verdicts = ready.assess(items.roots)
    return verdicts, float(np.mean(verdicts.answer == items.intended))


def team(members: int, rule: Rule) -> Vote:
    return Vote(members=tuple(Human() for _ in range(members)), rule=rule)


def miscalibration(verdicts: Verdicts, truth: np.ndarray) -> list[tuple[float, float]]:
    """By tenth of stated belief: how often it is right less what it states, with its error."""
    edges = np.quantile(verdicts.belief, np.linspace(0, 1, 11)[1:-1])
    place = np.digitize(verdicts.belief, edges)
    rows = []
    for tenth in range(10):
        here = place == tenth
        stated = float(verdicts.belief[here].mean())
        rows.append((float(truth[here].mean()) - stated, binomial_error(stated, float(here.sum()))))
    return rows


@pytest.mark.parametrize("structure", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("members", [2, 3, 5])
def test_averages_are_right_and_state_what_the_law_gives(members: int, structure: float) -> None:
    verdicts, right = shown(team(members, "average"), structure)
    law = theory.panel_accuracy(0.7, structure, members)
    error = binomial_error(law, ITEMS)
    assert right == pytest.approx(law, abs=4.5 * error)
    # c is read off answers: its error moves what is stated about as far as an error of accuracy.
    assert verdicts.confidence.mean() == pytest.approx(law, abs=9 * error)


def test_every_belief_of_an_average_is_calibrated() -> None:
    items = pool(world(train_items=400_000, features=2, tree=tree()))
    ready = team(5, "average").prepare(items, setting(root=0.7, structure=0.3))
    for off, error in miscalibration(ready.assess(items.roots), items.intended):
        assert abs(off) < 4.5 * error + 0.004  # and the error of c, from 400,000 items


@pytest.mark.parametrize("structure", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("members", [2, 3, 4, 5])
def test_votes_state_the_chance_that_they_are_right(members: int, structure: float) -> None:
    verdicts, right = shown(team(members, "majority"), structure)
    r = np.cos(np.pi * 0.3)
    law = vote_accuracy(0.7, r**2 + (1 - r**2) * structure, members)
    error = binomial_error(law, ITEMS)
    assert right == pytest.approx(law, abs=4.5 * error)
    assert verdicts.confidence.mean() == pytest.approx(law, abs=9 * error)


def test_published_panels() -> None:
    """Found outside: five people at .7 without common errors; five votes on leaves of .92."""
    for rule, published, within in (("average", 0.824, 0.0), ("majority", 0.798, 0.0)):
        verdicts, right = shown(team(5, rule), 0.0)  # type: ignore[arg-type]
        error = binomial_error(published, ITEMS)
        assert right == pytest.approx(published, abs=4.5 * error + 5e-4)
        assert verdicts.confidence.mean() == pytest.approx(published, abs=9 * error + 5e-4 + within)
    verdicts, right = shown(team(5, "confidence"), 0.0)
    assert verdicts.confidence.mean() == pytest.approx(right, abs=0.04)
    hard, right = shown(Decomposition(aggregate="hard", votes=5), 0.0)
    assert right == pytest.approx(0.920, abs=4.5 * binomial_error(0.920, ITEMS) + 5e-4)
    assert hard.confidence.mean() == pytest.approx(right, abs=9 * binomial_error(0.92, ITEMS))
    soft, right = shown(Decomposition(aggregate="soft", votes=5), 0.0)
    assert soft.confidence.mean() == pytest.approx(right, abs=0.04)


@pytest.mark.parametrize("rule", ["majority", "average", "confidence"])
def test_a_panel_knows_its_reliability(rule: Rule) -> None:
    items = pool(world(train_items=ITEMS, features=2, tree=tree()))
    ready = team(5, rule).prepare(items, setting(root=0.7, structure=0.3))
    right = float(np.mean(ready.assess(items.roots).answer == items.intended))
    assert ready.reliability(0) == pytest.approx(right, abs=9 * binomial_error(right, ITEMS))


def test_a_panel_of_one_is_as_reliable_as_that_one() -> None:
    ready = team(1, "majority").prepare(pool(world(train_items=10)), setting(root=0.7))
    assert ready.reliability(0) == pytest.approx(0.7)


@pytest.mark.parametrize("members", [2, 4])
def test_an_even_panel_breaks_ties_fairly(members: int) -> None:
    verdicts, _ = shown(team(members, "majority"), 0.3)
    positive = float(verdicts.answer.mean())
    assert positive == pytest.approx(0.5, abs=4.5 * binomial_error(0.5, ITEMS))


def test_unequal_members_state_the_truth_too() -> None:
    accuracies = (0.9, 0.65, 0.65)
    members = tuple(
        Human(person=i, accuracy={"root": a, "leaf": a}) for i, a in enumerate(accuracies)
    )
    verdicts, right = shown(Vote(members=members, rule="average"), 0.3)
    assert verdicts.confidence.mean() == pytest.approx(right, abs=9 * binomial_error(right, ITEMS))


def test_votes_by_hand() -> None:
    """Without common errors and with items alike, votes are independent given g; two equal votes
    against each other say nothing, and one vote is worth its voter."""
    assert vote_evidence(0.7, 0.4, 2, np.array([1.0])) == pytest.approx(0.0, abs=1e-12)
    lone = float(vote_evidence(0.7, 1 - 1e-9, 1, np.array([1.0]))[0])
    assert lone == pytest.approx(np.log(0.7 / 0.3), abs=1e-3)
    alike = pooled_gain(np.array([0.7, 0.7]), np.ones((2, 2)), np.array([0.5, 0.5]))
    assert alike == pytest.approx(1.0, abs=1e-12)
    certain = pooled_gain(np.array([1.0, 1.0]), np.ones((2, 2)), np.array([0.5, 0.5]))
    assert certain == pytest.approx(1.0, abs=1e-6)


def test_people_cannot_agree_less_than_their_accuracy_makes_them() -> None:
    """A correlation below r^2 is an error of estimation: it counts as no common error."""
    least = np.cos(np.pi * 0.3) ** 2
    votes = np.arange(4.0)
    below, at = (vote_evidence(0.7, c, 3, votes) for c in (least - 0.1, least))
    assert np.array_equal(below, at)
    assert vote_accuracy(0.7, least - 0.1, 3) == vote_accuracy(0.7, least, 3)


@pytest.mark.parametrize("rule", ["majority", "average", "confidence", "dawid-skene"])
def test_claims_about_different_nodes_are_judged_node_by_node(rule: Rule) -> None:
    items = pool(world(train_items=3000, tree=tree("or")))
    ready = team(3, rule).prepare(items, setting())
    nodes = items.everyone % 2
    mixed = ready.assess(Claims.of_everyone(items.everyone, nodes)).evidence
    for node in (0, 1):
        alone = ready.assess(items.claims(node)).evidence
        assert np.array_equal(mixed[nodes == node], alone[nodes == node])


class Half(Mechanism):
    """Labels every other item; what it states of the others is no label."""

    name = "half"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        labeled = np.broadcast_to(claims.item, claims.shape) % 2 == 0
        return Verdicts.of(np.where(labeled, 1.0, -1.0), labeled=labeled)


def test_errors_are_fitted_to_the_labels_that_were_given() -> None:
    items, who = pool(world(train_items=4000)), setting()
    members = (Human(), Human(person=1), Half())
    ready = Vote(members=members, rule="dawid-skene").prepare(items, who)
    each = [member.prepare(items, who).assess(items.roots) for member in members]
    answers = np.stack([verdicts.answer for verdicts in each])
    given = np.stack([verdicts.labeled for verdicts in each])
    expected = dawid_skene.fit(answers, given).evidence(answers, given)
    assert np.array_equal(ready.assess(items.roots).evidence, expected)
    few = np.arange(7)
    assert np.array_equal(ready.assess(Claims.of(few)).evidence, expected[:7])


class Saying(Mechanism):
    """States the same log-odds of everything."""

    name = "saying"
    log_odds: float

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return Verdicts.of(np.full(claims.shape, self.log_odds))


@pytest.mark.parametrize(("rule", "true"), [("confidence", True), ("average", False)])
def test_the_sure_count_more_by_confidence_than_in_an_average(rule: Rule, true: bool) -> None:
    """4 and three times -1.3: the log-odds add up to .1, the probits 2.10 and -.79 to -.28."""
    members = tuple(Saying(log_odds=value) for value in (4.0, -1.3, -1.3, -1.3))
    items = pool(world(train_items=200, features=2, tree=tree()))
    verdicts = Vote(members=members, rule=rule).prepare(items, setting()).assess(items.roots)
    assert (verdicts.answer == true).all()
