"""Vote, cascade, audit, ladder, critique against their exact cases (MODEL 3, 6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mechanisms.audit import Audit
from mechanisms.cascade import Cascade
from mechanisms.consultancy import Consultancy
from mechanisms.critique import Critique
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.ladder import Ladder
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from mechanisms.vote import Vote
from oversight import Case, Human, Model, Overseer, Study
from oversight.metrics import closed_forms as theory
from oversight.overseers import dawid_skene
from oversight.running.replicate import COLUMNS, run_replicate
from tests.helpers import PERFECT, Blank, binomial_error, pool, setting, tree, world

ITEMS = 40_000


def verdicts(protocol: Overseer, items: Any, who: Any) -> Any:
    return protocol.prepare(items, who).assess(items.roots)


def right(protocol: Overseer, items: Any, who: Any) -> float:
    return float(np.mean(verdicts(protocol, items, who).answer == items.intended))


def same(one: Any, two: Any, *names: str) -> bool:
    every = names or ("evidence", "prior", "minutes", "calls", "labeled")
    return all(np.array_equal(getattr(one, n), getattr(two, n)) for n in every)


def people(count: int, **knobs: Any) -> tuple[Human, ...]:
    return tuple(Human(**knobs) for _ in range(count))


@pytest.mark.parametrize("count", [1, 3, 9])
@pytest.mark.parametrize("structure", [0.0, 0.6, 1.0])
def test_the_average_of_people_alike(count: int, structure: float) -> None:
    items, who = pool(world(train_items=ITEMS)), setting(root=0.7, structure=structure)
    found = right(Vote(rule="average", members=people(count)), items, who)
    expected = theory.panel_accuracy(0.7, structure, count)
    assert abs(found - expected) < 4 * binomial_error(expected, ITEMS)


def test_a_vote_settles_at_what_is_shared() -> None:
    """With s > 0 the limit of r_k is that of the shared part alone: tan theta = sqrt(s) tan
    theta_1."""
    items, who = pool(world(train_items=ITEMS)), setting(root=0.7, structure=0.5)
    limit = float(theory.accuracy_of(theory.student_angle(0.7, 0.5)))
    found = [right(Vote(rule="average", members=people(k)), items, who) for k in (1, 5, 51)]
    assert found[0] < found[1] < found[2] < limit + 4 * binomial_error(limit, ITEMS)
    at_51 = theory.panel_accuracy(0.7, 0.5, 51)
    assert abs(found[2] - at_51) < 4 * binomial_error(at_51, ITEMS)
    for rule in ("majority", "confidence", "dawid-skene"):
        assert right(Vote(rule=rule, members=people(51)), items, who) < limit + 0.01


def test_majority_of_three_independent_people() -> None:
    items, who = pool(world(train_items=ITEMS)), setting(root=0.7, structure=0.0)
    members = [Human(copy_number=i).prepare(items, who).assess(items.roots) for i in range(3)]
    counted = np.sum([m.answer for m in members], axis=0) >= 2
    assert np.array_equal(verdicts(Vote(), items, who).answer, counted)


def test_identical_members_are_different_people() -> None:
    items, who = pool(world()), setting()
    one, two = verdicts(Direct(), items, who), verdicts(Vote(members=people(2)), items, who)
    assert not np.array_equal(one.answer, two.answer)
    assert np.array_equal(two.minutes, 2 * one.minutes)
    protocols = verdicts(Vote(members=(Debate(), Debate())), items, who)
    assert not np.array_equal(protocols.answer, verdicts(Debate(), items, who).answer)


def test_weights_decide() -> None:
    items, who = pool(world()), setting()
    members = (Human(), Debate(), Decomposition())
    for rule in ("majority", "average", "confidence"):
        one = Vote(members=members, rule=rule, weights=(0.0, 1.0, 0.0))
        found, alone = verdicts(one, items, who), verdicts(Debate(), items, who)
        assert np.allclose(found.evidence, alone.evidence, rtol=1e-9)
        assert np.array_equal(found.answer, alone.answer)


def test_who_is_surer_counts_for_more() -> None:
    items, who = pool(world(train_items=ITEMS)), setting(root=0.7, structure=0.0)
    members = (Human(accuracy={"root": 0.9, "leaf": 0.9}), Human(person=1), Human(person=2))
    by_rule = {
        r: right(Vote(members=members, rule=r), items, who) for r in ("majority", "confidence")
    }
    assert by_rule["confidence"] > by_rule["majority"] + 0.03


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.25, 0.75))
def test_planted_errors_are_recovered(seed: int, prior: float) -> None:
    rng = np.random.default_rng(seed)
    items, judges = 20_000, 5
    says = np.stack([rng.uniform(0.05, 0.4, judges), rng.uniform(0.6, 0.95, judges)], axis=1)
    truth = rng.random(items) < prior
    answers = rng.random((judges, items)) < says[:, truth.astype(int)]
    found = dawid_skene.fit(answers)
    # Errors of the estimate exceed those with known truth by what the answers leave open.
    assert np.abs(found.yes_rate - says).max() < 0.08
    assert abs(found.prior - prior) < 0.08
    guess = found.evidence(answers, np.ones_like(answers)) + np.log(found.prior / (1 - found.prior))
    best = dawid_skene.DawidSkene(prior, says).evidence(answers, np.ones_like(answers))
    best = best + np.log(prior / (1 - prior))
    assert np.mean((guess > 0) == truth) > np.mean((best > 0) == truth) - 0.01


def test_dawid_skene_agrees_with_crowd_kit() -> None:
    path = Path(__file__).parent / "data" / "dawid_skene.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))
    asked = np.array([[a is not None for a in row] for row in recorded["answers"]])
    answers = np.array([[bool(a) for a in row] for row in recorded["answers"]])
    found = dawid_skene.fit(answers, asked)
    assert found.prior == pytest.approx(recorded["prior"], abs=1e-5)
    assert found.yes_rate == pytest.approx(np.array(recorded["says"]), abs=1e-5)
    odds = found.evidence(answers, asked) + np.log(found.prior / (1 - found.prior))
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(np.array(recorded["true"]), abs=1e-5)


def test_dawid_skene_finds_out_who_is_right() -> None:
    """Two who guess and one who knows: a majority is misled, the fitted errors are not."""
    items, who = pool(world(train_items=ITEMS)), setting(root=0.7, structure=0.0)
    good = tuple(Human(person=i, accuracy={"root": 0.9, "leaf": 0.9}) for i in range(2))
    bad = tuple(Human(person=9 + i, accuracy={"root": 0.52, "leaf": 0.52}) for i in range(3))
    by_rule = {
        rule: right(Vote(members=good + bad, rule=rule), items, who)
        for rule in ("majority", "dawid-skene")
    }
    assert by_rule["dawid-skene"] > by_rule["majority"] + 0.05


THEN = [Debate(), Decomposition(), RecursiveRewardModeling(samples=60), Vote()]


@pytest.mark.parametrize("then", THEN, ids=lambda t: t.name)
def test_a_cascade_that_never_escalates_is_its_first(then: Overseer) -> None:
    items, who = pool(world()), setting()
    alone = Consultancy().prepare(items, who)
    for knobs in ({"below": 0.0}, {"below": 0.5}, {"share": 0.0}):
        ready = Cascade(first=Consultancy(), then=then, **knobs).prepare(items, who)
        assert same(ready.assess(items.roots), alone.assess(items.roots))
        assert ready.fixed_cost() == alone.fixed_cost()


@pytest.mark.parametrize("then", THEN, ids=lambda t: t.name)
def test_a_cascade_that_always_escalates_is_its_second(then: Overseer) -> None:
    items, who = pool(world()), setting()
    first, second = verdicts(Direct(), items, who), verdicts(then, items, who)
    for knobs in ({"below": 1.1}, {"share": 1.0}):
        found = verdicts(Cascade(first=Direct(), then=then, **knobs), items, who)
        assert same(found, second, "evidence", "prior", "labeled")
        assert np.allclose(found.minutes, first.minutes + second.minutes)
        assert np.allclose(found.calls, first.calls + second.calls)


def test_a_cascade_escalates_what_the_first_is_unsure_of() -> None:
    items, who = pool(world()), setting()
    first, then = verdicts(Direct(), items, who), verdicts(Debate(), items, who)
    sure = np.maximum(first.belief, 1 - first.belief)
    found = verdicts(Cascade(then=Debate(), below=0.7), items, who)
    assert np.array_equal(found.evidence, np.where(sure < 0.7, then.evidence, first.evidence))
    for share in (0.1, 0.25):
        found = verdicts(Cascade(then=Debate(), share=share), items, who)
        asked = found.minutes > first.minutes
        assert asked.sum() == round(share * items.draws.items)
        assert sure[asked].max() <= sure[~asked].min()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_a_random_audit_gains_its_share_of_the_difference(share: float) -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    of, by = right(Direct(), items, who), right(Decomposition(), items, who)
    found = verdicts(Audit(by=Decomposition(), share=share), items, who)
    gain = float(np.mean(found.answer == items.intended)) - of
    # An audited item moves accuracy by -1, 0 or 1 over n; which are audited is luck.
    error = np.sqrt(share * (1 - share) / ITEMS) + 1e-12
    assert abs(gain - share * (by - of)) < 4 * error
    paid = found.minutes > verdicts(Direct(), items, who).minutes
    assert abs(paid.mean() - share) < 4 * binomial_error(share, ITEMS) + 1e-12


def test_a_suspicious_audit_gains_more() -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    of = right(Direct(), items, who)
    random, ranked = (
        right(Audit(by=Decomposition(), share=0.3, choose=choose), items, who) - of
        for choose in ("random", "suspicion")
    )
    assert ranked > random + 4 * np.sqrt(0.3 / ITEMS)


def students(*protocols: Overseer, replicates: int = 3, **of: Any) -> list[np.ndarray]:
    """Students' accuracy by protocol and replicate."""
    study = Study(
        world=world(train_items=4000, features=16, **of),
        protocols={str(i): p for i, p in enumerate(protocols)},
    )
    cases = [Case(str(i)) for i in range(len(protocols))]
    column = COLUMNS.index("student_accuracy")
    runs = [run_replicate(study, n, cases).rows for n in range(replicates)]
    return [np.array([run[case][column] for run in runs]) for case in cases]


