"""Item 2 and 3: the student's angle follows the closed form, and what finite samples take off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from oversight import Human
from oversight.metrics import closed_forms as theory
from oversight.students.linear import FittedProbes, LinearStudent
from oversight.students.probe import fit_probes
from tests.helpers import pool, setting, tree, world

ITEMS, FEATURES, RUNS = 16_000, 16, 6
LONE = tree()


def student_angles(
    accuracy: float,
    structure: float,
    items: int = ITEMS,
    features: int = FEATURES,
    people: int = 1,
    hard: bool = False,
    runs: int = RUNS,
) -> np.ndarray:
    """The angle between a student's weights and the concept, by replicate."""
    angles = []
    for run in range(runs):
        small = world(train_items=items, features=features, tree=LONE, test_items=10)
        train = pool(small, seed=7, replicate=run)
        work = setting(root=accuracy, structure=structure)
        seats = [Human(person=i).prepare(train, work) for i in range(people)]
        seen = np.mean([seat.perceive(train.roots) for seat in seats], axis=0)
        verdicts = seats[0].assess(train.roots)
        labels = verdicts.belief if people == 1 and not hard else (seen > 0).astype(float)
        w, _ = fit_probes(train.x, labels[:, None])
        concept, _ = train.directions(0)
        angles.append(np.arccos(w[:, 0] @ concept / np.linalg.norm(w[:, 0])))
    return np.array(angles)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


CASES = [(a, s) for a in (0.6, 0.7, 0.8) for s in (0.25, 0.5, 0.75)]


@pytest.mark.parametrize(("accuracy", "structure"), CASES)
@pytest.mark.parametrize("hard", [False, True])
def test_the_angle_of_the_student(accuracy: float, structure: float, hard: bool) -> None:
    angle, error = mean_and_error(student_angles(accuracy, structure, hard=hard))
    finite = theory.finite_student_angle(accuracy, structure, ITEMS, FEATURES)
    assert angle == pytest.approx(finite, abs=4.5 * error)


def error_of_a_logistic_probe(accuracy: float, structure: float, items: int) -> float:
    """Squared length that a direction without any signal adds, relative to the signal's, for many
    items: E[(y - p)^2] / (n E[p (1 - p)]^2 w^2), p = sigmoid(w t), t the signal (White 1982)."""
    r = np.cos(np.pi * (1 - accuracy))
    shown = np.sqrt(r**2 + (1 - r**2) * structure)  # correlation of what people see with t
    t = np.linspace(-9, 9, 4001)
    density = np.exp(-t * t / 2) / np.exp(-t * t / 2).sum()
    yes = ndtr(shown * t / np.sqrt(1 - shown**2)) if shown < 1 else (t > 0).astype(float)
    w = brentq(lambda w: density @ ((yes - expit(w * t)) * t), 1e-6, 1e3)
    p = expit(w * t)
    return float(density @ (yes * (1 - p) ** 2 + (1 - yes) * p**2)) / (
        items * float(density @ (p * (1 - p))) ** 2 * w**2
    )


@pytest.mark.parametrize(
    ("accuracy", "structure", "excess"), [(0.7, 0.0, 0.006), (0.7, 0.5, 0.078), (0.8, 0.75, 0.568)]
)
def test_what_finite_samples_add_to_the_students_angle(
    accuracy: float, structure: float, excess: float
) -> None:
    """An independent error is added at right angles: what concept and misconception do not span."""
    items, features = 4000, 64
    outside = []
    for run in range(12):
        small = world(train_items=items, features=features, tree=LONE, test_items=10)
        train = pool(small, seed=8, replicate=run)
        who = Human().prepare(train, setting(root=accuracy, structure=structure))
        w, _ = fit_probes(train.x, who.assess(train.roots).answer[:, None].astype(float))
        plane = np.stack(train.directions(0)) @ w[:, 0]
        outside.append(w[:, 0] @ w[:, 0] / (plane @ plane) - 1)
    seen, error = mean_and_error(np.array(outside))
    # The law is that of many items; terms of the order of d / n are left out.
    each = error_of_a_logistic_probe(accuracy, structure, items)
    wanted = each * (features - 2)
    assert seen == pytest.approx(wanted, abs=4.5 * error + 2 * features / items * wanted)
    assert 4.5 * error < 0.35 * wanted
    # MODEL 3's formula is that of least squares: nearly right where nothing is shared, too large
    # where labels are nearly those of a linear rule.
    limit = np.cos(float(theory.student_angle(accuracy, structure)))
    shrunk = np.cos(theory.finite_student_angle(accuracy, structure, items, features))
    stated = ((limit / shrunk) ** 2 - 1) / (features - 1)
    assert stated / each - 1 == pytest.approx(excess, abs=0.001)


