"""Dawid & Skene's model of answers: each judge errs in a way of their own (Applied Statistics 28,
1979).

Truth is "true" with chance `prior`; judge k answers "yes" with chance `yes_rate[k, 1]` where it is
true and `yes_rate[k, 0]` where it is false, independently given the truth. Fitted by expectation-
maximization from the shares of yes answers, as crowd-kit's implementation does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from oversight.core.claims import BoolArray, FloatArray

LEAST = 1e-10
ROUNDS, TOLERANCE = 500, 1e-9


@dataclass(frozen=True)
class DawidSkene:
    """prior: P(true); yes_rate: P(yes | truth) by judge and truth (false first), (judges, 2)."""

    prior: float
    yes_rate: FloatArray

    def evidence(self, answers: BoolArray, given: BoolArray) -> FloatArray:
        """Log likelihood ratio for "true", from answers of shape (judges, ...). Answers that are
        not `given` do not count."""
        yes, no = np.log(self.yes_rate), np.log1p(-self.yes_rate)
        for_yes = (yes[:, 1] - yes[:, 0]).reshape(-1, *[1] * (answers.ndim - 1))
        for_no = (no[:, 1] - no[:, 0]).reshape(-1, *[1] * (answers.ndim - 1))
        return np.asarray(np.where(given, np.where(answers, for_yes, for_no), 0.0).sum(axis=0))


def fit(answers: BoolArray, given: BoolArray | None = None) -> DawidSkene:
    """The most likely model for answers of shape (judges, items), with at least one judge and one
    item."""
    given = np.ones_like(answers) if given is None else given
    count = given.sum(axis=0)
    true = np.where(count > 0, (answers & given).sum(axis=0) / np.maximum(count, 1), 0.5)
    model = _given_truth(answers, given, true)
    for _ in range(ROUNDS):
        before = true
        true = np.asarray(expit(model.evidence(answers, given) + logit(model.prior)))
        model = _given_truth(answers, given, true)
        if np.abs(true - before).max() < TOLERANCE:
            break
    return model


def _given_truth(answers: BoolArray, given: BoolArray, true: FloatArray) -> DawidSkene:
    yes = answers & given
    count_yes = np.stack([yes @ (1 - true), yes @ true], axis=1)
    count = np.stack([given @ (1 - true), given @ true], axis=1)
    yes_rate = np.clip(count_yes / np.maximum(count, LEAST), LEAST, 1 - LEAST)
    return DawidSkene(float(np.clip(true.mean(), LEAST, 1 - LEAST)), yes_rate)
