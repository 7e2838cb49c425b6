"""People at a desk (MODEL 7): queueing theory, exact minutes, and what long days do to labels."""

from __future__ import annotations

from itertools import pairwise
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

import oversight
from mechanisms.cascade import Cascade
from mechanisms.consultancy import Consultancy
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.ladder import Ladder
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from oversight import (
    ByHeight,
    Claims,
    Desk,
    Minutes,
    Overseer,
    PeopleSettings,
    Results,
    Setting,
    Study,
)
from oversight.desk import planning
from oversight.desk.hours import Hours
from oversight.desk.human_factors import Seated
from oversight.desk.queue import Manner, ready_times
from oversight.desk.staffed import Staffed
from oversight.desk.timetable import Sitting
from oversight.desk.workplace import Workplace
from oversight.reports.timeline import effort_by_half_hour
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.studies.cases import Case
from tests.helpers import binomial_error, pool, setting, tree, world

OFF: dict[str, Any] = {
    "vigilance": 0.0,
    "hurry": 0.0,
    "prevalence": 0.0,
    "automation_bias": 0.0,
}
NONSTOP: dict[str, Any] = {"start": 0.0, "hours_per_day": 24.0, "break_after": None, **OFF}
SMALL: dict[str, Any] = {
    "replicates": 2,
    "seed": 4,
    "world": {"train_items": 400, "test_items": 200, "features": 8},
    "protocols": {
        "unaided": "direct",
        "debate": "debate",
        "tree debate": {"debate": {"tree": True}},
        "hard": {"decomposition": {"aggregate": "hard"}},
        "reward modeling": {"recursive_reward_modeling": {"samples": 40}},
        "aided": {"recursive_reward_modeling": {"samples": 40, "labeler": "human"}},
        "consultancy": {"consultancy": {"candidates": 4}},
        "votes": {"vote": {"rule": "dawid-skene"}},
        "cascade": {"cascade": {"below": 0.7, "then": "debate"}},
        "least sure": {"cascade": {"share": 0.2, "then": "debate"}},
        "ladder": {"ladder": {"rungs": [4, 8]}},
        "leaves": {"decomposition": {"checker": {"debate": {"turns": 1}}}},
    },
}


def study(desk: Desk | None, **changes: Any) -> Study:
    return Study.model_validate({**SMALL, "desk": desk, **changes})


def staffed(
    protocol: Overseer, desk: Desk, people: Setting | None = None, seed: int = 1, **of: Any
) -> Staffed:
    protocol_at_desk = Staffed(inner=protocol, desk=desk)
    return protocol_at_desk.prepare(pool(world(**of), seed=seed), people or setting())


def erlang_c(offered: float, people: int) -> float:
    """The chance to wait with so much work offered, in people."""
    top = offered**people / factorial(people) * people / (people - offered)
    return top / (sum(offered**k / factorial(k) for k in range(people)) + top)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arrivals", "minutes", "people"),
    [(4.0, 12.0, 1), (12.0, 12.0, 3), (36.0, 6.0, 5), (8.0, 9.0, 2)],
)
def test_erlang_c(arrivals: float, minutes: float, people: int) -> None:
    """M/M/c: mean wait = C(c, a) / (c mu - lambda)."""
    desk = Desk(
        people=people, arrivals=arrivals, sitting=0.001, sitting_items=1, variation=1.0, **NONSTOP
    )
    at = setting(minutes=Minutes(root=minutes, leaf=minutes))
    waits, apart = [], 2000
    for seed in range(12):
        done = staffed(Direct(), desk, at, seed, train_items=20_000, features=2)
        table = done.timetable
        waits.append(float((table.started - table.arrival)[apart:].mean()) / 60)
    offered = arrivals * minutes / 60
    expected = erlang_c(offered, people) / (people * 60 / minutes - arrivals)
    error = np.std(waits, ddof=1) / np.sqrt(len(waits))
    assert abs(np.mean(waits) - expected) < 4 * error
    assert error < 0.1 * expected  # so that the test could fail


