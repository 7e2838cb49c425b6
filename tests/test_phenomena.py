"""What weak-to-strong generalization is known for, shown on the students themselves.

Numbers marked "elsewhere" were found by simulations that share no code with this one; they are
compared within standard errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import binom, norm

import oversight
from oversight import FloatArray, Results, Study
from tests.helpers import binomial_error

PROBE = {"kind": "gradient", "hidden": 0, "batch": None, "rate": 0.02, "labels": "hard"}
TRUSTED = {"loss": "confidence", "weight": 0.75, "ramp": 0.2}
"""The confidence loss that trusts the student's own answers most."""


def run(world: Any, student: Any, overseer: Any, replicates: int, **sections: Any) -> Results:
    """Results of the unaided overseer, and of `protocols` where some are given."""
    plain: dict[str, Any] = {"protocols": {"unaided": {"direct": {}}}, "seed": 16}
    sections = {**plain, **sections, "replicates": replicates}
    return oversight.compare(
        Study.model_validate({**sections, "world": world, "student": student, "overseer": overseer})
    )


def salient(
    accuracy: float = 0.75,
    ratio: float = 2.0,
    *,
    replicates: int = 6,
    prevalence: float = 0.5,
    items: int = 1024,
    **student: Any,
) -> Results:
    """A linear probe in the salience world, with this ratio of truth^2 (2 accuracy - 1) to
    proxy^2."""
    world = {
        "kind": "salience",
        "train_items": items,
        "truth": float(np.sqrt(ratio / (2 * accuracy - 1))),
        "prevalence": prevalence,
    }
    probe = {**PROBE, "epochs": 300, **student}
    return run(world, probe, {"accuracy": {"root": accuracy}}, replicates)


def concept(
    structure: float, student: Any, *, replicates: int = 6, protocols: Any = None, **world: Any
) -> Results:
    """A student in a concept world without label noise; people are right .75 of the time."""
    overseer = {"accuracy": {"root": 0.75}, "structure": structure}
    named = {"unaided": {"direct": {}}, **(protocols or {})}
    return run({"ceiling": 1.0, **world}, student, overseer, replicates, protocols=named)


def accuracy(results: Results, protocol: str = "unaided") -> FloatArray:
    return results.column(protocol, "student_accuracy")


def agreement(results: Results) -> float:
    """How often the student agrees with a wrong label."""
    return float(results.column("unaided", "agreement_when_wrong").mean())


def standard_error(difference: FloatArray) -> float:
    return float(difference.std(ddof=1) / np.sqrt(difference.size))


def assert_above(one: FloatArray, two: FloatArray, by: float = 0.0) -> None:
    """Assert that the first is higher on the same replicates, beyond chance."""
    assert (one - two).mean() - 3 * standard_error(one - two) > by


def assert_as_elsewhere(results: Results, pgr: float, rounding: float = 0.005) -> None:
    """Assert that PGR is what was found elsewhere, but for chance on either side."""
    ours = results.pgr("unaided")
    error = (ours.high - ours.low) / 4
    assert ours.value == pytest.approx(pgr, abs=3 * np.sqrt(2) * error + rounding)


@pytest.mark.parametrize("right", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.25, 2.0])
def test_the_truth_is_learned_first_where_it_is_salient_enough(right: float, ratio: float) -> None:
    """After one step the probe's weights are truth (2 a - 1) u_1 + proxy u_2, so that with labels
    that are wrong it agrees with chance Phi((1 - ratio) / (noise |w|))."""
    first = salient(right, ratio, epochs=1, items=8192)
    wrong = 8192 * (1 - right) * first.replicates
    length = np.sqrt(ratio * (2 * right - 1) + 1)
    expected = float(ndtr((1 - ratio) / (0.3 * length)))
    # The intercept, and the accuracy of the sample, move the whole margin by so much.
    shift = 4 * np.sqrt(1 / 8192 / first.replicates) * norm.pdf(0) * (1 + ratio) / (0.3 * length)
    error = 4 * binomial_error(expected, wrong)
    assert agreement(first) == pytest.approx(expected, abs=error + shift)
    assert (agreement(first) < 0.5) == (ratio > 1)


