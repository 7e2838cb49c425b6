"""What is measured of labels and students, by hand and by counting pairs."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from oversight.metrics import labels
from oversight.metrics.representable_share import Axes, share_measures
from tests.helpers import binomial_error

TRUTH = np.array([True, True, True, False, False, False, False])
SCORE = np.array([2.0, 0.5, -1.0, 0.5, -1.0, -3.0, 1.0])


def test_auc_counts_pairs() -> None:
    wins = [
        1.0 if yes > no else 0.5 if yes == no else 0.0
        for yes, no in product(SCORE[TRUTH], SCORE[~TRUTH])
    ]
    assert labels.auc(SCORE, TRUTH) == pytest.approx(sum(wins) / 12)
    assert labels.auc(SCORE, TRUTH) == pytest.approx(1 - labels.auc(-SCORE, TRUTH))
    assert np.isnan(labels.auc(SCORE, np.ones(7, dtype=bool)))
    assert np.isnan(labels.auc(SCORE, np.zeros(7, dtype=bool)))


def test_brier_by_hand() -> None:
    probability = np.array([1.0, 0.8, 0.5, 0.3])
    truth = np.array([True, False, True, False])
    assert labels.brier(probability, truth) == pytest.approx((0.64 + 0.25 + 0.09) / 4)


def test_calibration_error_by_hand() -> None:
    # Two bins over [1/2, 1]: in the lower one .6 and .7 (one right), in the upper .9, .8 and 1.
    probability = np.array([0.6, 0.3, 0.9, 0.2, 1.0])
    truth = np.array([True, True, True, False, False])
    lower, upper = abs(0.6 + 0.7 - 1), abs(0.9 + 0.8 + 1.0 - 2)
    assert labels.calibration_error(probability, truth, 2) == pytest.approx((lower + upper) / 5)
    # Ten bins: .6 and .7 are apart, and so are .8, .9 and 1.
    alone = 0.4 + 0.7 + 0.1 + 0.2 + 1.0
    assert labels.calibration_error(probability, truth) == pytest.approx(alone / 5)


def test_a_calibrated_probability_has_next_to_no_calibration_error() -> None:
    rng, items = np.random.default_rng(2), 200_000
    probability = rng.random(items)
    truth = rng.random(items) < probability
    # Ten bins of a tenth of the items: each is off by about a binomial error.
    most = binomial_error(0.75, items / 10)
    assert labels.calibration_error(probability, truth) < 2 * most
    assert labels.calibration_error(probability**2, truth) > 10 * most


def test_where_student_and_labels_are_right() -> None:
    gold = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    label = np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 1], dtype=bool)  # 4 right, 1 wrong, 3 right, ...
    student = np.array([1, 1, 0, 0, 1, 0, 0, 1, 1, 0], dtype=bool)
    assert labels.quadrants(student, label, gold) == {
        "agreement_when_right": pytest.approx(4 / 7),
        "agreement_when_wrong": pytest.approx(1 / 3),
        "label_right_student_right": pytest.approx(0.4),
        "label_right_student_wrong": pytest.approx(0.3),
        "label_wrong_student_right": pytest.approx(0.2),
        "label_wrong_student_wrong": pytest.approx(0.1),
    }
    perfect = labels.quadrants(student, gold, gold)
    assert np.isnan(perfect["agreement_when_wrong"])
    assert perfect["agreement_when_right"] == pytest.approx(0.6)


def test_what_is_measured_of_a_student() -> None:
    measured = labels.of_student(SCORE, TRUTH)
    probability = 1 / (1 + np.exp(-SCORE))
    assert measured["student_accuracy"] == pytest.approx(4 / 7)
    assert measured["auc"] == labels.auc(SCORE, TRUTH)
    assert measured["brier"] == pytest.approx(np.mean((probability - TRUTH) ** 2))
    assert measured["calibration_error"] == labels.calibration_error(probability, TRUTH)


def test_the_sums_of_the_representable_share_are_over_pairs() -> None:
    """Of all pairs of labeled items, L_i L_j times the product of their features, or margins."""
    rng = np.random.default_rng(3)
    x, answer, labeled = rng.standard_normal((9, 3)), rng.random(9) < 0.6, rng.random(9) < 0.8
    assert 2 < labeled.sum() < 9
    axes = Axes(x, (x**2).sum(axis=1), x[:, 0], x[:, 1])
    signs = np.where(answer, 1.0, -1.0)
    signs -= signs[labeled].mean()
    pairs = list(combinations(np.flatnonzero(labeled), 2))
    measures = share_measures(answer, labeled, axes)
    for name, features in (("share_linear", x), ("share_margin", x[:, :1])):
        wanted = np.mean([signs[i] * signs[j] * (features[i] @ features[j]) for i, j in pairs])
        assert measures[name] == pytest.approx(wanted)
    two = np.zeros(9, dtype=bool)
    two[:2] = True
    assert np.isfinite(share_measures(answer, two, axes)["share_linear"])
    two[1] = False
    assert np.isnan(share_measures(answer, two, axes)["share_linear"])