@pytest.mark.parametrize(
    ("accuracy", "structure", "pgr"),
    [
        (0.6, 0.25, 0.209),
        (0.7, 0.25, 0.360),
        (0.8, 0.25, 0.445),
        (0.6, 0.5, 0.093),
        (0.7, 0.5, 0.181),
        (0.8, 0.5, 0.245),
        (0.6, 0.75, 0.036),
        (0.7, 0.75, 0.074),
        (0.8, 0.75, 0.106),
    ],
)
def test_limits_as_published(accuracy: float, structure: float, pgr: float) -> None:
    assert float(theory.limit_pgr(accuracy, structure)) == pytest.approx(pgr, abs=0.0005)


def test_without_structure_the_deficit_shrinks_with_items() -> None:
    few, few_error = mean_and_error(student_angles(0.7, 0.0, items=1000, runs=12, hard=True))
    many, many_error = mean_and_error(student_angles(0.7, 0.0, items=16_000, runs=6, hard=True))
    # The angle is a length of d - 1 estimation errors: it shrinks with the root of n.
    assert few / many == pytest.approx(4, abs=4.5 * 4 * (few_error / few + many_error / many))
    for items, seen, error in ((1000, few, few_error), (16_000, many, many_error)):
        finite = theory.finite_student_angle(0.7, 0.0, items, FEATURES)
        assert seen == pytest.approx(finite, abs=4.5 * error + 0.1 * finite)


@pytest.mark.parametrize("people", [1, 3, 9])
def test_the_limit_does_not_depend_on_how_many_people_are_averaged(people: int) -> None:
    angle, error = mean_and_error(student_angles(0.7, 0.5, people=people, hard=True))
    limit = float(theory.student_angle(0.7, 0.5))
    panel = theory.panel_accuracy(0.7, 0.5, people)
    r, share = np.cos(np.pi * (1 - panel)), 0.5 / (0.5 + 0.5 / people)
    kappa2 = 2 / np.pi * (r**2 + (1 - r**2) * share)
    spread = (FEATURES - 1) * (1 - kappa2) / (ITEMS * kappa2)
    finite = np.arccos(np.cos(limit) / np.sqrt(1 + spread))
    assert angle == pytest.approx(finite, abs=4.5 * error)


def test_ceiling_at_finite_n_is_below_the_bayes_ceiling() -> None:
    # n = 8000, d = 32, eta = .05: .9360 (standard error .0003) by scikit-learn in a simulation that
    # shares no code with this one; MODEL 3 rounds its own to .937.
    seen = []
    for run in range(10):
        big = world(train_items=8000, test_items=20_000, features=32, ceiling=0.95, tree=LONE)
        train, test = pool(big, replicate=run), pool(big, replicate=run, part="test")
        w, b = fit_probes(train.x, train.gold.astype(float)[:, None])
        seen.append(np.mean((test.x @ w[:, 0] + b[0] > 0) == test.gold))
    mean, error = mean_and_error(np.array(seen))
    assert mean == pytest.approx(0.9360, abs=4.5 * error + 0.0003)


def test_capacity_lets_the_student_see_a_view() -> None:
    small = world(train_items=4000, test_items=4000, features=16, tree=LONE)
    train, test = pool(small), pool(small, part="test")
    student = LinearStudent(features=4)
    one, two = student.views(1, 0, train.x, test.x)
    assert one.shape == (4000, 4)
    again, _ = student.views(1, 0, train.x, test.x)
    other, _ = student.views(1, 1, train.x, test.x)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    # An orthonormal view: the same inner products on both pools, unit variances.
    error = np.sqrt(2 / 4000)
    np.testing.assert_allclose(np.cov(one.T), np.eye(4), atol=5 * error)
    w, b = student.fit(one, train.gold.astype(float)[:, None])
    narrow = np.mean((two @ w[:, 0] + b[0] > 0) == test.gold)
    w, b = LinearStudent().fit(train.x, train.gold.astype(float)[:, None])
    assert narrow < np.mean((test.x @ w[:, 0] + b[0] > 0) == test.gold)


def test_a_student_sees_at_most_all_features() -> None:
    assert LinearStudent(features=16).problem(16) is None
    assert LinearStudent().problem(1) is None
    assert "at most 16" in (LinearStudent(features=17).problem(16) or "")


def test_log_odds_of_a_probe_by_hand() -> None:
    fitted = FittedProbes(np.array([[1.0, 3.0], [2.0, 5.0]]), np.array([0.25, 0.5]))
    x = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])
    assert fitted.log_odds(1, x).tolist() == [3.5, 5.5, -1.5]
