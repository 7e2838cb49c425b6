"""Failures against the exact cases of MODEL 8 and others like them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import ndtr
from scipy.stats import binom

from mechanisms.consultancy import Consultancy
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from oversight import Claims, Failure, Human, Injection, Model, Overseer, Setting, Study
from oversight.components.profiles import Strategy
from oversight.core.messages import message_of
from oversight.core.plugins import plugins
from oversight.core.streams import Chance
from oversight.desk.settings import Desk
from oversight.failures.base import Onset, Slice
from oversight.failures.injection import injection
from oversight.metrics import closed_forms as theory
from oversight.overseers.persuasion import Arguing, selected_quality
from oversight.running.keys import Keys
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.studies.cases import Case
from tests.helpers import PERFECT, Blank, binomial_error, pool, setting, tree, world

ITEMS = 20_000


def of(kind: str, **knobs: Any) -> Failure:
    made: Failure = plugins("failures").get(kind)(**knobs)
    return made


def struck(protocol: Overseer, *failures: Failure, severity: float = 1.0) -> Any:
    return Injection(together=failures).into(protocol, None, severity)[0]


def right(protocol: Any, items: Any, who: Setting) -> float:
    found = protocol.prepare(items, who).assess(items.roots).answer
    return float(np.mean(found == items.intended))


def near(found: float, expected: float, draws: int = ITEMS, errors: float = 4.0) -> bool:
    return abs(found - expected) < errors * binomial_error(expected, draws) + 1e-12


@pytest.mark.parametrize("severity", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("gates", [("xor", "xor"), ("xor", "xor", "xor")])
def test_obfuscation(severity: float, gates: tuple[str, ...]) -> None:
    """P(caught) = q^D A + (1 - q^D) (1 - A), q = 1 - s (1 - 1/m); an honest announcer wins with
    chance A. Parity has exactly one flaw a level."""
    items = pool(world(train_items=ITEMS, tree=tree(*gates)))
    who = setting(**{**PERFECT, "leaf": 0.85})
    debate = struck(Debate(tree=True, turns=0), of("obfuscated_argument"), severity=severity)
    q = 1 - severity * (1 - 1 / 3)
    caught = theory.obfuscated_accuracy(0.85, q, len(gates))
    assert near(right(debate, items, who), 0.5 * 0.85 + 0.5 * caught)


@pytest.mark.parametrize(("gates", "expected"), [(("or", "and"), 0.555), (("xor", "xor"), 0.539)])
def test_gates_with_several_flaws_a_level_catch_more_obfuscated_lies(
    gates: tuple[str, ...], expected: float
) -> None:
    items = pool(world(train_items=80_000, tree=tree(*gates)))
    debate = struck(Debate(tree=True, turns=0), of("obfuscated_argument"))
    found = right(debate, items, setting(**{**PERFECT, "leaf": 0.85}))
    assert near(found, expected, draws=80_000)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_wrong_on_a_class(share: float) -> None:
    """Accuracy falls by f (2 A_class - 1) if inverted and by f A_class if always wrong, exactly."""
    items, who = pool(world(train_items=ITEMS)), setting()
    healthy = Direct().prepare(items, who).assess(items.roots).answer == items.intended
    from oversight.failures.base import depth

    region = depth(items) < share
    before, inside = healthy.mean(), healthy[region].mean()
    f = region.mean()
    assert f == pytest.approx(share, abs=1 / ITEMS)
    for answers, fall in (("inverted", f * (2 * inside - 1)), ("wrong", f * inside)):
        failing = struck(Direct(), of("wrong_on_a_class", most=share, answers=answers))
        assert right(failing, items, who) == pytest.approx(before - fall, abs=1e-12)


def test_wrong_on_a_class_against_gold() -> None:
    """Against gold, answers that become always wrong cost f (1 - 2 eta) A_class."""
    items, who = pool(world(train_items=ITEMS, ceiling=0.9)), setting()
    failing = struck(Direct(), of("wrong_on_a_class", most=0.4, answers="wrong"))
    healthy = Direct().prepare(items, who).assess(items.roots).answer
    wrong = failing.prepare(items, who).assess(items.roots).answer
    from oversight.failures.base import depth

    inside = (healthy == items.intended)[depth(items) < 0.4].mean()
    fall = np.mean(healthy == items.gold) - np.mean(wrong == items.gold)
    changed = np.mean(healthy != wrong)
    error = np.sqrt(changed / ITEMS)  # each changed answer moves the fall by one item, up or down
    assert abs(fall - 0.4 * 0.8 * inside) < 4 * error


@pytest.mark.parametrize("rho", [0.2, 0.6])
def test_a_common_cause_floors_any_number_of_votes(rho: float) -> None:
    items = pool(world(train_items=ITEMS, tree=tree()))
    who = setting(root=0.9, structure=0.0)
    votes = []
    for people in (1, 11, 101):
        many = Decomposition(aggregate="hard", votes=people)
        own = 1 - right(many, items, who)
        failing = struck(many, of("common_cause", most=1.0), severity=rho)
        wrong = 1 - right(failing, items, who)
        assert near(wrong, rho * 0.1 + (1 - rho * 0.1) * own)
        votes.append(own)
    assert votes[0] > 2 * votes[1] > 4 * votes[2]  # what is not common goes away


@pytest.mark.parametrize("whose", ["label", "truth"])
def test_one_sided_flips_leave_the_ranking(whose: str) -> None:
    """Accuracy falls, AUC stays (many items), whether it is the label's or the truth's value."""
    study = Study(
        world=world(train_items=20_000, test_items=20_000),
        student={"labels": "hard"},
        protocols={"direct": Direct()},
        failures={"it": of("one_sided_flips", of=whose, most=0.5)},
    )
    cases = [Case("direct"), Case("direct", "it", 1.0)]
    runs = [run_replicate(study, n, cases).rows for n in range(6)]

    def fall(of_: str) -> tuple[float, float]:
        i = COLUMNS.index(of_)
        falls = np.array([run[cases[0]][i] - run[cases[1]][i] for run in runs])
        return float(falls.mean()), float(falls.std(ddof=1) / np.sqrt(len(runs)))

    accuracy, error = fall("student_accuracy")
    assert accuracy > 0.01 + 4 * error
    ranking, error = fall("auc")
    # Fewer right labels also add noise: at q = 1/2 the direction's squared error grows by about
    # (1 - kappa'^2) / kappa'^2 d / n with kappa'^2 = kappa^2 / 4, some .002 of AUC here.
    assert abs(ranking) < 4 * error + 0.002


def test_collusion_leaves_the_judge_with_what_it_sees() -> None:
    items, who = pool(world()), setting()
    alone = Direct().prepare(items, who).assess(items.roots)
    colluding = struck(Debate(turns=3), of("collusion")).prepare(items, who).assess(items.roots)
    assert np.array_equal(colluding.evidence, alone.evidence)
    assert colluding.minutes.min() > alone.minutes.max()


def test_collusion_keeps_to_its_onset() -> None:
    """From level 1 on, nothing is silent at the leaves."""
    items, who = pool(world()), setting()
    late = struck(Debate(turns=3), of("collusion", onset=Onset(level=1))).prepare(items, who)
    healthy = Debate(turns=3).prepare(items, who)
    alone = Direct().prepare(items, who)
    leaf = items.claims(int(items.tree.leaves[0]))
    assert np.array_equal(late.assess(leaf).evidence, healthy.assess(leaf).evidence)
    assert np.array_equal(late.assess(items.roots).evidence, alone.assess(items.roots).evidence)


@pytest.mark.parametrize("turns", [1, 3, 7])
def test_who_misses_every_argument_hears_exactly_nothing(turns: int) -> None:
    items, who = pool(world()), setting()
    alone = Direct().prepare(items, who).assess(items.roots)
    for protocol in (Debate(turns=turns), Consultancy(turns=turns, candidates=4)):
        deaf = struck(protocol, of("inattention")).prepare(items, who).assess(items.roots)
        assert np.array_equal(deaf.evidence, alone.evidence)


def test_colluding_debaters_on_the_tree_dispute_no_lie() -> None:
    items = pool(world(train_items=ITEMS))
    found = right(struck(Debate(tree=True, turns=0), of("collusion")), items, setting(**PERFECT))
    assert near(found, 0.5)


def test_collusion_on_the_tree_is_a_coin_stated_like_a_leaf() -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    healthy, colluding = (
        protocol.prepare(items, who).assess(items.roots)
        for protocol in (Debate(tree=True, turns=0), struck(Debate(tree=True), of("collusion")))
    )
    assert near(float(np.mean(colluding.answer == items.intended)), 0.5)
    assert colluding.confidence.mean() == pytest.approx(healthy.confidence.mean(), abs=0.005)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("noise", [0.05, 0.2])
def test_noisy_gates_follow_the_recursion(depth: int, noise: float) -> None:
    items = pool(world(train_items=ITEMS, tree=tree(*["repeat"] * depth), claim_correlation=0.0))
    who = setting(leaf=0.95, structure=0.0)
    failing = struck(Decomposition(aggregate="hard"), of("noisy_aggregator", most=noise))
    assert near(right(failing, items, who), theory.repeated(0.95, noise, depth))


def test_noise_nobody_reckons_with_is_silent() -> None:
    items, who = pool(world()), setting()
    honest = Decomposition(aggregate="hard").prepare(items, who).assess(items.roots)
    failing = struck(Decomposition(aggregate="hard"), of("noisy_aggregator"), severity=0.6)
    noisy = failing.prepare(items, who).assess(items.roots)
    assert right(failing, items, who) < 0.7
    assert noisy.confidence.mean() == pytest.approx(honest.confidence.mean(), abs=0.02)


@pytest.mark.parametrize("stop", [0.3, 1.0])
def test_stopping_early_is_a_mixture_of_shorter_debates(stop: float) -> None:
    items, who = pool(world(train_items=ITEMS)), setting(**PERFECT)
    failing = struck(Debate(turns=4, judge=Blank()), of("premature_stopping"), severity=stop)
    chances = [stop * (1 - stop) ** k for k in range(3)] + [(1 - stop) ** 3]
    lengths = [theory.debate_accuracy(turns) for turns in range(1, 5)]
    assert near(right(failing, items, who), float(np.dot(chances, lengths)))


def test_stopping_early_saves_the_time_to_read() -> None:
    items, who = pool(world()), setting()
    whole = Debate(turns=4).prepare(items, who).assess(items.roots).minutes
    ready = struck(Debate(turns=4), of("premature_stopping")).prepare(items, who)
    argument = who.people.minutes.argument
    assert np.allclose(whole - ready.assess(items.roots).minutes, 2 * 3 * argument)


@pytest.mark.parametrize("candidates", [1, 3])
def test_missed_arguments(candidates: int) -> None:
    """What is heard of 2 T arguments is binomial; with one candidate each counts c mu +- 1."""
    items, who = pool(world(train_items=ITEMS)), setting(**PERFECT)
    debate = Debate(turns=3, judge=Blank(), candidates=candidates)
    failing = struck(debate, of("inattention"), severity=0.4)
    found = right(failing, items, who)
    if candidates == 1:
        heard = np.arange(7)
        expected = float(binom.pmf(heard, 6, 0.6) @ ndtr(0.25 * np.sqrt(heard)))
        assert near(found, expected)
    else:
        assert found < right(debate, items, who) - 0.02


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("persuasive_liar", 0.5), ("fabricated_evidence", 1.0), ("weak_honest_evidence", 1.0)],
)
def test_where_lies_are_argued_like_truths_a_debate_says_nothing(
    kind: str, severity: float
) -> None:
    items, who = pool(world(train_items=ITEMS)), setting(**PERFECT)
    for candidates in (1, 4):
        debate = Debate(judge=Blank(), candidates=candidates)
        assert near(right(struck(debate, of(kind), severity=severity), items, who), 0.5)


def test_half_of_the_lies_made_up() -> None:
    """K of T lies are as strong as truths: Phi(c mu (2 T - 2 K) / sqrt(2 T)) over K."""
    items, who = pool(world(train_items=ITEMS)), setting(**PERFECT)
    failing = struck(Debate(judge=Blank()), of("fabricated_evidence"), severity=0.5)
    k = np.arange(4)
    expected = float(binom.pmf(k, 3, 0.5) @ ndtr(0.25 * (6 - 2 * k) / np.sqrt(6)))
    assert near(right(failing, items, who), expected)


def test_a_credulous_judge_says_what_a_lone_adviser_says() -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    failing = struck(Consultancy(), of("credulity"))
    assert near(right(failing, items, who), 0.5)
    honest = struck(Consultancy(open=True), of("credulity"))
    believed = Model().prepare(items, who).believe(items.roots)
    answers = honest.prepare(items, who).assess(items.roots).answer
    assert np.array_equal(answers, believed)


@pytest.mark.parametrize("role", ["judge", "evaluator"])
def test_an_old_scenario_with_a_sycophantic_judge_is_told_the_new_name(role: str) -> None:
    """The new `sycophancy` is a model's: it argues what the judge believes."""
    with pytest.raises(ValidationError) as refused:
        injection({"kind": "sycophancy", "on": role})
    (error,) = refused.value.errors()
    assert error["loc"] == ("on",)
    words = f"cannot strike '{role}'; expected models; what struck it under this name is now"
    assert f"{words} 'credulity'" in message_of(error)
    assert injection({"kind": "credulity", "on": role}).together[0].on == role


