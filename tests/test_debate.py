"""Item 4: flat debate and consultancy by their formulas, and what best-of-n does to each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from mechanisms.consultancy import Consultancy
from mechanisms.debate import Debate
from oversight import Claims, Human, Mechanism, Model
from oversight.metrics import closed_forms as theory
from tests.helpers import PERFECT, Blank, binomial_error, pool, setting, tree, world

ITEMS = 60_000
LONE = world(tree=tree(), train_items=ITEMS, features=2)


def accuracy(mechanism: Mechanism, **work: float) -> float:
    items = pool(LONE)
    verdicts = mechanism.prepare(items, setting(**work)).assess(items.roots)
    return float(np.mean(verdicts.answer == items.intended))


@pytest.mark.parametrize("turns", [1, 2, 5])
@pytest.mark.parametrize("model", [1.0, 0.85])
@pytest.mark.parametrize(("evidence", "discernment"), [(0.5, 0.5), (0.9, 0.3)])
def test_formulas_before_a_judge_who_knows_nothing(
    turns: int, model: float, evidence: float, discernment: float
) -> None:
    knobs = {"turns": turns, "evidence": evidence, "discernment": discernment, "judge": Blank()}
    forms = [
        (Debate(**knobs), theory.debate_accuracy),
        (Consultancy(**knobs), theory.consultancy_accuracy),
    ]
    for mechanism, form in forms:
        wanted = form(turns, evidence, discernment, model)
        seen = accuracy(mechanism, u_root=model)
        assert seen == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, ITEMS))


def test_a_judge_barely_above_chance_is_as_good_as_none() -> None:
    seen = accuracy(Debate(turns=3), root=0.5 + 1e-9, u_root=1.0)
    wanted = theory.debate_accuracy(3)
    assert seen == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, ITEMS))


def test_defaults_are_those_of_an_argument() -> None:
    """c mu = 1/4: Phi(sqrt(2) / 4) and Phi(1/4)."""
    assert theory.debate_accuracy(1) == pytest.approx(ndtr(np.sqrt(2) / 4), abs=1e-12)
    assert theory.consultancy_accuracy(1) == pytest.approx(ndtr(0.25), abs=1e-12)


def test_the_turns_of_a_trace_add_up_to_what_moved_the_judge() -> None:
    items = pool(world(train_items=50))
    claims = Claims.of(items.everyone, 0, traced=True)
    debate = Debate(turns=3, judge=Blank(), gain=0.4).prepare(items, setting())
    verdicts = debate.assess(claims)
    assert verdicts.trace is not None
    turns = [push for name, push in verdicts.trace.facts.items() if name.startswith("turn ")]
    assert len(turns) == 6
    np.testing.assert_allclose(sum(turns), verdicts.evidence, atol=1e-12)


TABLE = [
    (1, 0.790, 0.752, 0.50),
    (2, 0.822, 0.718, 0.718),
    (4, 0.840, 0.627, 0.865),
    (8, 0.852, 0.553, 0.945),
    (16, 0.868, 0.520, 0.977),
]


@pytest.mark.parametrize(("candidates", "debate", "consultancy", "wins"), TABLE)
def test_best_of_n_as_tabulated(
    candidates: int, debate: float, consultancy: float, wins: float
) -> None:
    items = pool(LONE)
    work = setting(root=0.7, structure=0.6, u_root=1.0)
    error = 4.5 * binomial_error(0.8, ITEMS) + 0.005  # the table's own
    seen = Debate(candidates=candidates).prepare(items, work).assess(items.roots)
    assert np.mean(seen.answer == items.intended) == pytest.approx(debate, abs=error)
    consulting = Consultancy(candidates=candidates).prepare(items, work)
    verdicts = consulting.assess(items.roots)
    assert np.mean(verdicts.answer == items.intended) == pytest.approx(consultancy, abs=error)
    side = consulting.chance(items.roots).coin("side")
    assert np.mean(verdicts.answer == side) == pytest.approx(wins, abs=error)


def test_debate_rises_and_consultancy_falls_with_candidates() -> None:
    tries = (1, 2, 4, 8, 16)
    debates = [accuracy(Debate(candidates=n), u_root=1.0) for n in tries]
    consultancies = [accuracy(Consultancy(candidates=n), u_root=1.0) for n in tries]
    assert debates == sorted(debates)
    assert consultancies == sorted(consultancies, reverse=True)


def test_an_open_consultant_argues_for_what_it_believes() -> None:
    items = pool(LONE)
    work = setting(u_root=0.8)
    believed = Model().prepare(items, work).believe(items.roots)
    open_ended = Consultancy(open=True, turns=0, judge=Blank()).prepare(items, work)
    assert not open_ended.assess(items.roots).answer.any()  # nothing was argued
    loud = Consultancy(open=True, turns=40, evidence=3.0, judge=Blank()).prepare(items, work)
    assert np.mean(loud.assess(items.roots).answer == believed) > 0.999


def test_what_arguments_cost() -> None:
    items = pool(world(train_items=10))
    debate = Debate(turns=3, candidates=4).prepare(items, setting()).assess(items.roots)
    assert set(debate.minutes) == {12 + 6 * 1}
    assert set(debate.calls) == {6 * 4}
    consultancy = Consultancy(turns=3, candidates=4).prepare(items, setting())
    verdicts = consultancy.assess(items.roots)
    assert set(verdicts.minutes) == {12 + 3 * 1}
    assert set(verdicts.calls) == {3 * 4}


def test_a_debate_of_no_turns_is_the_judge() -> None:
    items = pool(LONE)
    debate = Debate(turns=0).prepare(items, setting()).assess(items.roots)
    alone = Human().prepare(items, setting()).assess(items.roots)
    assert np.array_equal(debate.evidence, alone.evidence)


def test_a_perfect_model_and_judge_agree() -> None:
    work = setting(**PERFECT)  # type: ignore[arg-type]
    items = pool(LONE)
    for mechanism in (Debate(), Consultancy()):
        verdicts = mechanism.prepare(items, work).assess(items.roots)
        assert np.mean(verdicts.answer == items.intended) > 0.9999