def test_a_ladder_of_one_rung_is_plain_weak_to_strong() -> None:
    """A linear student of a linear student's beliefs is that student, but for the penalty."""
    plain, one, two = students(Direct(), Ladder(rungs=(16,)), Ladder(rungs=(16, 16)))
    assert np.abs(plain - one).max() < 5e-3
    assert np.abs(one - two).max() < 5e-3


def test_a_ladder_of_nested_views_changes_nothing() -> None:
    items, who = pool(world()), setting()
    answers = [
        verdicts(Ladder(rungs=rungs, nested=True), items, who).answer
        for rungs in ((4,), (4, 8), (4, 8, 16))
    ]
    for more in answers[1:]:
        assert np.mean(more != answers[0]) < 5e-3


def test_a_ladder_of_independent_views_is_something_else() -> None:
    items, who = pool(world()), setting()
    nested, own = (
        verdicts(Ladder(rungs=(4, 8, 16), nested=n), items, who).answer for n in (True, False)
    )
    assert np.mean(nested != own) > 0.05


@pytest.mark.parametrize("flaws", [1, 4, 9])
def test_critique_before_a_judge_who_knows_nothing(flaws: int) -> None:
    items, who = pool(world(train_items=ITEMS)), setting(**PERFECT)
    found = right(Critique(flaws=flaws, judge=Blank()), items, who)
    expected = theory.consultancy_accuracy(flaws)
    assert abs(found - expected) < 4 * binomial_error(expected, ITEMS)