def test_a_student_overfits_to_its_teacher() -> None:
    """Elsewhere: PGR .99 at its peak, .06 in the end."""
    best, last = salient(epochs=1), salient()
    assert_as_elsewhere(best, 0.99)
    assert_as_elsewhere(last, 0.06)
    assert_above(accuracy(best), accuracy(last), by=0.2)


def test_weak_labels_do_not_say_when_to_stop_imitating() -> None:
    """What is held out is labeled by the same teacher: imitation fits it better and better."""
    stopped, last = salient(stop="weak_labels"), salient()
    assert np.abs(accuracy(stopped) - accuracy(last)).max() < 0.02


@pytest.mark.parametrize(
    ("ratio", "weight", "elsewhere"),
    [(2.0, 0.5, 0.93), (2.0, 0.75, 1.0), (0.5, 0.75, 0.02)],
)
def test_the_confidence_loss_rescues_who_leans_to_the_truth(
    ratio: float, weight: float, elsewhere: float
) -> None:
    results = salient(ratio=ratio, **{**TRUSTED, "weight": weight})
    assert_as_elsewhere(results, elsewhere)
    if ratio < 1:
        plain = salient(ratio=ratio)
        assert np.abs(accuracy(results) - accuracy(plain)).max() < 0.02


@pytest.mark.slow
def test_a_ramp_that_ends_too_late_rescues_nobody() -> None:
    """1000 steps: after 200 the student still leans to the truth, after 500 no more."""
    soon = salient(replicates=4, epochs=1000, **TRUSTED)
    late = salient(replicates=4, epochs=1000, **{**TRUSTED, "ramp": 0.5})
    assert_as_elsewhere(soon, 0.98)
    assert accuracy(soon).min() > 0.95
    assert_as_elsewhere(late, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prevalence", "weight", "elsewhere"),
    [
        (0.2, 0.75, {"plain": 0.43, "half": 0.16, "balance": 0.90}),
        (0.12, 0.75, {"plain": 0.43, "half": 0.02, "balance": 0.72}),
        (0.2, 0.5, {"half": 0.19, "balance": 0.78}),
    ],
)
def test_half_yes_hurts_where_yes_is_rare(
    prevalence: float, weight: float, elsewhere: dict[str, float]
) -> None:
    """Half of the student's own answers are yes, where fewer than a third of the labels are."""
    losses: dict[str, Any] = {"plain": {}}
    for threshold in ("half", "balance"):
        losses[threshold] = {**TRUSTED, "weight": weight, "threshold": threshold}
    found = {
        name: salient(0.85, 2.5, prevalence=prevalence, replicates=10, **loss)
        for name, loss in losses.items()
    }
    for name, pgr in elsewhere.items():
        assert_as_elsewhere(found[name], pgr)
    assert_above(accuracy(found["plain"]), accuracy(found["half"]))
    assert_above(accuracy(found["balance"]), accuracy(found["plain"]))


def test_half_yes_helps_where_yes_is_as_frequent_as_no() -> None:
    plain, half = salient(0.85, 2.5), salient(0.85, 2.5, **TRUSTED)
    assert_above(accuracy(half), accuracy(plain))
    assert half.pgr("unaided").low > 0.95


@pytest.mark.slow
def test_in_a_converged_isotropic_probe_the_loss_changes_how_sure_it_is_and_no_answer() -> None:
    probe = {**PROBE, "rate": 1.0, "epochs": 300}
    plain, sure = (
        concept(0.6, {**probe, **loss}, train_items=8000, features=4) for loss in ({}, TRUSTED)
    )
    moved = accuracy(sure) - accuracy(plain)
    assert np.abs(moved.mean()) < 4 * standard_error(moved)
    assert np.abs(moved.mean()) < 0.005
    stated = [results.column("unaided", "calibration_error") for results in (sure, plain)]
    assert_above(*stated, by=0.03)


@pytest.mark.parametrize(("items", "elsewhere"), [(200, 0.52), (1000, 0.77), (5000, 0.89)])
def test_soft_labels_teach_more_than_hard_ones(items: int, elsewhere: float) -> None:
    """People who err near the boundary say so. Elsewhere: hard labels of .75, 20 features, hardly
    any penalty."""
    hard, soft = (
        concept(
            0.0,
            {"kind": "linear", "l2": 1e-4, "labels": labels},
            train_items=items,
            features=20,
            replicates=12,
        )
        for labels in ("hard", "soft")
    )
    assert_as_elsewhere(hard, elsewhere)
    assert_above(accuracy(soft), accuracy(hard))


