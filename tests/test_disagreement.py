"""Who was overridden and who disagreed, through real mechanisms and whatever stands around them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

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
from oversight import (
    Claims,
    Evidence,
    Human,
    Injection,
    Mechanism,
    Overseer,
    Study,
    Verdicts,
)
from oversight.components.wrappers import Known, OverseerWrapper, rewrite
from oversight.desk import planning
from oversight.failures.labels import RandomFlips
from oversight.running.labeling import Labeler
from oversight.studies.cases import Case
from oversight.testing.kit import assert_same
from tests.helpers import binomial_error, pool, setting, tree, world

ITEMS = 100_000
R = np.cos(np.pi * 0.3)
APART = float(np.arccos(R**2) / np.pi)
"""How often two equal people, right .7 of the time by themselves, answer otherwise (MODEL 3)."""


def judged(overseer: Overseer, items: int = ITEMS, **people: Any) -> Verdicts:
    """Verdicts on root claims by people who share no misconception, of a lone question."""
    lone = pool(world(train_items=items, features=2, tree=tree()))
    who = setting(root=0.7, **{"structure": 0.0, **people})
    return overseer.prepare(lone, who).assess(lone.roots)


# ---- who is overridden


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_an_audit_by_another_person_overrides_where_the_two_differ(share: float) -> None:
    verdicts = judged(Audit(share=share))
    expected = share * APART
    error = binomial_error(expected, ITEMS)
    assert verdicts.overridden.mean() == pytest.approx(expected, abs=4 * error)
    assert not verdicts.disagreement.any()


def test_a_cascade_overrides_what_it_escalates_and_what_is_answered_otherwise() -> None:
    first, then = judged(Human()), judged(Human(person=1))
    sure = first.confidence >= 0.75
    expected = ~sure & (first.answer != then.answer)
    assert np.array_equal(judged(Cascade(below=0.75)).overridden, expected)
    assert 0.1 < expected.mean() < 0.4


class Half(Mechanism):
    """Says yes on every other item, and gives no label of the rest."""

    name = "half"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        even = np.broadcast_to(claims.item, claims.shape) % 2 == 0
        return Verdicts.of(np.where(even, 9.0, -9.0), labeled=even)


def test_who_gives_no_label_overrides_nothing_and_is_not_overridden() -> None:
    even, person = np.arange(ITEMS) % 2 == 0, judged(Human())
    for audit in (Audit(by=Half(), share=1.0), Audit(of=Half(), by=Human(), share=1.0)):
        assert np.array_equal(judged(audit).overridden, even & ~person.answer)
    members = judged(Vote(members=(Human(), Half())))
    assert not members.disagreement[~even].any()
    assert np.array_equal(members.disagreement[even] > 0, ~person.answer[even])


def test_an_override_is_remembered_where_a_second_audit_agrees() -> None:
    inner = Audit(share=0.5)
    outer = judged(Audit(of=inner, by=Human(person=2), share=0.3))
    within = judged(inner)
    assert outer.overridden[within.overridden].all()
    assert outer.overridden.mean() > within.overridden.mean() + 0.05


# ---- who disagrees


@pytest.mark.parametrize("rule", ["majority", "average", "confidence", "dawid-skene"])
def test_two_and_three_people_disagree_as_often_as_the_law_says(rule: str) -> None:
    """Of two, one of them is always outvoted. Of three who are not unanimous, two of the three
    pairs differ: 3/2 P(differ)."""
    for members, law in ((2, APART), (3, 1.5 * APART)):
        people = tuple(Human() for _ in range(members))
        verdicts = judged(Vote(members=people, rule=rule))
        split = verdicts.disagreement > 0
        assert split.mean() == pytest.approx(law, abs=4 * binomial_error(law, ITEMS))
        assert not verdicts.overridden.any()
        shares = set(np.round(verdicts.disagreement[split] * members).astype(int).tolist())
        assert 1 in shares
        assert shares <= ({1} if rule == "majority" else set(range(1, members)))


def test_disagreement_is_counted_by_hand() -> None:
    people = tuple(Human(person=i) for i in range(5))
    answers = np.stack([judged(one, 2000).answer for one in people])
    verdicts = judged(Vote(members=people, weights=(4, 1, 1, 1, 1)), 2000)
    assert np.allclose(verdicts.disagreement, (answers != verdicts.answer).mean(axis=0), atol=1e-15)


def test_a_vote_of_votes_counts_people() -> None:
    """Nine people in three votes of three disagree with the outcome as the nine do."""
    people = [Human(person=i) for i in range(9)]
    votes = tuple(Vote(members=tuple(people[i : i + 3])) for i in (0, 3, 6))
    verdicts = judged(Vote(members=votes), 2000)
    answers = np.stack([judged(one, 2000).answer for one in people])
    assert np.allclose(verdicts.disagreement, (answers != verdicts.answer).mean(axis=0), atol=1e-15)


def test_an_audited_vote_has_both() -> None:
    """The members' disagreement stays, and grows where whoever looks again disagrees more."""
    three = Vote(members=tuple(Human(person=i) for i in range(3)))
    two = Vote(members=(Human(person=3), Human(person=4)))
    of, by = judged(three), judged(two)
    verdicts = judged(Audit(of=three, by=two, share=1.0))
    assert np.array_equal(verdicts.overridden, of.answer != by.answer)
    assert np.array_equal(verdicts.disagreement, np.maximum(of.disagreement, by.disagreement))
    some = judged(Audit(of=three, by=Human(person=3), share=0.2))
    assert np.array_equal(some.disagreement, of.disagreement)
    assert 0 < some.overridden.mean() < 0.2
    members = (Audit(share=0.5), Human(person=2), Human(person=3))
    assert np.array_equal(judged(Vote(members=members)).overridden, judged(members[0]).overridden)