def test_a_choosy_critic_finds_fault_with_everything() -> None:
    items, who = pool(world()), setting()
    yes = [verdicts(Critique(candidates=n), items, who).answer.mean() for n in (1, 4, 16)]
    assert yes[0] > yes[1] + 0.1 > yes[2] + 0.2


def test_costs_add_up_through_any_nesting() -> None:
    """A hybrid pays what its parts would pay for what they are asked."""
    items, who = pool(world()), setting()
    direct, debate = verdicts(Direct(), items, who), verdicts(Debate(), items, who)
    nested = Audit(
        of=Cascade(first=Direct(), then=Debate(), share=0.5), by=Human(person=3), share=1.0
    )
    found = verdicts(nested, items, who)
    expected = direct.minutes.sum() + 0.5 * debate.minutes.sum() + direct.minutes.sum()
    assert found.minutes.sum() == pytest.approx(expected)
    assert found.calls.sum() == pytest.approx(0.5 * debate.calls.sum())
    rewards = RecursiveRewardModeling(samples=40)
    alone = rewards.prepare(items, who).fixed_cost()
    both = Vote(members=(rewards, Direct(), rewards)).prepare(items, who).fixed_cost()
    assert both == pytest.approx((2 * alone[0], 2 * alone[1]))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Cascade(first=Human(), then=Human()), "nothing to escalate to"),
        (lambda: Cascade(then=None), "expected an overseer"),
        (lambda: Cascade(below=0.6, share=0.2), "expected one of them"),
        (lambda: Audit(of=Debate(), by=Debate()), "the same, who would find nothing"),
        (lambda: Audit(share=1.5), "less than or equal to 1"),
        (lambda: Vote(members=()), "at least 1 item"),
        (lambda: Vote(weights=(1.0, 2.0)), "2 weights for 3 members"),
        (lambda: Vote(weights=(0.0, 0.0, 0.0)), "every weight is 0"),
        (lambda: Vote(weights=(1.0, -1.0, 1.0)), "greater than or equal to 0"),
        (lambda: Vote(rule="dawid-skene", weights=(1.0, 1.0, 1.0)), "finds its own weights"),
        (lambda: Vote(rule="loudest"), "'majority', 'average', 'confidence' or 'dawid-skene'"),
        (lambda: Ladder(rungs=()), "at least 1 item"),
        (lambda: Ladder(rungs=(0,)), "greater than or equal to 1"),
        (lambda: Critique(critic=Debate()), "is no agent"),
    ],
)
def test_bad_input(make: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        make()


def test_a_rung_wider_than_the_world() -> None:
    with pytest.raises(ValidationError, match="64 dimensions of 16"):
        Study(world=world(features=16), protocols={"it": Ladder(rungs=(8, 64))})


def test_a_vote_of_one_is_that_one() -> None:
    items, who = pool(world(tree=tree("or"))), setting()
    for rule in ("majority", "average", "confidence"):
        assert same(
            verdicts(Vote(members=(Debate(),), rule=rule), items, who),
            verdicts(Debate(), items, who),
        )
    assert same(
        verdicts(Direct(overseer=Model()), items, who),
        verdicts(Vote(members=(Model(),)), items, who),
    )