def test_unlimited_people_who_never_tire_label_as_without_a_desk() -> None:
    free, plain = study(Desk.plain()), study(None)
    for number in range(2):
        ours, theirs = run_replicate(free, number), run_replicate(plain, number)
        assert not ours.failed
        for case, row in theirs.rows.items():
            kept = [i for i, name in enumerate(COLUMNS) if np.isfinite(row[i])]
            assert [ours.rows[case][i] for i in kept] == [row[i] for i in kept], case


def test_neither_do_few_people_and_a_budget_change_what_is_labeled() -> None:
    """Without fatigue, skill and habits a desk decides how much is labeled, and not how."""
    desk = Desk(people=2, hours=20, **OFF)
    for protocol in study(None).protocols.values():
        if protocol.name == "ladder" or "dawid" in protocol.identity():
            continue  # learn from what was labeled
        at_desk = staffed(protocol, desk, train_items=400)
        whole = protocol.prepare(pool(world(train_items=400)), setting())
        claims = pool(world(train_items=400)).roots
        ours, theirs = at_desk.assess(claims), whole.assess(claims)
        assert np.array_equal(ours.evidence[ours.labeled], theirs.evidence[ours.labeled])


def test_a_ladder_learns_from_what_was_labeled_alone() -> None:
    few = staffed(Ladder(rungs=(8,)), Desk.plain(5), train_items=400).assess(Claims.of(range(400)))
    all_of_them = staffed(Ladder(rungs=(8,)), Desk.plain(), train_items=400)
    assert few.labeled.sum() == 25  # of 12 minutes each
    whole = all_of_them.assess(Claims.of(range(400)))
    assert not np.array_equal(few.evidence[few.labeled], whole.evidence[few.labeled])


DESKS = (
    Desk(),
    Desk(people=2, hours=30, skill_sd=0.4, variation=0.7),
    Desk(people=3, deadline=35.5, urgent=0.3),
    Desk(people=1, arrivals=9.0, hurry=0.5, backlog=2.0, model_minutes=0.4, hours=25),
    Desk(people="unlimited", hours=40, arrivals=30.0, skill_sd=0.3),
)


@pytest.mark.parametrize("desk", DESKS, ids=str)
def test_minutes_worked_are_minutes_charged(desk: Desk) -> None:
    for name, protocol in study(None).protocols.items():
        done = staffed(protocol, desk, train_items=400)
        verdicts = done.assess(Claims.of(range(400)))
        fixed, _ = done.fixed_cost()
        worked = sum(sitting.minutes for sitting in done.timetable.sittings)
        assert worked == pytest.approx(verdicts.minutes.sum() + fixed, rel=1e-12), name
        # And of each sitting: what its items charged.
        for sitting in done.timetable.sittings:
            if sitting.items.size:
                charged = verdicts.minutes[sitting.items].sum()
                assert sitting.minutes == pytest.approx(charged, rel=1e-9), name
        assert not verdicts.minutes[~done.timetable.done].any()


@pytest.mark.parametrize("desk", DESKS, ids=str)
def test_nobody_is_in_two_places(desk: Desk) -> None:
    table = staffed(Direct(), desk, train_items=400).timetable
    by_person: dict[int, list[tuple[float, float]]] = {}
    for sitting in table.sittings:
        by_person.setdefault(sitting.person, []).append((sitting.start, sitting.minutes))
    for sittings in by_person.values():
        for (start, minutes), (after, _) in pairwise(sittings):
            assert after >= start + minutes - 1e-9
    done = np.concatenate([s.items for s in table.sittings])
    assert len(done) == len(set(done.tolist())) == table.done.sum()
    assert (table.started[table.done] >= table.arrival[table.done]).all()
    if desk.deadline is not None:
        assert table.finished[table.done].max() <= 60 * desk.deadline + 1e-6


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(SMALL["protocols"])),
    st.floats(0, 80),
    st.sampled_from(DESKS),
    st.integers(0, 3),
)
def test_doubling_hours_never_lowers_coverage(
    name: str, hours: float, desk: Desk, seed: int
) -> None:
    protocol = study(None).protocols[name]
    done = [
        staffed(protocol, desk.model_copy(update={"hours": h}), seed=seed, train_items=120)
        .assess(Claims.of(range(120)))
        .labeled
        for h in (hours, 2 * hours)
    ]
    assert not (done[0] & ~done[1]).any()