@pytest.mark.parametrize("strategy", [Strategy(picks="pivotal"), {"share": 0.3}])
def test_severity_is_the_share_of_a_scheming_model(strategy: Any) -> None:
    with pytest.raises(ValidationError, match="severity x most is the share"):
        of("scheming", strategy=strategy)


def test_a_model_has_one_strategy() -> None:
    together = [{"kind": "scheming"}, {"kind": "label_noise"}, {"kind": "sycophancy"}]
    with pytest.raises(ValidationError, match="each decide what the model does"):
        injection({"together": together})
    assert len(injection({"together": together[:2]}).together) == 2


def test_the_order_within_a_role_decides_numbers_and_keys() -> None:
    """Certain first and then misled, or misled first: numbers of the one are not kept as the
    other's."""
    orders = (of("overconfidence"), of("belief_bias")), (of("belief_bias"), of("overconfidence"))
    failures = dict(zip("ab", (Injection(together=both) for both in orders), strict=True))
    study = Study(world=world(), protocols={"it": Direct()}, failures=failures)
    cases = [Case("it", name, 1.0) for name in failures]
    one, other = run_replicate(study, 0, cases).rows.values()
    assert one[COLUMNS.index("label_accuracy")] != other[COLUMNS.index("label_accuracy")]
    assert len(set(map(Keys(study).of, cases))) == 2


