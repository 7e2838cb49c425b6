"""A linear student by squared loss: a regression, and the laws that only a regression has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri
from sklearn.linear_model import Ridge

from oversight import Human
from oversight.metrics import closed_forms as theory
from oversight.metrics.labels import of_student
from oversight.students.least_squares import fit_least_squares
from oversight.students.linear import LinearStudent
from tests.helpers import pool, setting, tree, world

RNG = np.random.default_rng(4)
X = RNG.standard_normal((1200, 10))
TARGETS = X @ RNG.standard_normal((10, 3)) + RNG.standard_normal((1200, 3)) + 0.7


@pytest.mark.parametrize("l2", [0.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_regression_of_scikit_learn(l2: float, weighted: bool) -> None:
    weights = RNG.integers(0, 3, TARGETS.shape).astype(float) if weighted else None
    slopes, intercepts = fit_least_squares(X, TARGETS, l2=l2, weights=weights)
    for i in range(TARGETS.shape[1]):
        own = None if weights is None else weights[:, i]
        wanted = Ridge(alpha=l2).fit(X, TARGETS[:, i], own)
        np.testing.assert_allclose(slopes[:, i], wanted.coef_, atol=1e-9)
        assert intercepts[i] == pytest.approx(wanted.intercept_, abs=1e-9)


def test_features_that_depend_on_each_other_or_never_vary() -> None:
    x = np.hstack([X, X[:, :2], np.ones((1200, 1)), np.zeros((1200, 1))])
    slopes, intercepts = fit_least_squares(x, TARGETS)
    plain, level = fit_least_squares(X, TARGETS)
    np.testing.assert_allclose(x @ slopes + intercepts, X @ plain + level, atol=1e-3)


def test_a_column_without_weight_gets_a_zero_regression() -> None:
    slopes, intercepts = fit_least_squares(X, TARGETS, weights=np.ones(TARGETS.shape) * [0, 1, 1])
    assert not slopes[:, 0].any()
    assert intercepts[0] == 0
    assert slopes[:, 1].any()


def test_what_is_gained_is_the_misfit() -> None:
    """Charikar et al. 2024: where a linear student can represent the truth, its gain over any weak
    labels is exactly how far it is from them, on the items that it learned from."""
    truth = X @ RNG.standard_normal(10) + 0.3
    weak = truth + np.sin(3 * X[:, 0]) + 0.5 * X[:, 1] ** 2 + RNG.standard_normal(1200)
    slopes, intercepts = fit_least_squares(X, weak[:, None])
    student = X @ slopes[:, 0] + intercepts[0]
    gain = np.mean((weak - truth) ** 2) - np.mean((student - truth) ** 2)
    misfit = np.mean((student - weak) ** 2)
    assert gain == pytest.approx(misfit, rel=1e-10)
    # Beyond its span there is no such identity: the same for a truth that bends.
    bent = truth + X[:, 2] ** 2
    gain = np.mean((weak - bent) ** 2) - np.mean((student - bent) ** 2)
    assert abs(gain - misfit) > 0.01 * misfit


@pytest.mark.parametrize("shared", [1, 5, 20])
def test_subspaces_of_teacher_and_student(shared: int) -> None:
    """Dong et al. 2025: the teacher's error is inherited where the representations overlap, and
    reduced by d_s / (N - d_s - 1) where they do not. An intercept costs one item."""
    teacher_items, items, strong, weak, runs = 100, 1000, 20, 40, 300
    total = strong + weak - shared
    luck = np.random.default_rng(shared)
    errors = np.empty((runs, 2))
    for run in range(runs):
        x = luck.standard_normal((teacher_items, weak))
        noise = luck.standard_normal((teacher_items, 1))
        taught, _ = fit_least_squares(x, noise)  # the truth is 0: all that it learns is error
        x = luck.standard_normal((items, total))
        labels = x[:, total - weak :] @ taught
        learned, _ = fit_least_squares(x[:, :strong], labels)
        errors[run] = (taught**2).sum(), (learned**2).sum()
    each = 1 / (teacher_items - 1 - weak - 1)
    expected = each * np.array([weak, shared + strong / (items - 1 - strong - 1) * (weak - shared)])
    standard_error = errors.std(axis=0, ddof=1) / np.sqrt(runs)
    np.testing.assert_array_less(abs(errors.mean(axis=0) - expected), 4.5 * standard_error)
    assert (standard_error < 0.1 * expected).all()


def angles(share: float, structure: float, **student: object) -> np.ndarray:
    """Angles of students of people right 8 times in 10, taught on the easiest share alone."""
    found = []
    for run in range(6):
        many = pool(
            world(train_items=60_000, features=8, tree=tree(), test_items=10), replicate=run
        )
        who = Human().prepare(many, setting(root=0.8, structure=structure))
        kept = abs(many.margin(many.roots)) > ndtri(1 - share / 2)
        labels = who.assess(many.roots).answer[kept, None].astype(float)
        w = LinearStudent(l2=0, **student).fit(many.x[kept], labels).weights[:, 0]
        concept, _ = many.directions(0)
        found.append(np.arccos(w @ concept / np.linalg.norm(w)))
    return np.array(found)


@pytest.mark.parametrize(("share", "structure"), [(1.0, 0.5), (0.25, 0.5), (0.1, 0.5), (0.1, 1.0)])
def test_squared_loss_gains_from_truly_easy_items(share: float, structure: float) -> None:
    """The law of MODEL 3, and what a logistic student makes of the same items: nothing."""
    squared = angles(share, structure, loss="squared")
    law = theory.squared_student_angle(0.8, structure, float(ndtri(1 - share / 2)))
    everything = float(theory.student_angle(0.8, structure))
    error = squared.std(ddof=1) / np.sqrt(squared.size)
    # Directions outside the plane add (d - 2) of the variances along it: an angle, squared.
    assert squared.mean() == pytest.approx(law, abs=4.5 * error + 0.01)
    if share == 1:
        assert law == pytest.approx(everything, abs=1e-6)
        return
    logistic = angles(share, structure)
    assert law < everything - 0.1, "the squared loss gains"
    assert logistic.mean() > everything - 0.02, "the logistic one does not"


def test_its_log_odds_are_sane() -> None:
    """Right as often as a logistic student, and nearly as calibrated where labels are noisy."""
    luck = np.random.default_rng(8)
    x, new = luck.standard_normal((2, 8000, 12))
    label, gold = (seen[:, 0] + luck.standard_normal(8000) > 0 for seen in (x, new))
    measured = [
        of_student(LinearStudent(loss=loss).fit(x, label[:, None] * 1.0).log_odds(0, new), gold)
        for loss in ("cross-entropy", "squared")
    ]
    logistic, squared = measured
    assert squared["student_accuracy"] == pytest.approx(logistic["student_accuracy"], abs=0.005)
    assert squared["brier"] == pytest.approx(logistic["brier"], abs=0.003)
    assert squared["calibration_error"] < 0.03
    sure = LinearStudent(loss="squared", l2=0).fit(x, (x[:, :1] > -9) * 1.0).log_odds(0, x)
    assert np.isfinite(sure).all()
    assert (sure > 5).all()


def test_its_ceiling_is_plain_cross_entropy() -> None:
    student = LinearStudent(loss="squared", features=4, labels="hard")
    assert student.on_gold == LinearStudent(features=4, labels="hard")
    assert LinearStudent().on_gold == LinearStudent()