def test_a_budget_is_kept_and_used() -> None:
    for hours in (3.0, 10.0, 21.7):
        done = staffed(Direct(), Desk(people=3, hours=hours), train_items=400)
        labeled = done.assess(Claims.of(range(400))).labeled
        assert labeled.sum() == int(hours * 60 / 12 + 1e-9)


def test_no_hours_label_nothing() -> None:
    results = oversight.compare(study(Desk(hours=0.0), protocols={"debate": "debate"}))
    row = results.summary_row(Case("debate"))
    assert row["pgr"] is None
    assert row["pgr_status"] == "undefined: nothing was labeled"
    assert (row["coverage"], row["hours_used"], row["human_minutes_per_item"]) == (0, 0, 0)
    assert row["weak_accuracy"] == results.summary_row(Case("unaided"))["weak_accuracy"] > 0.5


def test_a_fixed_cost_is_paid_before_the_first_item() -> None:
    protocol = RecursiveRewardModeling(samples=40, labeler="human")
    plenty = staffed(protocol, Desk(people=3), train_items=400)
    fixed, calls = plenty.fixed_cost()
    before = [s for s in plenty.timetable.sittings if not s.items.size]
    after = [s for s in plenty.timetable.sittings if s.items.size]
    assert sum(s.minutes for s in before) == pytest.approx(fixed)
    assert max(s.start + s.minutes for s in before) <= min(s.start for s in after)
    short = staffed(protocol, Desk(people=3, hours=fixed / 60 - 0.01), train_items=400)
    assert not short.assess(Claims.of(range(400))).labeled.any()
    assert short.fixed_cost() == (pytest.approx(fixed - 0.6), 0.0)
    enough = staffed(protocol, Desk(people=3, hours=(fixed + 60) / 60), train_items=400)
    assert enough.assess(Claims.of(range(400))).labeled.any()
    assert enough.fixed_cost() == (pytest.approx(fixed), calls)


def test_tired_people_make_worse_reward_models() -> None:
    protocol = RecursiveRewardModeling(samples=400)
    rested, tired = (
        staffed(protocol, Desk(people=1, **{**OFF, "vigilance": v, "break_after": None}))
        for v in (0.0, 2.0)
    )
    roots = Claims.of(range(4000))
    gold = pool(world()).intended
    right = [float(np.mean(of.assess(roots).answer == gold)) for of in (rested, tired)]
    assert right[1] < right[0] - 4 * binomial_error(right[0], 4000) / 2