SIMULATED: dict[str, tuple[Failure, ...]] = {
    "alone": (),
    "with a failing judge": (of("inattention", most=0.5),),
    "with edited labels": (of("label_tampering"),),
}


@pytest.mark.parametrize("others", sorted(SIMULATED))
@pytest.mark.parametrize("desk", [None, Desk(people=2)])
def test_a_human_simulator_answers_as_its_teacher_labels(others: str, desk: Desk | None) -> None:
    """At severity 1 its accuracy on test items is that of the labels that the protocol, under
    whatever failure, gives to test items; rested, where people sit at a desk. It costs nothing."""
    failures = (of("human_simulator"), *SIMULATED[others])
    study = Study(
        world=world(ceiling=0.95),
        protocols={"debate": Debate(), "unaided": Direct()},
        failures={"it": Injection(together=failures), "others": Injection(together=failures[1:])},
        desk=desk,
    )
    case = Case("debate", "it", 1.0)
    replicate = run_replicate(study, 0, [case, Case("debate", "others", 1.0)])
    assert not replicate.failed
    row, apart = replicate.rows.values()
    test = study.world.pool(study.seed, 0, "test")
    teacher, _ = Injection(together=failures[1:]).into(Debate(), None, 1.0)
    answers = teacher.prepare(test, study.setting).assess(test.roots).answer
    accuracy = COLUMNS.index("student_accuracy")
    assert row[accuracy] == np.mean(answers == test.gold)
    assert row[accuracy] != apart[accuracy]
    for column in ("label_accuracy", "human_minutes_per_item", "model_calls_per_item"):
        assert row[COLUMNS.index(column)] == apart[COLUMNS.index(column)]
    person = Human().prepare(test, study.setting).assess(test.roots).answer
    assert row[accuracy] != np.mean(person == test.gold)