def test_soft_labels_rescue_nobody_where_all_are_as_sure() -> None:
    """In the salience world every label is stated alike, so that soft labels tell no more."""
    hard, soft = salient(), salient(labels="soft")
    assert soft.pgr("unaided").value < 0.1
    assert accuracy(soft).mean() < accuracy(hard).mean() + 0.01


def test_larger_students_agree_less_with_wrong_labels() -> None:
    """Where they cannot represent the teacher's errors. Where they can, they learn them."""
    for student in ("views", "random features"):
        found = []
        for size in (4, 16, 64) if student == "views" else (16, 64, 256):
            if student == "views":
                kind: dict[str, Any] = {"kind": "linear", "features": size}
            else:
                kind = {"kind": "gradient", "random_features": size, "rate": 0.02}
            world = {"features": 64 if student == "views" else 16, "train_items": 8000}
            found.append(agreement(concept(0.0, kind, replicates=3, **world)))
        assert found[0] > found[1] + 0.03 > found[2] + 0.06, student
    learned = [
        agreement(concept(1.0, {"kind": "linear", "features": size}, features=64, replicates=3))
        for size in (4, 16, 64)
    ]
    assert learned[0] < learned[1] < learned[2]
    assert learned[2] > 0.98


def majority(people: int) -> float:
    """The accuracy of a majority of independent people who are right .75 of the time, ties by a
    coin: each is right with chance Phi(|m|) at a margin m, since r / sqrt(1 - r^2) = 1."""

    def right(margin: float) -> float:
        each = ndtr(margin)
        tie = binom.pmf(people / 2, people, each) / 2
        return float(2 * norm.pdf(margin) * (binom.sf(people / 2, people, each) + tie))

    return float(quad(right, 0, 9)[0])


def test_teachers_help_each_other_where_their_errors_differ() -> None:
    """Elsewhere, at correlations 0, .5 and 1: four are right .809, .777, .75, sixteen .902, .798,
    .75."""
    some = {
        str(people): {"vote": {"members": [{"human": {"person": i}} for i in range(people)]}}
        for people in (4, 16)
    }
    assert majority(4) == pytest.approx(0.8125, abs=1e-4)
    elsewhere = {
        0.0: {"4": majority(4), "16": majority(16)},
        0.5: {"4": 0.777, "16": 0.798},
        1.0: {"4": 0.75, "16": 0.75},
    }
    for correlation, expected in elsewhere.items():
        student = {"kind": "linear"}
        results = concept(correlation, student, protocols=some, features=20, replicates=4)
        for name, right in expected.items():
            labels = results.column(name, "label_accuracy")
            error = np.sqrt(2) * binomial_error(right, 4 * 4000)
            assert labels.mean() == pytest.approx(right, abs=4 * error)
        one, many = (results.column(name, "label_accuracy") for name in ("unaided", "16"))
        if correlation == 1:
            assert np.array_equal(one, many)
        else:
            assert_above(many, one, by=0.02)


@pytest.mark.slow
def test_starts_help_each_other_where_their_errors_differ() -> None:
    """Hidden layers that start apart fit different accidents of the labels, and the same
    misconception. Probes that start at zero are one probe."""
    layer = {"kind": "gradient", "hidden": 16, "epochs": 60, "rate": 0.1}
    few = {"train_items": 1000, "features": 16}
    gained = {}
    for structure in (0.0, 1.0):
        one, eight = (
            concept(structure, {**layer, "members": members}, **few) for members in (1, 8)
        )
        gained[structure] = accuracy(eight) - accuracy(one)
    assert gained[0.0].mean() > 0.03
    assert_above(gained[0.0], gained[1.0])
    assert np.abs(gained[1.0].mean()) < 0.02
    alone, together = (
        concept(0.0, {**layer, "hidden": 0, "members": members}, **few) for members in (1, 4)
    )
    assert np.abs(accuracy(alone) - accuracy(together)).max() < 1e-3