@pytest.mark.parametrize("name", sorted(SMALL["protocols"]))
def test_every_sitting_by_itself_gives_what_all_at_once_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short way (minutes do not depend on effort) and the long one agree wherever items are
    judged one by one."""
    protocol = study(None).protocols[name]
    if name in ("ladder", "votes", "least sure"):
        pytest.skip("compares or learns from items")
    desk = Desk(people=2, skill_sd=0.3, break_after=240.0)
    short = staffed(protocol, desk, train_items=200)
    known = short.assess(Claims.of(range(200)))
    monkeypatch.setattr(planning, "same_minutes", lambda *_: False)
    long = staffed(protocol, desk, train_items=200).assess(Claims.of(range(200)))
    assert np.array_equal(known.labeled, long.labeled)
    assert np.array_equal(known.answer, long.answer)
    if name != "hard":  # which states how right it is on average, over all or in one manner
        assert known.evidence == pytest.approx(long.evidence, abs=1e-9)
    assert known.minutes == pytest.approx(long.minutes)


def test_effort_falls_with_work_and_comes_back_with_rest() -> None:
    desk = Desk(
        people=1, sitting=30, break_after=120, break_minutes=15, **{**OFF, "vigilance": 0.3}
    )
    at = setting(minutes=Minutes(root=10, leaf=10))
    sittings = staffed(Direct(), desk, at, train_items=100).timetable.sittings
    efforts = [s.manner.effort for s in sittings[:6]]
    assert efforts == [1.0, 1.0, 0.85, 0.7, 1.0, 1.0]
    assert [s.start - 540 for s in sittings[:6]] == [0, 30, 60, 90, 135, 165]
    assert desk.effort(1e6) == desk.vigilance_least
    assert Desk(vigilance=0.0).effort(1e6) == 1.0
    # Nothing begins that cannot end before closing; a night restores.
    assert all((s.start + s.minutes) % 1440 <= 17 * 60 for s in sittings)
    second = next(s for s in sittings if s.start >= 1440)
    assert (second.start, second.manner.effort) == (1440 + 540, 1.0)


@pytest.mark.parametrize("least", [0.01, 0.503, 0.52, 0.999])
def test_effort_and_pace_are_nearly_exact_and_keep_their_bounds(least: float) -> None:
    desk = Desk(vigilance=0.37, vigilance_least=least, hurry=0.333)
    for worked in np.linspace(0, 300, 997):
        exact = max(1 - 0.37 * max(worked - 30, 0) / 60, least)
        assert least <= desk.effort(worked) <= 1
        assert abs(desk.effort(worked) - exact) <= 0.005 + 1e-12
    for pressure in np.linspace(0, 2, 997):
        assert 1 <= desk.pace(pressure) <= 1.333
        assert abs(desk.pace(pressure) - min(max(pressure, 1), 1.333)) <= 0.005 + 1e-12
    assert desk.effort(1e6) == least
    assert desk.pace(1e6) == 1.333


@pytest.mark.parametrize("protocol", [Direct(), Cascade(below=0.9)], ids=["direct", "cascade"])
def test_the_mean_effort_of_a_day_is_the_exact_one(
    protocol: Overseer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes of a cascade depend on effort, those of a person who judges alone do not."""
    desk = Desk(people=2, variation=0.5, deadline=15.0, vigilance=0.4, vigilance_least=0.52)

    def effort(self: Desk, worked: float) -> float:
        return max(1 - self.vigilance * max(worked - 30, 0) / 60, self.vigilance_least)

    def pace(self: Desk, pressure: float) -> float:
        return min(max(pressure, 1), 1 + self.hurry)

    table = staffed(protocol, desk, train_items=60).timetable
    mean, lowest = table.effort[table.done].mean(), min(m.effort * m.pace for m in table.manners)
    monkeypatch.setattr(Desk, "effort", effort)
    monkeypatch.setattr(Desk, "pace", pace)
    exact = staffed(protocol, desk, train_items=60).timetable
    assert len(exact.manners) > 5
    assert abs(mean - exact.effort[exact.done].mean()) < 0.008
    assert lowest >= 0.52 - 1e-12


def test_effort_over_the_day_counts_all_who_are_at_work() -> None:
    """A sitting of 70 minutes from 9:10 on is at work in three half hours, on whatever day."""
    one = Sitting(0, 550.0, 70.0, Manner(0.8))
    other = Sitting(1, 1440 + 570.0, 15.0, Manner(0.5))
    low, mean, high = effort_by_half_hour([one, other])
    assert np.flatnonzero(~np.isnan(mean)).tolist() == [18, 19, 20]
    assert low[18:21] == pytest.approx([0.8, 0.5, 0.8])
    assert high[18:21] == pytest.approx([0.8, 0.8, 0.8])
    assert mean[18:21] == pytest.approx([0.8, (30 * 0.8 + 15 * 0.5) / 45, 0.8])


def test_an_item_longer_than_the_day_is_begun_in_the_morning() -> None:
    desk = Desk(people=1, hours_per_day=0.5, sitting=20, **OFF)
    at = setting(minutes=Minutes(root=50, leaf=50))
    table = staffed(Direct(), desk, at, train_items=10).timetable
    assert [s.start % 1440 for s in table.sittings] == [540.0] * 10
    assert table.done.all()