def test_half_a_human_simulator_is_in_between() -> None:
    study = Study(
        world=world(ceiling=0.95),
        protocols={"debate": Debate()},
        failures={"it": of("human_simulator")},
    )
    cases = [Case("debate", "it", severity) for severity in (0.0, 0.5, 1.0)]
    column = COLUMNS.index("student_accuracy")
    rows = run_replicate(study, 0, [Case("debate"), *cases]).rows
    none, half, whole = (rows[case][column] for case in cases)
    assert none == rows[Case("debate")][column]
    # A coin decides on the items where the two answers differ; one of them is wrong there.
    error = 0.5 * np.sqrt((2 - none - whole) / study.world.test_items)
    assert abs(half - (none + whole) / 2) < 4 * error


@pytest.mark.parametrize("severity", [0.25, 1.0])
def test_lost_interactions_bound_what_sees_only_the_tree(severity: float) -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    whole = right(Decomposition(), items, who)
    failing = struck(Decomposition(), of("lost_interactions"), severity=severity)
    expected = (1 - severity) * whole + severity / 2
    assert near(right(failing, items, who), expected)
    assert right(struck(Direct(), of("lost_interactions")), items, who) == right(
        Direct(), items, who
    )


def test_a_tree_cut_to_its_root_is_direct_judgment() -> None:
    items, who = pool(world()), setting()
    alone = Direct().prepare(items, who).assess(items.roots)
    for protocol in (Decomposition(), Debate(tree=True, turns=0)):
        cut = struck(protocol, of("depth_cut")).prepare(items, who).assess(items.roots)
        assert np.array_equal(cut.answer, alone.answer)
        assert np.array_equal(cut.minutes, alone.minutes)


