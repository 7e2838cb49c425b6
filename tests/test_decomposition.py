"""Items 6, 7 and 9: hard decomposition is dynamic programming, soft is the exact posterior."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit, ndtri

from mechanisms.decomposition import Decomposition
from oversight import Claims, Human, Panel
from oversight.metrics import closed_forms as theory
from oversight.overseers.aggregation import computed_true, through
from oversight.students.probe import fit_probes
from oversight.worlds.gates import Gate, named, parse
from oversight.worlds.tree import TaskTree
from tests.helpers import binomial_error, pool, setting, tree, world
from tests.test_tree_debate import chain
from tests.test_world import around, irregular

ITEMS = 60_000
TREES = {
    "or/and": tree("or", "and").tree,
    "lopsided": tree("or", "and", leaf_prior=0.8).tree,
    "xor/majority": tree("xor", "majority").tree,
    "tables": tree("0110", "1011", branching=2, leaf_prior=0.6).tree,
    "repeat/or": tree("repeat", "or").tree,
    "irregular": irregular(),
    "chain": chain(),
}


def enumerated(template: TaskTree, right: float, noise: float) -> tuple[float, float]:
    """P(computed true | true) and P(computed true | false), over all truths, answers and flips."""
    inner = [n for n in range(len(template)) if template.gate[n] is not None]
    leaves = [n for n in range(len(template)) if template.gate[n] is None]
    chance = {}  # of each assignment of truths given the root's value
    for root in (True, False):
        chance[root] = [({0: root}, 1.0)]
        for node in inner:
            gate, below = template.gate[node], list(template.children[node])
            assert gate is not None
            grown = []
            for truths, p in chance[root]:
                codes = gate.given(truths[node], template.priors[below])
                for code in np.flatnonzero(codes):
                    bits = dict(zip(below, gate.bits[code], strict=True))
                    grown.append(({**truths, **bits}, p * codes[code]))
            chance[root] = grown
    says = []
    for root in (True, False):
        total = 0.0
        for truths, p in chance[root]:
            for wrong in product((False, True), repeat=len(leaves) + len(inner) * (noise > 0)):
                values = {n: bool(truths[n]) ^ w for n, w in zip(leaves, wrong, strict=False)}
                q = p
                for w in wrong[: len(leaves)]:
                    q *= 1 - right if w else right
                flips = dict(zip(inner, wrong[len(leaves) :], strict=False))
                for n in reversed(inner):
                    gate = template.gate[n]
                    assert gate is not None
                    out = bool(gate.output(np.array([values[c] for c in template.children[n]])))
                    values[n] = out ^ flips.get(n, False)
                    if noise > 0:
                        q *= noise if flips[n] else 1 - noise
                total += q * values[0]
        says.append(total)
    return says[0], says[1]


@pytest.mark.parametrize("noise", [0.0, 0.07])
@pytest.mark.parametrize("gates", [("or", "and"), ("0110", "1011"), ("repeat", "or")])
def test_dynamic_programming_is_enumeration(gates: tuple[str, str], noise: float) -> None:
    template = tree(*gates, branching=2, leaf_prior=0.7).tree
    found = computed_true(template, 0, 0, dict.fromkeys(template.leaves, 0.85), noise)
    assert found == pytest.approx(enumerated(template, 0.85, noise), abs=1e-12)


def test_dynamic_programming_is_enumeration_on_an_irregular_tree() -> None:
    template = chain()
    found = computed_true(template, 0, 0, dict.fromkeys(template.leaves, 0.9), 0.0)
    assert found == pytest.approx(enumerated(template, 0.9, 0.0), abs=1e-12)


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_hard_decomposition_is_dynamic_programming(name: str, noise: float) -> None:
    template = TREES[name]
    items = pool(around(template, train_items=ITEMS, features=2, claim_correlation=0.0))
    hard = Decomposition(aggregate="hard", aggregator_noise=noise).prepare(items, setting(leaf=0.9))
    verdicts = hard.assess(items.roots)
    true, false = computed_true(template, 0, 0, dict.fromkeys(template.leaves, 0.9), noise)
    for value, says in ((True, true), (False, false)):
        here = items.intended == value
        error = binomial_error(says, float(here.sum()))
        assert verdicts.answer[here].mean() == pytest.approx(says, abs=4.5 * error)
    # The belief is the exact posterior accuracy of the answer.
    yes = true / (true + false)
    np.testing.assert_allclose(verdicts.belief[verdicts.answer], yes)
    np.testing.assert_allclose(verdicts.belief[~verdicts.answer], (1 - true) / (2 - true - false))


@pytest.mark.parametrize("name", ["or/and", "lopsided", "tables", "repeat/or", "chain"])
def test_sum_product_is_the_enumerated_posterior(name: str) -> None:
    template = TREES[name]
    rng = np.random.default_rng(8)
    evidence = {
        int(leaf): float(e) for leaf, e in zip(template.leaves, rng.normal(0, 2, 99), strict=False)
    }

    def likelihood(node: int, value: bool) -> float:
        """P(evidence below | the node's value), by enumerating its children's codes."""
        gate, below = template.gate[node], list(template.children[node])
        if gate is None:
            return float(1 / (1 + np.exp(-evidence[node] if value else evidence[node])))
        codes = gate.given(value, template.priors[below])
        return sum(
            float(codes[code])
            * float(
                np.prod(
                    [likelihood(c, bool(v)) for c, v in zip(below, gate.bits[code], strict=True)]
                )
            )
            for code in np.flatnonzero(codes)
        )

    wanted = np.log(likelihood(0, True)) - np.log(likelihood(0, False))
    found = {leaf: np.array([e]) for leaf, e in evidence.items()}
    for node in template.inner(0, 0):
        gate, below = template.gate[node], list(template.children[node])
        assert gate is not None
        found[node] = through(gate, template.priors[below], [found[c] for c in below])
    assert found[0][0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", TREES)
def test_soft_is_at_least_as_accurate_where_errors_are_independent(name: str) -> None:
    items = pool(around(TREES[name], train_items=ITEMS, features=2, claim_correlation=0.0))
    work = setting(leaf=0.85)
    right = [
        Decomposition(aggregate=kind).prepare(items, work).assess(items.roots).answer
        == items.intended
        for kind in ("soft", "hard")
    ]
    apart = right[0].astype(float) - right[1]
    assert apart.mean() > -4.5 * apart.std() / np.sqrt(ITEMS)


def test_soft_beliefs_are_calibrated() -> None:
    items = pool(around(TREES["lopsided"], train_items=ITEMS, features=2, claim_correlation=0.0))
    belief = Decomposition().prepare(items, setting(leaf=0.85)).assess(items.roots).belief
    for low in np.arange(0, 1, 0.1):
        here = (belief >= low) & (belief < low + 0.1)
        if here.sum() > 200:
            error = binomial_error(float(belief[here].mean()), float(here.sum()))
            assert items.intended[here].mean() == pytest.approx(
                belief[here].mean(), abs=4.5 * error
            )


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_soft_evidence_passes_a_noisy_gate_as_through_a_channel(noise: float) -> None:
    """A gate that comes out wrong with chance q turns P(evidence | true) into (1 - q) P(evidence |
    true) + q P(evidence | false), after its own flip."""
    items = pool(world(tree=tree("or"), train_items=ITEMS, features=2))
    exact, noisy = (
        Decomposition(aggregator_noise=q).prepare(items, setting()).assess(items.roots).evidence
        for q in (0.0, noise)
    )
    wanted = logit((1 - noise) * expit(exact) + noise * expit(-exact))
    np.testing.assert_allclose(np.abs(noisy), np.abs(wanted), atol=1e-9)
    if noise < 0.5:
        flipped = np.mean((noisy > 0) != (exact > 0))
        assert flipped == pytest.approx(noise, abs=4.5 * binomial_error(noise, ITEMS))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.171, 0.274])
def test_repeat_gates_follow_the_recursion(depth: int, noise: float) -> None:
    items = pool(
        world(tree=tree(*["repeat"] * depth), train_items=20_000, features=2, claim_correlation=0.0)
    )
    hard = Decomposition(aggregate="hard", aggregator_noise=noise)
    verdicts = hard.prepare(items, setting(leaf=0.95)).assess(items.roots)
    wanted = theory.repeated(0.95, noise, depth)
    right = np.mean(verdicts.answer == items.intended)
    assert right == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, 20_000))


def test_the_fixed_point_of_repeat() -> None:
    for noise, error in (
        (0.01, 0.0103104),
        (0.05, 0.0590414),
        (0.10, 0.1464466),
        (0.15, 0.3110178),
    ):
        assert theory.repeated_limit(noise) == pytest.approx(error, abs=5e-8)
        assert 1 - theory.repeated(0.95, noise, 200) == pytest.approx(error, abs=1e-6)
    assert theory.repeated_limit(0.2) == 0.5
    assert theory.repeated(0.95, 0.2, 300) == pytest.approx(0.5, abs=1e-6)


def test_break_points_of_repeat() -> None:
    for depth, noise in ((1, 0.274), (2, 0.210), (3, 0.184), (4, 0.171)):
        slope = abs(
            theory.repeated(0.95, noise - 5e-4, depth) - theory.repeated(0.95, noise + 5e-4, depth)
        )
        assert theory.repeated(0.95, noise, depth) == pytest.approx(0.7222, abs=slope)


def test_likelihood_ratios_multiply_at_repeat() -> None:
    gate = named("repeat", 3)
    parts = [np.array([1.0]), np.array([-0.4]), np.array([0.7])]
    assert through(gate, np.full(3, 0.3), parts)[0] == pytest.approx(1.3)


@pytest.mark.parametrize("name", ["or/and", "xor/majority", "irregular"])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_short_circuiting_saves_minutes_and_changes_no_answer(name: str, noise: float) -> None:
    items = pool(around(TREES[name], train_items=3000))
    short, long = (
        Decomposition(aggregate="hard", short_circuit=s, aggregator_noise=noise)
        .prepare(items, setting())
        .assess(items.roots)
        for s in (True, False)
    )
    assert np.array_equal(short.answer, long.answer)
    assert (short.minutes <= long.minutes).all()
    if name == "or/and" and noise == 0:
        assert short.minutes.mean() < 0.8 * long.minutes.mean()
        # An `or` of three `and`s of three: never fewer than three claims are asked.
        assert short.minutes.min() == 3 * 2


def test_a_single_and_gate_is_asked_until_the_first_no() -> None:
    items = pool(world(tree=tree("and"), train_items=4000))
    hard = Decomposition(aggregate="hard").prepare(items, setting())
    minutes = hard.assess(items.roots).minutes
    answers = hard.checker.assess(Claims.of(items.everyone, items.tree.leaves[:, None])).answer
    first_no = np.where(answers.all(axis=0), 3, np.argmin(answers, axis=0) + 1)
    assert np.array_equal(minutes, 2.0 * first_no)


def test_votes_cost_more_and_help() -> None:
    items = pool(world(train_items=20_000, features=2))
    work = setting(structure=0.0, leaf=0.85)
    for kind in ("soft", "hard"):
        one, three = (
            Decomposition(aggregate=kind, votes=v, short_circuit=False)
            .prepare(items, work)
            .assess(items.roots)
            for v in (1, 3)
        )
        assert np.array_equal(three.minutes, 3 * one.minutes)
        gain = np.mean(three.answer == items.intended) - np.mean(one.answer == items.intended)
        assert gain > 4.5 * binomial_error(0.8, 20_000)


def test_votes_are_averaged_softly_and_counted_hard() -> None:
    """Three people a leaf under an `and`: softly each leaf has the mean of their log likelihood
    ratios, with one gain on the probit scale; hard each has the answer of most."""
    items, work = pool(world(tree=tree("and"), train_items=2000)), setting(leaf=0.85)
    leaves = Claims.of(items.everyone, items.tree.leaves[:, None])
    people = [Human().sibling(i) for i in range(3)]
    stated = [who.prepare(items, work).assess(leaves).evidence for who in people]
    panel = Panel(members=tuple(people), rule="confidence").prepare(items, work)
    averaged = panel.assess(leaves).evidence
    gain = ndtri(expit(averaged)) / ndtri(expit(np.mean(stated, axis=0)))
    for leaf in range(3):
        near = np.abs(averaged[leaf]) < 15  # farther out a float holds no probability
        np.testing.assert_allclose(gain[leaf, near], np.median(gain[leaf]), rtol=1e-5)
    soft = Decomposition(votes=3).prepare(items, work).assess(items.roots)
    prior = items.tree.priors[items.tree.leaves][:, None]
    everything = expit(averaged + logit(prior)).prod(axis=0)
    np.testing.assert_allclose(soft.evidence, logit(everything) - logit(prior.prod()), atol=1e-9)
    hard = Decomposition(votes=3, aggregate="hard").prepare(items, work).assess(items.roots)
    counted = (np.array(stated) > 0).sum(axis=0) > 1
    assert np.array_equal(hard.answer, counted.all(axis=0))
    assert not np.array_equal(counted, averaged > 0)  # so that the test could fail


def test_checking_higher_up_asks_fewer_and_dearer_claims() -> None:
    items = pool(world(train_items=500))
    higher = Decomposition(height=1).prepare(items, setting()).assess(items.roots)
    assert higher.minutes[0] == pytest.approx(3 * np.sqrt(24))
    top = Decomposition(height=2).prepare(items, setting()).assess(items.roots)
    assert set(top.minutes) == {12.0}


def test_decomposability_bounds_labels_and_not_students() -> None:
    found = []
    for run in range(6):
        shallow = world(decomposability=0.7, train_items=8000, features=8)
        items, test = pool(shallow, replicate=run), pool(shallow, replicate=run, part="test")
        work = setting(leaf=1 - 1e-9, structure=0.0)
        verdicts = Decomposition().prepare(items, work).assess(items.roots)
        w, b = fit_probes(items.x, verdicts.answer[:, None].astype(float))
        student = np.mean((test.x @ w[:, 0] + b[0] > 0) == test.intended)
        found.append((np.mean(verdicts.answer == items.intended), student))
    labels, students = np.array(found).T
    bound = 0.7 + 0.3 / 2
    assert labels.mean() == pytest.approx(bound, abs=4.5 * binomial_error(bound, 48_000))
    assert students.mean() > bound + 0.1


def test_gates_parse() -> None:
    assert isinstance(parse("0110", 2), Gate)