def test_effort_is_signal_to_noise() -> None:
    """Effort e makes an angle arctan(tan(theta) / sqrt(e)): accuracy in closed form (MODEL 3)."""
    desk = Desk(
        people=1, start=0.0, hours_per_day=24.0, break_after=None, **{**OFF, "vigilance": 5.0}
    )
    at = setting(root=0.8, structure=0.0)
    done = staffed(Direct(), desk, at, train_items=60_000, features=2)
    items = pool(world(train_items=60_000, features=2))
    tired = done.timetable.manner != 0
    efforts = {m.effort for m in done.timetable.manners} - {1.0}
    assert desk.vigilance_least in efforts
    last = np.array([m.effort for m in done.timetable.manners])[done.timetable.manner] == 0.5
    right = done.assess(items.roots).answer == items.intended
    expected = 1 - np.arctan(np.tan(np.pi * 0.2) / np.sqrt(0.5)) / np.pi
    assert tired.any()
    assert abs(right[last].mean() - expected) < 4 * binomial_error(expected, last.sum())


def test_who_falls_behind_hurries_and_whoever_hurries_sees_less() -> None:
    slow, fast = (
        staffed(Direct(), Desk(people=2, deadline=17.0, **{**OFF, "hurry": h}), train_items=400)
        for h in (0.0, 0.5)
    )
    assert {m.pace for m in slow.timetable.manners} == {1.0}
    assert {m.pace for m in fast.timetable.manners} == {1.0, 1.5}
    roots = Claims.of(range(400))
    assert slow.assess(roots).labeled.sum() == 2 * (3 * 10 + 6)  # three times two hours, 75 minutes
    assert fast.assess(roots).labeled.sum() > 1.4 * slow.assess(roots).labeled.sum()
    worked = fast.timetable.manners[int(fast.timetable.manner[0])]
    assert worked.effort == pytest.approx(1 / 1.5)  # an item gets so much of its time
    assert fast.assess(roots).minutes[0] == pytest.approx(12 / 1.5)
    ample = staffed(Direct(), Desk(people=2, deadline=1e4, **{**OFF, "hurry": 0.5}), train_items=40)
    assert {m.pace for m in ample.timetable.manners} == {1.0}


def test_a_backlog_of_arrivals_makes_people_hurry() -> None:
    flood = Desk(people=1, arrivals=60.0, **{**OFF, "hurry": 0.25})
    trickle = Desk(people=1, arrivals=1.0, **{**NONSTOP, "hurry": 0.25})
    paces = [
        {m.pace for m in staffed(Direct(), desk, train_items=200).timetable.manners}
        for desk in (flood, trickle)
    ]
    assert max(paces[0]) == 1.25
    assert paces[1] == {1.0}


def test_what_is_urgent_waits_less() -> None:
    desk = Desk(people=2, arrivals=9.5, urgent=0.2, **NONSTOP)
    done = staffed(Direct(), desk, train_items=4000)
    items = pool(world())
    urgent = items.draws.column("random", 0, "desk", "urgent") < 0.2
    waited = done.timetable.started - done.timetable.arrival
    assert 3 * waited[urgent].mean() < waited[~urgent].mean()


def test_model_time_overlaps_with_that_of_people() -> None:
    """One model, 3 minutes an item, and people who need 12: the first waits, nobody else does."""
    assert ready_times(np.zeros(4), np.full(4, 3.0), 1).tolist() == [3, 6, 9, 12]
    assert ready_times(np.zeros(4), np.full(4, 3.0), 2).tolist() == [3, 3, 6, 6]
    assert ready_times(np.array([5.0, 0, 1]), np.array([1.0, 4, 4]), 1).tolist() == [9, 4, 8]
    at = setting(minutes=Minutes(root=12, leaf=12, argument=0))
    with_it, without = (
        staffed(
            Consultancy(turns=3),
            Desk(people=1, model_minutes=m, sitting_items=1, **NONSTOP),
            at,
            train_items=50,
        ).timetable
        for m in (1.0, 0.0)
    )
    assert with_it.end - without.end == pytest.approx(3.0)