def test_a_tree_cut_half_way_asks_what_stands_there() -> None:
    items, who = pool(world()), setting()
    cut = struck(Decomposition(), of("depth_cut"), severity=0.5).prepare(items, who)
    higher = Decomposition(height=1).prepare(items, who).assess(items.roots)
    assert np.array_equal(cut.assess(items.roots).evidence, higher.evidence)


def test_every_edge_the_other_way_around() -> None:
    """All inputs of a parity of three turned: its output is turned."""
    items, who = pool(world(tree=tree("xor"))), setting(**PERFECT)
    failing = struck(Decomposition(aggregate="hard"), of("mismatched_interfaces", most=1.0))
    assert right(failing, items, who) == 0.0


def test_starved_reward_models_are_what_their_sample_allows() -> None:
    """Losing a share of the sample is as having judged so much less, but for what it cost."""
    kept, runs = 0.2, 12
    fewer, starved = [], []
    for seed in range(runs):
        items, who = pool(world(train_items=2000), seed=seed), setting()
        fewer.append(right(RecursiveRewardModeling(samples=60), items, who))
        failure = of("too_few_comparisons", most=1 - kept)
        starved.append(right(struck(RecursiveRewardModeling(samples=300), failure), items, who))
    apart = np.array(starved) - np.array(fewer)
    assert abs(apart.mean()) < 4 * apart.std(ddof=1) / np.sqrt(runs)
    plenty = [
        right(RecursiveRewardModeling(samples=300), pool(world(train_items=2000), seed=s), who)
        for s in range(runs)
    ]
    assert np.mean(plenty) > np.mean(starved) + 0.03


def test_half_of_the_judgments_reversed_teach_nothing() -> None:
    found = []
    for seed in range(12):
        items = pool(world(train_items=2000), seed=seed)
        failing = struck(RecursiveRewardModeling(), of("label_noise"))
        found.append(right(failing, items, setting()))
    assert abs(np.mean(found) - 0.5) < 4 * np.std(found, ddof=1) / np.sqrt(12)


@pytest.mark.parametrize("candidates", [2, 8, 64])
def test_heavy_tails_crowd_quality_out(candidates: int) -> None:
    """Light-tailed selection has corr e_n, heavy-tailed falls below it (MODEL 5)."""
    items = pool(world(train_items=ITEMS))
    chance = Chance(items.draws, ("a test",), items.roots)
    light = selected_quality(chance, candidates, 0.5, "x")
    heavy = selected_quality(chance, candidates, 0.5, "x", degrees_of_freedom=3.0)
    expected, error = 0.5 * theory.best_of(candidates), 4 / np.sqrt(ITEMS)
    assert abs(light.mean() - expected) < error
    assert heavy.mean() < expected - error * (candidates > 2)
    who = setting()
    model = Model().prepare(items, who)
    failure = of("heavy_tailed_reward").around(Model(), "assistant", 1.0).prepare(items, who)
    arguing, corr = Arguing(candidates=candidates), np.full(ITEMS, 0.5)
    plain, hacked = (
        a.assist(items.roots, arguing, corr, chance, "y").strength for a in (model, failure)
    )
    fall = arguing.discernment * (light.mean() - heavy.mean())
    assert plain.mean() - hacked.mean() == pytest.approx(fall, abs=2 * error)