@pytest.mark.parametrize("aggregate", ["soft", "hard"])
def test_a_decomposition_counts_what_it_checked_and_needed(aggregate: Any) -> None:
    """Overridden if any such claim was, and the mean disagreement; what a gate no longer needs is
    nobody's."""
    items = pool(world(train_items=1000))
    who = setting(leaf=0.8)
    checker = Audit(of=Vote(), by=Human(person=7), share=0.3)
    whole = Decomposition(aggregate=aggregate, checker=checker).prepare(items, who)
    verdicts = whole.assess(items.roots)
    leaves = items.tree.leaves
    checked = checker.prepare(items, who).assess(Claims.of(items.everyone, leaves[:, None]))
    needed = np.ones(checked.answer.shape, dtype=np.bool_)
    if aggregate == "hard":  # an `or` of three `and`s of three
        for gate in range(3):
            rows = needed[3 * gate : 3 * gate + 3]
            answers = checked.answer[3 * gate : 3 * gate + 3]
            rows[1], rows[2] = answers[0], answers[:2].all(axis=0)
            earlier = checked.answer[: 3 * gate].reshape(gate, 3, 1000).all(axis=1).any(axis=0)
            rows &= ~earlier
    assert np.array_equal(verdicts.overridden, (checked.overridden & needed).any(axis=0))
    mean = (checked.disagreement * needed).sum(axis=0) / needed.sum(axis=0)
    assert np.allclose(verdicts.disagreement, mean, atol=1e-12)
    assert 0.1 < verdicts.overridden.mean() < 0.9
    assert (verdicts.disagreement > 0).mean() > 0.1


def test_the_votes_of_a_decomposition_disagree_at_the_law_of_a_leaf() -> None:
    items = pool(world(train_items=20_000, features=2))
    who = setting(leaf=0.8, structure=0.0)
    # A majority: by confidence, one sure member can outvote two.
    ready = Decomposition(votes=3, aggregate="hard", short_circuit=False).prepare(items, who)
    verdicts = ready.assess(items.roots)
    law = 1.5 * np.arccos(np.cos(np.pi * 0.2) ** 2) / np.pi
    # A third of the three, on so many leaves; leaves of an item are judged independently.
    error = binomial_error(law, 9 * 20_000) / 3
    assert verdicts.disagreement.mean() == pytest.approx(law / 3, abs=4 * error)
    assert not verdicts.overridden.any()


JUDGE = Audit(of=Vote(members=(Human(person=3), Human(person=4))), by=Human(person=5), share=0.4)
"""A judge who is both overridden and made of several."""


@pytest.mark.parametrize(
    "mechanism",
    [
        Direct(overseer=JUDGE),
        Debate(judge=JUDGE),
        Debate(judge=JUDGE, tree=True),
        Consultancy(judge=JUDGE),
        Critique(judge=JUDGE),
        RecursiveRewardModeling(evaluator=JUDGE, labeler="human", samples=50),
        Ladder(of=JUDGE, rungs=(2,)),
    ],
    ids=lambda one: one.name,
)
def test_who_passes_a_judges_verdict_on_keeps_what_the_judge_saw(mechanism: Overseer) -> None:
    """Not evidence about the answer, but who disagreed about it."""
    items, who = pool(world(train_items=3000)), setting(root=0.7, leaf=0.8)
    verdicts = mechanism.prepare(items, who).assess(items.roots)
    assert 0.02 < verdicts.overridden.mean() < 0.25
    assert set(np.unique(verdicts.disagreement)) == {0.0, 0.5}
    alone = JUDGE.prepare(items, who).assess(items.roots)
    if mechanism.name in ("direct", "ladder"):
        assert np.array_equal(verdicts.overridden, alone.overridden)
        assert np.array_equal(verdicts.disagreement, alone.disagreement)


