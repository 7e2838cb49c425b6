"""Predictable share: how much of the labels' error a flexible classifier foresees from the features
(MODEL 3), what the literature calls structured error.

It is not the representable share. Errors that gather on hard items can be foreseen, though no
linear student learns them: at accuracy .7 and difficulty 1, at most .077 of independent slips.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.streams import stream
from oversight.students.probe import Features, fit_probes

FOLDS = 8
"""Parts of the items; errors in each are foreseen by a classifier that learned from the others."""
PENALTIES = (0.1, 5.0, 250.0)
"""L2 penalties, times the number of features and products; for each part, the one that does best
on the other parts."""
MOST_FEATURES = 32
"""More features than these are projected to as many."""
MOST_ITEMS = 20_000
"""Labeled items that are looked at, the first ones."""


class Forecasts:
    """Forecasts of label errors from the features of a pool.

    x     features of all items, (items, features)
    seed  of the projection of many features

    Cross-fitted logistic regression on features, their squares and products. The more features to
    an item, the less of what could be foreseen it finds. Label sets of the same items share what
    depends on the items alone.
    """

    def __init__(self, x: FloatArray, seed: int) -> None:
        self._x, self._seed = x, seed
        self._seen: tuple[bytes, Features] | None = None

    def share(self, labeled: BoolArray, wrong: BoolArray) -> float:
        """Brier skill of held-out forecasts of errors, against the constant rate: 0 where nothing
        can be foreseen (or a little below), 1 where everything can. NaN where labels are all right,
        all wrong, or too few.

        labeled  which items have a label, (items,)
        wrong    whether each of these labels is wrong, (labels,)
        """
        wrong = wrong[:MOST_ITEMS]
        if len(wrong) < 2 * FOLDS or wrong.all() or not wrong.any():
            return float("nan")
        key = labeled.tobytes()
        if self._seen is None or self._seen[0] != key:
            self._seen = key, Features(_products(self._x[labeled][:MOST_ITEMS], self._seed))
        return _skill(self._seen[1], wrong.astype(np.float64))


def _skill(seen: Features, error: FloatArray) -> float:
    """The skill of forecasts of errors, (items,) of 0 and 1, each by the other folds."""
    fold = np.arange(len(error)) % FOLDS
    learned = (fold[:, None] != np.arange(FOLDS)).astype(np.float64)  # (items, folds)
    labels = np.repeat(error[:, None], FOLDS, axis=1)
    losses = np.empty((len(PENALTIES), FOLDS))
    for i, penalty in enumerate(PENALTIES):
        l2 = penalty * seen.x.shape[1]
        weights, intercepts = fit_probes(seen, labels, l2=l2, weights=learned)
        for k in range(FOLDS):
            forecast = expit(seen.x[k::FOLDS] @ weights[:, k] + intercepts[k])
            losses[i, k] = ((forecast - error[k::FOLDS]) ** 2).sum()
    # By the other parts, so that no part chooses the penalty that flatters it.
    best = np.argmin(losses.sum(axis=1, keepdims=True) - losses, axis=0)
    rates = (learned.T @ error) / learned.sum(axis=0)
    constant = float(((rates[fold] - error) ** 2).sum())
    return 1 - float(losses[best, np.arange(FOLDS)].sum()) / constant


def _products(x: FloatArray, seed: int) -> FloatArray:
    """Standardized features, their squares and products."""
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    width = x.shape[1]
    if width > MOST_FEATURES:
        generator = stream(seed, "predictable share", width)
        x = x @ generator.standard_normal((width, MOST_FEATURES)) / np.sqrt(width)
    products = (x[:, i : i + 1] * x[:, i:] for i in range(x.shape[1]))
    return np.hstack([x, *products])