def test_a_higher_severity_strikes_the_same_claims_and_more() -> None:
    items, who = pool(world()), setting()
    failing = [of("random_flips").around(Direct(), "labels", s) for s in (0.2, 0.5, 0.9)]
    hits = [f.prepare(items, who).strikes(items.roots) for f in failing]
    for fewer, more in pairwise(hits):
        assert not (fewer & ~more).any()


def test_slices_and_onset() -> None:
    items, who = pool(world(train_items=ITEMS)), setting()
    everyone = items.everyone

    def hit(**when: Any) -> Any:
        failure = of("random_flips", most=1.0, **when)
        return failure.around(Direct(), "labels", 1.0).prepare(items, who).strikes(items.roots)

    assert hit().all()
    assert np.array_equal(hit(items=Slice(first=10, last=19)), (everyone >= 10) & (everyone < 20))
    assert np.array_equal(hit(items=Slice(answer=False)), ~items.intended)
    assert np.array_equal(hit(onset=Onset(item=500)), everyone >= 500)
    assert near(hit(items=Slice(share=0.3)).mean(), 0.3)
    assert hit(items=Slice(region=0.3)).mean() == pytest.approx(0.3, abs=1 / ITEMS)
    both = hit(items=Slice(share=0.3, answer=True), onset=Onset(item=100))
    assert np.array_equal(both, hit(items=Slice(share=0.3)) & items.intended & (everyone >= 100))
    assert items.tree.height == 2
    assert hit(onset=Onset(level=2)).all()
    low = np.broadcast_to(items.claims(1).node, everyone.shape)
    assert (
        not of("belief_bias", onset=Onset(level=2))
        .around(Human(), "people", 1.0)
        .prepare(items, who)
        .strength(Claims.of(everyone, low))
        .any()
    )


def test_an_onset_by_level_spares_what_is_below() -> None:
    items, who = pool(world()), setting()
    failure = of("belief_bias", onset=Onset(level=1)).around(Human(), "people", 1.0)
    person, ready = Human().prepare(items, who), failure.prepare(items, who)
    leaf, top = int(items.tree.leaves[0]), 0
    for node, same in ((leaf, True), (1, False), (top, False)):
        claims = Claims.of(items.everyone, node)
        equal = np.array_equal(ready.assess(claims).evidence, person.assess(claims).evidence)
        assert equal is same


def test_the_order_of_failures_on_different_roles_does_not_matter() -> None:
    items, who = pool(world()), setting()
    protocol = Decomposition(checker=Debate(judge=Direct()))
    several = [
        of("belief_bias"),
        of("inattention"),
        of("persuasive_liar"),
        of("malicious_leaves"),
        of("noisy_aggregator"),
        of("lost_interactions"),
        of("random_flips"),
    ]
    rng = np.random.default_rng(1)
    first = struck(protocol, *several, severity=0.4).prepare(items, who).assess(items.roots)
    for _ in range(4):
        order = [several[i] for i in rng.permutation(len(several))]
        again = struck(protocol, *order, severity=0.4).prepare(items, who).assess(items.roots)
        assert np.array_equal(again.evidence, first.evidence)


def test_failures_reach_through_any_nesting() -> None:
    """Every person errs, wherever they sit, and mechanisms know nothing of it."""
    items, who = pool(world()), setting()
    nested = Debate(judge=Decomposition(checker=Consultancy()))
    one = nested.prepare(items, who).assess(items.roots).evidence
    two = struck(nested, of("belief_bias")).prepare(items, who).assess(items.roots).evidence
    assert not np.array_equal(one, two)
    assert struck(nested, of("belief_bias")).identity() == nested.identity()
