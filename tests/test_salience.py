"""The salience world: items show what they should, everybody answers as they should, and what has
no meaning there is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from oversight import BoolArray, FloatArray, Human, Model, Pool, Study
from oversight.core.messages import message_of
from oversight.overseers.attack import prepared
from oversight.running.labeling import Labeler
from oversight.running.replicate import run_replicate
from oversight.studies.cases import Case
from oversight.worlds.salience import SaliencePool
from tests.helpers import binomial_error

MANY = 20_000


def study(accuracy: float = 0.75, **changes: Any) -> Study:
    """A study in a salience world of many items; `changes` are sections, or keys of the world."""
    sections = {key: changes.pop(key) for key in list(changes) if key in Study.model_fields}
    world = {"kind": "salience", "train_items": MANY, "test_items": 2000, "features": 8, **changes}
    overseer = {"accuracy": {"root": accuracy}, **sections.pop("overseer", {})}
    plain: dict[str, Any] = {"protocols": {"people": "direct"}, "world": world}
    return Study.model_validate({**plain, "overseer": overseer, **sections})


def pool(of: Study, replicate: int = 0, part: Any = "train") -> SaliencePool:
    made = of.pool(replicate, part)
    assert isinstance(made, SaliencePool)
    return made


def answers(protocol: Any, of: Study, items: Pool) -> BoolArray:
    return prepared(protocol, items, of.setting).protocol.assess(items.roots).answer


def signed(values: BoolArray) -> FloatArray:
    return 2.0 * values - 1.0


@pytest.mark.parametrize("prevalence", [0.5, 0.2])
def test_items_show_the_truth_the_label_and_noise(prevalence: float) -> None:
    items = pool(study(prevalence=prevalence, truth=1.7, proxy=0.6, noise=0.4))
    assert np.allclose(items.directions @ items.directions.T, np.eye(2))
    shown = np.stack([1.7 * signed(items.gold), 0.6 * signed(items.shared_answer)], axis=1)
    rest = (items.x - shown @ items.directions) / 0.4
    error = 4.5 / np.sqrt(MANY)
    assert np.abs(rest.mean(axis=0)).max() < error
    assert np.abs(np.cov(rest.T) - np.eye(8)).max() < error * np.sqrt(2)
    assert np.abs(rest.T @ shown).max() / MANY < error * 1.7
    assert items.gold.mean() == pytest.approx(
        prevalence, abs=4.5 * binomial_error(prevalence, MANY)
    )


def test_the_label_is_right_alike_on_either_class() -> None:
    items = pool(study(0.8, prevalence=0.3))
    right = items.shared_answer == items.gold
    for value in (True, False):
        of_class = right[items.gold == value]
        error = binomial_error(0.8, of_class.size)
        assert of_class.mean() == pytest.approx(0.8, abs=4.5 * error)


def test_everybody_gives_the_label() -> None:
    of = study()
    for part in ("train", "test"):
        items = pool(of, part=part)
        for person in (Human(), Human(person=3), Human().sibling(2), Human(confidence=2.0)):
            assert np.array_equal(answers(person, of, items), items.shared_answer)
    stated = Human().prepare(items, of.setting).assess(items.roots)
    assert np.allclose(stated.confidence, 0.75)


def test_better_people_are_right_where_worse_ones_are_and_their_items_show_it() -> None:
    worse, better = pool(study(0.6)), pool(study(0.9))
    right = [items.shared_answer == items.gold for items in (worse, better)]
    assert (right[0] <= right[1]).all()
    changed = (worse.x != better.x).any(axis=1)
    assert np.array_equal(changed, worse.shared_answer != better.shared_answer)
    assert study(0.6).identity() != study(0.9).identity()


def test_the_model_is_right_as_often_as_it_should_be_whatever_the_label_is() -> None:
    of = study()
    items = pool(of)
    for model, accuracy in ((Model(), 0.93), (Model(accuracy=(0.7,)), 0.7)):
        right = answers(model, of, items) == items.gold
        for label_right in (True, False):
            where = right[(items.shared_answer == items.gold) == label_right]
            error = binomial_error(accuracy, where.size)
            assert where.mean() == pytest.approx(accuracy, abs=4.5 * error)


def test_protocols_label_the_same_items() -> None:
    """What an argument changes is the judge's label, and no item."""
    protocols = {
        "debate": {"debate": {}},
        "vote": {"vote": {}},
        "model": {"direct": {"overseer": "model"}},
    }
    of = study(protocols=protocols, train_items=2000)
    replicate = run_replicate(of, 0)
    assert not replicate.failed
    alone = run_replicate(of.changed(protocols={"debate": {"debate": {}}}), 0)
    for case, row in alone.rows.items():
        assert np.array_equal(row, replicate.rows[case], equal_nan=True)