def test_people_differ_in_skill_and_are_right_as_often_on_average() -> None:
    at = setting(root=0.75, structure=0.0)
    sd, people = 0.6, 40
    right, each = [], []
    for seed in range(6):
        desk = Desk(people=people, skill_sd=sd, **OFF)
        done = staffed(Direct(), desk, at, seed, train_items=20_000, features=2)
        items = pool(world(train_items=20_000, features=2), seed=seed)
        answers = done.assess(items.roots).answer == items.intended
        who = np.array([m.person for m in done.timetable.manners])[done.timetable.manner]
        each += [float(answers[who == person].mean()) for person in range(people)]
        right.append(float(answers.mean()))
    spread = np.std(each, ddof=1)
    assert spread > 3 * binomial_error(0.75, 500)  # people really differ
    assert abs(np.mean(each) - 0.75) < 4 * spread / np.sqrt(len(each))


def test_prevalence_moves_the_criterion_by_what_the_docs_say() -> None:
    """Misses of a person right 93 times in 100: 7 % at even priors, 30 % where 1 in 50 is true."""
    r = np.cos(np.pi * 0.07)
    shift = Desk().prevalence * np.log10(25)

    def missed(threshold: float) -> float:
        below = multivariate_normal([0, 0], [[1, r], [r, 1]])
        return float(2 * (multivariate_normal(0, 1).cdf(threshold) - below.cdf([threshold, 0])))

    assert missed(0.0) == pytest.approx(0.07, abs=1e-3)
    assert missed(shift) == pytest.approx(0.30, abs=0.01)
    rare = tree("or", "or", branching=5, leaf_prior=1e-4)
    last = len(rare.tree) - 1
    assert rare.tree.marginals[last] == pytest.approx(0.02, abs=1e-4)  # true of half the roots
    at = Setting(
        PeopleSettings(accuracy=ByHeight(root=0.93, leaf=0.93), structure=0.0), setting().model
    )
    for knob, expected in ((0.0, 0.07), (Desk().prevalence, missed(shift))):
        desk = Desk(people="unlimited", **{**OFF, "prevalence": knob})
        items = pool(world(train_items=60_000, features=2, tree=rare), seed=1)
        rested = Workplace(Decomposition(), desk, items, at).rested()
        assert isinstance(rested, Decomposition)
        seated = rested.checker
        assert isinstance(seated, Seated)
        leaf = Claims.of(items.everyone, last)
        true = items.truth(leaf)
        share = float(np.mean(~seated.assess(leaf).answer[true]))
        assert abs(share - expected) < 4 * binomial_error(expected, true.sum()) + 2e-3 * (knob > 0)


def test_automation_bias_has_the_relative_risk_it_is_named_after() -> None:
    """A judge who else ignores a consultant errs 1.26 times as often where the consultant is
    wrong."""
    at = setting(root=0.7, u_root=1.0, structure=0.0)
    lone = Consultancy(turns=1, gain=0.0)
    items = pool(world(train_items=60_000, features=2))
    large: dict[str, Any] = {"people": at, "train_items": 60_000, "features": 2}
    for risk in (0.0, 0.26):
        desk = Desk(people="unlimited", **{**OFF, "automation_bias": risk})
        done = staffed(lone, desk, **large)
        plain = lone.prepare(items, at)
        for_true = plain.chance(items.roots).coin("side")
        wrong = done.assess(items.roots).answer != items.intended
        misled = for_true != items.intended
        expected = 0.3 * (1 + risk)
        assert abs(wrong[misled].mean() - expected) < 4 * binomial_error(expected, misled.sum())
    # Who is moved by arguments besides: p' + (1 - p') R p / (1 - p), p' without the bias; a lie's
    # evidence speaks against it, so that this is less than 1 + R times p.
    heard = Consultancy(turns=1)
    moved, biased = (
        staffed(heard, Desk(people="unlimited", **{**OFF, "automation_bias": risk}), **large)
        for risk in (0.0, 0.26)
    )
    misled = heard.prepare(items, at).chance(items.roots).coin("side") != items.intended
    without, followed = (
        float(np.mean((done.assess(items.roots).answer != items.intended)[misled]))
        for done in (moved, biased)
    )
    expected = without + (1 - without) * 0.26 * 0.3 / 0.7
    assert abs(followed - expected) < 4 * binomial_error(0.26 * 0.3 / 0.7, misled.sum())
    assert 1.15 < followed / 0.3 < 1.24
    # Who hears both sides has no lone adviser.
    debate = study(None).protocols["debate"]
    biased = staffed(debate, Desk(people="unlimited", **{**OFF, "automation_bias": 5.0}))
    healthy = debate.prepare(pool(world()), setting()).assess(pool(world()).roots)
    assert np.array_equal(biased.assess(pool(world()).roots).evidence, healthy.evidence)


