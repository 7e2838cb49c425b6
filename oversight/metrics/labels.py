"""What is measured of labels and students in one replicate."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from oversight.core.claims import BoolArray, FloatArray


def auc(score: FloatArray, truth: BoolArray) -> float:
    """Area under the ROC curve, ties counted half; NaN where only one class is present."""
    positives, negatives = score[truth], np.sort(score[~truth])
    if positives.size == 0 or negatives.size == 0:
        return float("nan")
    below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
    return float((below.sum() + not_above.sum()) / (2 * positives.size * negatives.size))


def brier(probability: FloatArray, truth: BoolArray) -> float:
    """Mean squared error of a probability, in [0, 1]."""
    return float(np.mean((probability - truth) ** 2))


def calibration_error(probability: FloatArray, truth: BoolArray, bins: int = 10) -> float:
    """Expected calibration error of the stated confidence, in `bins` equal bins over [1/2, 1]."""
    confidence = np.maximum(probability, 1 - probability)
    right = (probability > 0.5) == truth
    place = np.minimum(((confidence - 0.5) * 2 * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, confidence - right, minlength=bins)
    return float(np.abs(gap).sum() / max(count.sum(), 1))


def of_student(log_odds: FloatArray, gold: BoolArray) -> dict[str, float]:
    """Accuracy, AUC, Brier score and calibration error of a student on test items, against gold."""
    probability = np.asarray(expit(log_odds))
    return {
        "student_accuracy": float(np.mean((log_odds > 0) == gold)),
        "auc": auc(log_odds, gold),
        "brier": brier(probability, gold),
        "calibration_error": calibration_error(probability, gold),
    }


def quadrants(student: BoolArray, label: BoolArray, gold: BoolArray) -> dict[str, float]:
    """How often labels and student are right together, on items that were labeled, and how often
    they agree."""
    right, learned = label == gold, student == gold
    agrees = student == label

    def share(of: BoolArray, among: BoolArray) -> float:
        return float(of[among].mean()) if among.any() else float("nan")

    everywhere = np.ones_like(right)
    return {
        "agreement_when_right": share(agrees, right),
        "agreement_when_wrong": share(agrees, ~right),
        "label_right_student_right": share(right & learned, everywhere),
        "label_right_student_wrong": share(right & ~learned, everywhere),
        "label_wrong_student_right": share(~right & learned, everywhere),
        "label_wrong_student_wrong": share(~right & ~learned, everywhere),
    }