def test_a_reward_model_has_nobody_to_disagree() -> None:
    items, who = pool(world(train_items=500)), setting()
    ready = RecursiveRewardModeling(evaluator=JUDGE, samples=50).prepare(items, who)
    verdicts = ready.assess(items.roots)
    assert not verdicts.overridden.any()
    assert not verdicts.disagreement.any()


def test_what_stands_in_for_a_part_keeps_both() -> None:
    items, who = pool(world(train_items=400)), setting()
    healthy = JUDGE.prepare(items, who)
    verdicts = healthy.assess(items.roots)
    wrapped = rewrite(JUDGE, "by", lambda part: OverseerWrapper(inner=part))
    assert isinstance(wrapped, Overseer)
    assert_same(wrapped.prepare(items, who).assess(items.roots), verdicts)
    assert Known.of(healthy, items, who, verdicts).assess(items.roots) is verdicts
    struck, _ = Injection(together=(RandomFlips(),)).into(JUDGE, None, 1.0)
    assert isinstance(struck, Overseer)
    turned = struck.prepare(items, who).assess(items.roots)
    assert (turned.answer != verdicts.answer).any()
    assert np.array_equal(turned.overridden, verdicts.overridden)
    assert np.array_equal(turned.disagreement, verdicts.disagreement)


def at_a_desk(protocol: Overseer, **desk: Any) -> Verdicts:
    study = Study(
        world={"train_items": 300, "test_items": 100, "features": 4},
        protocols={"judge": protocol},
        desk=desk,
    )
    pool_ = study.world.pool(study.seed, 0, "train")
    return Labeler(study, pool_).label(Case("judge")).verdicts


def test_a_desk_keeps_both() -> None:
    labels = at_a_desk(JUDGE, people=3, hours=60)
    assert 0.02 < labels.overridden[labels.labeled].mean() < 0.3
    assert set(np.unique(labels.disagreement)) == {0.0, 0.5}


def test_a_desk_whose_sittings_judge_alone_keeps_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who compares items gets each item's verdict from its own sitting."""
    given = []
    sitting = planning.by_sitting
    monkeypatch.setattr(
        planning, "by_sitting", lambda *parts: given.append(sitting(*parts)) or given[-1]
    )
    pair = Vote(members=(Human(person=3), Human(person=4)))
    labels = at_a_desk(Cascade(first=pair, then=Human(person=5), share=0.3), people=3, hours=60)
    assert np.array_equal(labels.overridden, given[-1].overridden)
    assert np.array_equal(labels.disagreement, given[-1].disagreement)
    assert 0.02 < labels.overridden.mean() < 0.3
    assert set(np.unique(labels.disagreement)) == {0.0, 0.5}


# ---- verdicts of plugins that know nothing of either


def test_verdicts_that_say_nothing_have_neither() -> None:
    e = np.array([[0.5, -1.0, 2.0]])
    positional = Verdicts(e, 0 * e, 0 * e, 0 * e, e > 0)
    for verdicts in (Verdicts.of(e), positional, replace(positional, evidence=-e)):
        for array in (verdicts.overridden, verdicts.disagreement):
            assert array.shape == e.shape
            assert not array.any()
            assert not array.flags.writeable
    assert positional.overridden.dtype == np.bool_
    fewer = {
        name: getattr(positional, name)[0, :2]
        for name in ("evidence", "prior", "minutes", "calls", "labeled")
    }
    assert replace(positional, **fewer).disagreement.shape == (2,)


def test_what_was_disagreed_about_is_not_forgotten_by_another_shape() -> None:
    """Then nobody knows which claims it was about; the check of verdicts reports it."""
    verdicts = Verdicts.of(np.ones(3), disagreement=[0.5, 0, 0], overridden=[True, False, False])
    fewer = replace(verdicts, evidence=np.ones(2))
    assert fewer.disagreement.shape == fewer.overridden.shape == (3,)


# ---- who would be looked at again


def test_who_would_be_among_the_least_sure_by_putting_each_lie_among_the_honest() -> None:
    rng = np.random.default_rng(6)
    lying, honest = (Verdicts.of(np.round(rng.exponential(by, 40), 1)) for by in (2, 1))
    sure = [verdicts.evidence for verdicts in (lying, honest)]  # some are equal
    for number in range(41):
        share = number / 40
        expected = [
            np.sum(np.delete(sure[1], i) < own) < number for i, own in enumerate(sure[0].tolist())
        ]
        claims = Claims.of_everyone(np.arange(40), 0)
        for mechanism, slot in (
            (Audit(share=share, choose="suspicion"), "of"),
            (Cascade(share=share), "first"),
        ):
            again = mechanism.looks_again(slot, claims, lambda lie: lying if lie else honest)
            found = np.zeros(40) if again is None else again
            assert found.tolist() == expected