def test_failures_meet_a_desk() -> None:
    failures = {
        "flips": {"kind": "random_flips", "severity": 1.0},
        "bias": {"kind": "belief_bias", "severity": 1.0},
        "cut": {"kind": "depth_cut", "severity": 0.0},
    }
    failing = study(Desk(people=2, hours=40), failures=failures)
    rows = run_replicate(failing, 0, failing.cases(failing.failures))
    assert not rows.failed
    label, used = COLUMNS.index("label_accuracy"), COLUMNS.index("hours_used")
    for name in ("unaided", "debate", "hard"):
        healthy = rows.rows[Case(name)]
        for failure in ("flips", "bias"):
            struck = rows.rows[Case(name, failure, 1.0)]
            assert struck[label] < healthy[label]
        assert rows.rows[Case(name, "flips", 1.0)][used] == healthy[used]


def test_measures_add_up() -> None:
    desk = Desk(people=2, hours=40)
    results: Results = oversight.compare(study(desk))
    for row in results.summary():
        if row["coverage"]:
            labeled = row["coverage"] * 400
            assert row["hours_used"] <= 40 + 1e-9
            assert row["human_minutes_per_item"] == pytest.approx(row["hours_used"] * 60 / 400)
            assert row["labels_per_hour"] == pytest.approx(labeled / row["hours_used"], rel=0.05)
            assert 0 < row["utilization"] <= 1
            assert 0.4 <= row["effort"] <= 1
    unaided = results.summary_row(Case("unaided"))
    rested = oversight.compare(study(None)).summary_row(Case("unaided"))
    assert unaided["weak_accuracy"] == rested["weak_accuracy"]  # weak has no desk
    assert rested["hours_used"] is None


def test_some_replicates_without_a_label_leave_pgr_undefined() -> None:
    """The first item must come before the deadline: in some replicates it does not."""
    desk = Desk(
        people="unlimited", start=0.0, hours_per_day=24.0, arrivals=1.0, deadline=1.0, **OFF
    )
    results = oversight.compare(study(desk, replicates=12, protocols={"a": "direct"}, seed=1))
    blank = int(np.sum(results.column("a", "coverage") == 0))
    assert 0 < blank < 12
    assert results.pgr("a").status == f"undefined: nothing was labeled in {blank} of 12 replicates"


def test_working_hours() -> None:
    day = Hours(540, 480)
    assert day.window(0) == (540, 1020)
    assert day.window(1019.9) == (540, 1020)
    assert day.window(1020) == (1980, 2460)
    assert day.after(700) == 1980
    assert day.between(0, 1440) == 480
    assert day.between(600, 1440 + 600) == 480
    assert Hours(0, 1440).between(10, 5000) == 4990


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"people": 0}, "nobody to do the work"),
        ({"people": 2.5}, "no number of people"),
        ({"hours": -1}, "greater than or equal to 0"),
        ({"sitting": 500}, "a sitting of 500 minutes in a day of 480"),
        ({"deadline": 8}, "before anybody has started"),
        ({"start": 20}, "run past midnight"),
        ({"sitting": 0}, "greater than 0"),
        ({"urgent": 1.5}, "less than or equal to 1"),
        ({"vigilence": 0}, "did you mean 'vigilance'"),
        ({"hours": float("nan")}, "finite"),
    ],
)
def test_bad_desks(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Desk.model_validate(changes)
