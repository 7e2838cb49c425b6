"""A strong model that plays to win: what a strategy does, against closed forms (MODEL 10)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import oversight
from oversight import (
    Claims,
    Human,
    ModelSettings,
    Overseer,
    PeopleSettings,
    Pool,
    Setting,
    Strategy,
    Study,
    prepared,
)
from oversight.components.profiles import ByHeight
from oversight.core.claims import ROOT, BoolArray
from oversight.core.streams import Draws
from oversight.overseers.attack import changes_to_turn, refusal
from oversight.overseers.lies import nearest
from oversight.overseers.model import Model
from oversight.worlds.concept import ConceptWorld
from oversight.worlds.gates import named
from oversight.worlds.tree import TaskTree

ITEMS = 40_000
WORLD = ConceptWorld(train_items=ITEMS, test_items=10, features=4, ceiling=1.0)
POOL = WORLD.pool(3, 0, "train")
A, T = 0.8, 0.9
"""Accuracy of U, and of whoever audits it."""


def overseer(written: object) -> Overseer:
    """A protocol as a scenario file writes it."""
    return Study(protocols={"mine": written}).protocols["mine"]


def setting(strategy: object = "honest", accuracy: float = A, bias: float = 0.2) -> Setting:
    people = PeopleSettings(accuracy=ByHeight(root=0.7, leaf=0.9))
    levels = ByHeight(root=accuracy, leaf=0.95)
    model = ModelSettings(accuracy=levels, shared_bias=bias, strategy=strategy)
    return Setting(people, model)


def verdicts(
    written: object, strategy: object = "honest", pool: Pool = POOL
) -> tuple[oversight.Verdicts, BoolArray]:
    ready = prepared(overseer(written), pool, setting(strategy))
    return ready.protocol.assess(pool.roots), ready.attacked


def right(written: object, strategy: object = "honest") -> float:
    return float(np.mean(verdicts(written, strategy)[0].answer == POOL.intended))


def standard_error(share: float) -> float:
    return float(np.sqrt(share * (1 - share) / ITEMS))


MODEL = {"direct": {"overseer": "model"}}
AUDITOR = {"human": {"accuracy": {"root": T, "leaf": 0.95}, "structure": 0.0}}
FLAT = {"debate": {"turns": 3, "candidates": 4}}


def audited(share: float, **more: object) -> dict[str, object]:
    return {"audit": {"of": "model", "by": AUDITOR, "share": share, **more}}


@pytest.mark.parametrize("q", [0.0, 0.1, 0.37, 1.0])
def test_random_lies_mix_a_and_1_minus_a_and_nobody_sounds_less_sure(q: float) -> None:
    strategy = Strategy(share=q)
    expected = A * (1 - q) + (1 - A) * q
    assert right(MODEL, strategy) == pytest.approx(expected, abs=4 * standard_error(expected))
    lying, attacked = verdicts(MODEL, strategy)
    healthy, _ = verdicts(MODEL)
    assert attacked.sum() == round(q * ITEMS)
    assert np.array_equal(lying.evidence, np.where(attacked, -1, 1) * healthy.evidence)
    assert np.array_equal(lying.confidence, healthy.confidence)


def test_the_posterior_is_turned_prior_included() -> None:
    claims = Claims.of(np.arange(ITEMS), 5)
    honest = prepared(overseer(MODEL), POOL, setting()).protocol.assess(claims)
    ready = prepared(overseer(MODEL), POOL, setting(Strategy(share=1.0))).protocol
    lying = ready.assess(claims)
    turned = lying.answer != honest.answer
    assert 0 < turned.mean() < 1  # some parts of a lie are true
    assert np.allclose(lying.belief[turned], 1 - honest.belief[turned])
    assert np.array_equal(lying.belief[~turned], honest.belief[~turned])


@pytest.mark.parametrize(("a", "q"), [(0.1, 0.2), (0.3, 0.5)])
def test_lies_under_a_random_audit(a: float, q: float) -> None:
    unaware = (1 - a) * (A * (1 - q) + (1 - A) * q) + a * T
    sure = right(audited(a), Strategy(share=q))
    assert sure == pytest.approx(unaware, abs=4 * standard_error(unaware))
    unwatched = (1 - a) * A + a * T - q * (2 * A - 1)
    sly = right(audited(a), Strategy(share=q, picks="unwatched", knows="coins"))
    assert sly == pytest.approx(unwatched, abs=4 * standard_error(unwatched))
    assert unwatched < unaware


def test_unwatched_lies_are_never_audited_while_there_are_enough_unwatched_items() -> None:
    _, attacked = verdicts(audited(0.3), Strategy(share=0.6, picks="unwatched", knows="coins"))
    protocol = prepared(overseer(audited(0.3)), POOL, setting()).protocol
    trace = protocol.assess(replace(POOL.roots, traced=True)).trace
    assert trace is not None
    assert not np.any(attacked & trace.facts["checked again"])


def test_of_the_watched_all_are_attacked_alike_whoever_watches_them() -> None:
    twice = {"audit": {"of": audited(0.5), "by": {"human": {"person": 7}}, "share": 0.5}}
    _, attacked = verdicts(twice, Strategy(share=0.5, picks="unwatched", knows="coins"))
    outer = prepared(overseer(twice), POOL, setting()).protocol
    claims = replace(POOL.roots, traced=True)
    traces = [each.assess(claims).trace for each in (outer, outer.of)]  # type: ignore[attr-defined]
    late, early = (trace.facts["checked again"] for trace in traces)
    assert attacked[~late & ~early].all()
    left = (0.5 - np.mean(~late & ~early)) / np.mean(late | early)
    for watched in (late & ~early, early & ~late, late & early):
        error = np.sqrt(left * (1 - left) / watched.sum())
        assert attacked[watched].mean() == pytest.approx(left, abs=4 * error)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_unwatched_lies_under_a_ranked_audit_are_those_that_would_not_be_checked(
    share: float,
) -> None:
    suspicious = audited(share, choose="suspicion")
    _, attacked = verdicts(suspicious, Strategy(share=0.3, picks="unwatched", knows="coins"))
    sure = np.abs(verdicts(MODEL)[0].belief - 0.5)
    least = np.argsort(np.argsort(sure, kind="stable")) < round(share * ITEMS)
    assert not np.any(attacked & least)


def test_more_knowledge_never_hurts_the_model_under_a_random_audit() -> None:
    for share in (0.05, 0.4, 0.9):
        blind = right(audited(0.25), Strategy(share=share))
        assert right(audited(0.25), Strategy(share=share, picks="unwatched", knows="coins")) < blind


def test_the_cascade_is_watched_where_it_escalates() -> None:
    written = {"cascade": {"first": "model", "then": "human", "below": 0.9}}
    strategy = Strategy(share=0.3, picks="unwatched", knows="everything")
    _, attacked = verdicts(written, strategy)
    first = verdicts(MODEL)[0]
    escalated = np.maximum(first.belief, 1 - first.belief) < 0.9
    assert escalated.any()
    assert not np.any(attacked & escalated)


def test_whoever_audits_a_part_watches_the_item() -> None:
    written = {"decomposition": {"checker": audited(0.05)}}
    _, attacked = verdicts(written, Strategy(share=0.3, picks="unwatched", knows="coins"))
    trial = prepared(overseer(written), POOL, setting()).protocol
    leaves = POOL.roots.at(np.array(POOL.tree.frontier(ROOT, 0))[:, None])
    trace = trial.checker.assess(replace(leaves, traced=True)).trace  # type: ignore[attr-defined]
    watched = trace.facts["checked again"].any(axis=0)
    assert watched.mean() == pytest.approx(1 - 0.95**9, abs=4 * standard_error(0.37))
    assert not np.any(attacked & watched)


def test_a_flat_debate_is_unmoved_by_rivals_and_thrown_by_a_team() -> None:
    healthy = verdicts(FLAT)[0]
    apart = verdicts(FLAT, Strategy(share=0.5, copies="apart"))[0]
    assert np.array_equal(apart.evidence, healthy.evidence)
    together, attacked = verdicts(FLAT, Strategy(share=0.5))
    assert np.array_equal(together.evidence[~attacked], healthy.evidence[~attacked])
    good = healthy.answer == POOL.intended, together.answer == POOL.intended
    assert good[0][attacked].mean() - good[1][attacked].mean() > 0.2


@pytest.mark.parametrize("n", [1, 8])
def test_the_copy_with_the_truth_brings_its_worst(n: int) -> None:
    """The worst of n perceived strengths is lean - E[max], the best lean + E[max]; silent at 1."""
    largest = {1: 0.0, 8: 1.4236}[n]
    written = {"debate": {"turns": 2, "candidates": n}}
    ready = prepared(overseer(written), POOL, setting(Strategy(share=1.0))).protocol
    protocol = ready.debater  # type: ignore[attr-defined]
    honest = prepared(overseer(written), POOL, setting()).protocol
    chance, yes = ready.chance(POOL.roots), np.ones(ITEMS, dtype=np.bool_)  # type: ignore[attr-defined]
    believed = honest.debater.believe(POOL.roots)  # type: ignore[attr-defined]
    spoken = protocol.argue(POOL.roots, yes, 2, ready, chance, "for")
    true, lie = spoken.strength[believed], spoken.strength[~believed]
    lean, spread = 0.25, np.sqrt(2 / (ITEMS / 2))
    assert lie.mean() == pytest.approx(2 * (largest - lean), abs=5 * spread)
    if n == 1:
        assert not true.any()
    else:
        assert true.mean() == pytest.approx(2 * (lean - largest), abs=5 * spread)
    assert np.allclose(sum(spoken.parts), spoken.strength)


def test_about_a_part_too_the_copy_with_the_truth_brings_its_worst() -> None:
    """Whatever the part is announced or answered to be: the team throws every case for what it
    knows, and makes every other as well as it can."""
    written = {"debate": {"turns": 1, "candidates": 4}}
    team = prepared(overseer(written), POOL, setting(Strategy(share=0.5))).protocol
    honest = prepared(overseer(written), POOL, setting()).protocol
    _, attacked = verdicts(written, Strategy(share=0.5))
    leaf = POOL.claims(5)
    true = honest.debater.believe(leaf)  # type: ignore[attr-defined]
    acted = team.debater.believe(leaf)  # type: ignore[attr-defined]
    assert 0 < np.mean((acted == true)[attacked]) < 1
    chance, yes = team.chance(leaf), np.ones(ITEMS, dtype=np.bool_)  # type: ignore[attr-defined]
    spoken, healthy = (
        who.debater.argue(leaf, yes, 1, who, chance, "for").strength  # type: ignore[attr-defined]
        for who in (team, honest)
    )
    thrown = attacked & true
    assert np.allclose(spoken[thrown], 2 * 0.25 - healthy[thrown])
    assert np.array_equal(spoken[~thrown], healthy[~thrown])


def test_an_open_consultant_argues_for_the_lie_as_weakly_as_a_lie_is() -> None:
    written = {"consultancy": {"open": True, "turns": 1}}
    ready = prepared(overseer(written), POOL, setting(Strategy(share=1.0))).protocol
    honest = prepared(overseer(written), POOL, setting()).protocol
    u = ready.consultant, honest.consultant  # type: ignore[attr-defined]
    assert np.array_equal(u[0].believe(POOL.roots), ~u[1].believe(POOL.roots))
    chance = ready.chance(POOL.roots)  # type: ignore[attr-defined]
    argument = u[0].argue(POOL.roots, u[0].believe(POOL.roots), 1, ready, chance, "consultant")
    assert argument.strength.mean() == pytest.approx(-0.25, abs=4 / np.sqrt(ITEMS))


def test_a_bluff_has_the_usual_size() -> None:
    healthy, (bluff, attacked) = verdicts(MODEL)[0], verdicts(MODEL, Strategy(states="bluff"))
    usual = np.median(np.abs(healthy.evidence))
    assert np.allclose(np.abs(bluff.evidence[attacked]), usual)
    assert np.array_equal(bluff.answer[attacked], ~healthy.answer[attacked])


@pytest.mark.parametrize("written", [MODEL, FLAT, audited(0.2), {"debate": {"tree": True}}])
def test_share_0_is_honest_bit_for_bit(written: object) -> None:
    for strategy in (Strategy(share=0), Strategy(share=0, picks="judge_weak", states="bluff")):
        lying, attacked = verdicts(written, strategy)
        assert not attacked.any()
        assert np.array_equal(lying.evidence, verdicts(written)[0].evidence)


def test_random_picks_are_the_same_items_in_every_protocol_and_larger_shares_hold_smaller() -> None:
    picked = [verdicts(p, Strategy(share=0.2))[1] for p in (MODEL, FLAT, audited(0.1))]
    assert all(np.array_equal(picked[0], other) for other in picked[1:])
    more = verdicts(MODEL, Strategy(share=0.3))[1]
    assert np.all(more[picked[0]])


@pytest.mark.parametrize("share", [0.0, 0.123, 0.4999])
@pytest.mark.parametrize("picks", ["random", "judge_weak", "pivotal", "unwatched"])
def test_the_share_is_exact(picks: str, share: float) -> None:
    knows = "coins" if picks == "unwatched" else "rate"
    strategy = Strategy(share=share, picks=picks, knows=knows)  # type: ignore[arg-type]
    _, attacked = verdicts(audited(0.1), strategy)
    offered = ITEMS
    if picks == "judge_weak":
        believed = verdicts(MODEL)[0].answer
        offered = int(np.sum((POOL.misconception(POOL.roots) < 0) == believed))
    assert attacked.sum() == min(round(share * ITEMS), offered)


def test_judge_weak_picks_where_the_misconception_speaks_for_the_lie_strongest_first() -> None:
    _, attacked = verdicts(FLAT, Strategy(share=0.2, picks="judge_weak"))
    u = Model(strategy="honest").prepare(POOL, setting())
    against = np.where(u.believe(POOL.roots), -1, 1) * POOL.misconception(POOL.roots)
    assert against[attacked].min() > max(0.0, np.max(against[~attacked]) - 1e-12)


def test_who_knows_everything_knows_the_judges_own_noise() -> None:
    judge = Human(person=3)
    written = {"debate": {"judge": {"human": {"person": 3}}}}
    strategy = Strategy(share=0.2, picks="judge_weak", knows="everything")
    _, attacked = verdicts(written, strategy)
    error = judge.prepare(POOL, setting()).error(POOL.roots)
    u = Model(strategy="honest").prepare(POOL, setting())
    against = np.where(u.believe(POOL.roots), -1, 1) * error
    assert against[attacked].min() >= np.max(against[~attacked])


def test_a_copy_keeps_its_own_strategy_and_draws_do_not_depend_on_it() -> None:
    pinned = {"direct": {"overseer": {"model": {"strategy": "honest"}}}}
    lying, attacked = verdicts(pinned, Strategy(share=1.0))
    assert not attacked.any()
    assert np.array_equal(lying.evidence, verdicts(MODEL)[0].evidence)
    own, attacked = verdicts({"direct": {"overseer": {"model": {"strategy": {"share": 0.1}}}}})
    assert attacked.sum() == round(0.1 * ITEMS)
    assert np.array_equal(np.abs(own.evidence), np.abs(lying.evidence))


def test_a_member_with_a_strategy_of_its_own_stays_another_person() -> None:
    """Three equal debates are three judges and three exchanges, whatever one of the models may do:
    without an attack they judge bit for bit alike."""
    debate, own = {"debate": {}}, {"model": {"strategy": "honest"}}
    pinned = {"debate": {"debater": own}}
    equal = verdicts({"vote": {"members": [debate, debate, debate]}})[0]
    mixed = verdicts({"vote": {"members": [debate, pinned, debate]}})[0]
    assert np.array_equal(mixed.evidence, equal.evidence)


def test_a_model_with_a_strategy_is_prepared_from_above() -> None:
    with pytest.raises(RuntimeError, match=r"oversight\.prepared"):
        Model().prepare(POOL, setting(Strategy()))


def test_the_baseline_is_measured_with_an_honest_model() -> None:
    small = {"train_items": 500, "test_items": 500, "features": 4}
    lines = {"world": small, "protocols": {"u": MODEL}, "baseline": "u", "replicates": 2}
    weak = [
        oversight.compare(Study(**lines, model=model)).column("u", "weak_accuracy")
        for model in ({}, {"strategy": {"share": 0.4}})
    ]
    assert np.array_equal(*weak)


def test_what_cannot_be_carried_is_refused_with_a_reason() -> None:
    people = overseer({"direct": {}})
    assert "no strong model" in refusal(Strategy(), people, WORLD)
    assert "clock" in refusal(Strategy(knows="clock"), overseer(MODEL), WORLD)
    assert refusal(Strategy(), overseer(MODEL), WORLD) == ""
    _, attacked = verdicts(MODEL, Strategy(knows="clock"))
    assert not attacked.any()


def tree_of(*gates: str) -> TaskTree:
    """A tree of one root over as many gates as are named after the first, of two leaves each."""
    inner, n = gates[1:], len(gates) - 1
    children = [tuple(range(1, n + 1))]
    children += [(n + 1 + 2 * i, n + 2 + 2 * i) for i in range(n)] + [()] * (2 * n)
    kinds = [named(gates[0], n), *(named(gate, 2) for gate in inner), *[None] * (2 * n)]
    labels = tuple(str(i) for i in range(len(children)))
    return TaskTree(labels, tuple(children), tuple(kinds), (0.5,) * len(children))


def consistent(tree: TaskTree) -> BoolArray:
    """Every assignment that its gates allow, (assignments, nodes), by enumeration."""
    kept = []
    for values in product([False, True], repeat=len(tree)):
        row = np.array(values)
        fits = True
        for node, gate in enumerate(tree.gate):
            if gate is not None:
                below = row[list(tree.children[node])]
                alike = not gate.repeat or bool((below == row[node]).all())
                fits &= alike and bool(gate.output(below)) == row[node]
        if fits:
            kept.append(row)
    return np.array(kept)


KINDS = some.sampled_from(["and", "or", "xor", "majority", "repeat"])


@given(some.tuples(KINDS, KINDS, KINDS), some.integers(0, 2**20))
def test_the_nearest_consistent_assignment_against_enumeration(
    gates: tuple[str, ...], seed: int
) -> None:
    tree, items = tree_of(*gates), 16
    perceived = np.random.default_rng(seed).random((len(tree), items)) < 0.5
    draws = Draws(seed, ("nearest",), items)
    root = ~perceived[0]
    assigned = nearest(tree, perceived, root, draws, np.arange(items))
    allowed = consistent(tree)
    for item in range(items):
        fits = allowed[allowed[:, 0] == root[item]]
        distance = (fits[:, 1:] != perceived[1:, item]).sum(axis=1)
        assert (fits == assigned[:, item]).all(axis=1).any()
        assert (assigned[1:, item] != perceived[1:, item]).sum() == distance.min()


def test_the_fewest_changed_leaves_turn_the_root() -> None:
    u = Model(strategy="honest").prepare(POOL, setting())
    changes, tree = changes_to_turn(u), POOL.tree
    leaves = u.perceived(POOL.roots.at(tree.leaves[:, None]))[:, :200]

    def root(values: BoolArray) -> BoolArray:
        known = dict(zip(tree.leaves.tolist(), values, strict=True))
        for node in reversed(range(len(tree))):
            gate = tree.gate[node]
            if gate is not None:
                known[node] = gate.output(np.array([known[c] for c in tree.children[node]]))
        return np.asarray(known[0])

    fewest = np.full(200, 99)
    for code in range(2 ** len(leaves)):
        flips = np.array([code >> i & 1 for i in range(len(leaves))], dtype=np.bool_)
        turned = root(leaves ^ flips[:, None]) != root(leaves)
        fewest = np.where(turned, np.minimum(fewest, flips.sum()), fewest)
    assert np.array_equal(changes[:200], fewest)


def test_who_forecasts_a_watch_takes_copies_with_another_strategy_for_honest() -> None:
    def attacked(other: object) -> BoolArray:
        liar = {"strategy": {"share": 0.3, "picks": "unwatched", "knows": "everything"}}
        members = [{"model": liar}, {"model": {"strategy": other}}, "human"]
        first = {"vote": {"members": members, "rule": "majority", "weights": [2.0, 1.0, 2.0]}}
        written = {"cascade": {"first": first, "then": {"human": {"person": 5}}, "share": 0.5}}
        return verdicts(written)[1]

    assert np.array_equal(attacked({"share": 1e-6}), attacked("honest"))