def test_who_tires_answers_the_same() -> None:
    of = study(train_items=2000, desk={"people": 2, "hours": 300})
    items = pool(of)
    given = Labeler(of, items).label(Case("people"))
    assert given.desk["effort"] < 0.99
    answer, labeled = given.verdicts.answer, given.verdicts.labeled
    assert 0 < labeled.mean() < 1
    assert np.array_equal(answer[labeled], items.shared_answer[labeled])


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"protocols": {"a": {"decomposition": {}}}}, "protocols.a.decomposition", "a task tree"),
        ({"protocols": {"a": {"debate": {"tree": True}}}}, "protocols.a.debate", "a task tree"),
        ({"protocols": {"a": "recursive_reward_modeling"}}, "protocols.a", "a task tree"),
        ({"overseer": {"structure": 0.2}}, "overseer.structure", "has no effect"),
        ({"overseer": {"skill_sd": 0.2}}, "overseer.skill_sd", "has no effect"),
        ({"overseer": {"difficulty": 0.2}}, "overseer.difficulty", "has no effect"),
        ({"model": {"shared_bias": 0.9}}, "model.shared_bias", "has no effect"),
        (
            {"protocols": {"a": {"direct": {"overseer": {"human": {"accuracy": [0.9]}}}}}},
            "human.accuracy",
            "has no effect",
        ),
        (
            {"protocols": {"a": {"direct": {"overseer": {"human": {"effort": 0.5}}}}}},
            "human.effort",
            "has no effect",
        ),
        (
            {"protocols": {"a": {"direct": {"overseer": {"model": {"difficulty": 0.5}}}}}},
            "model.difficulty",
            "has no effect",
        ),
        ({"prevalence": 1.0}, "world.prevalence", "less than 1"),
        ({"features": 1}, "world.features", "equal to 2"),
    ],
)
def test_what_has_no_meaning_is_refused(changes: dict[str, Any], place: str, says: str) -> None:
    with pytest.raises(ValidationError) as error:
        study(**changes)
    told = {".".join(map(str, e["loc"])): message_of(e) for e in error.value.errors()}
    assert len(told) == 1
    assert place in next(iter(told))
    assert says in next(iter(told.values()))


def test_a_world_of_its_own_is_told_how_good_people_are() -> None:
    of = study()
    with pytest.raises(ValueError, match="show the overseer's label"):
        of.world.pool(0, 0, "train")
    own = of.world.overseen(0.75).pool(of.seed, 0, "train")
    assert np.array_equal(own.x, of.pool(0, "train").x)


@pytest.mark.parametrize("picks", ["judge_weak", "pivotal", "random"])
def test_a_model_is_honest_where_its_strategy_needs_what_the_world_has_not(picks: str) -> None:
    audit = {"audit": {"of": "model", "by": "human"}}
    acting = study(protocols={"it": audit}, model={"strategy": {"share": 0.3, "picks": picks}})
    honest, case = study(protocols={"it": audit}), Case("it")
    lying, healthy = (run_replicate(of, 0, [case]).rows[case] for of in (acting, honest))
    status = acting.strategy_of(case)[1]
    assert (status == "ok") == (picks == "random")
    assert (lying == pytest.approx(healthy, rel=0, nan_ok=True)) == status.startswith("honest: ")
