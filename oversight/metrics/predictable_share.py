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
from oversight.students.probe import fit_probes

FOLDS = 8
"""Parts of the items; errors in each are foreseen by a classifier that learned from the others."""
PENALTIES = (0.1, 5.0, 250.0)
"""L2 penalties, times the number of features and products; for each part, the one that does best
on the other parts."""
MOST_FEATURES = 32
"""More features than these are projected to as many."""
MOST_ITEMS = 20_000
"""Labeled items that are looked at, the first ones."""


def predictable_share(x: FloatArray, wrong: BoolArray, seed: int) -> float:
    """Brier skill of held-out forecasts of errors, against the constant rate: 0 where nothing can
    be foreseen (or a little below), 1 where everything can. NaN where labels are all right, all
    wrong, or too few.

    x      features of the labeled items, (items, features)
    wrong  whether each label is wrong, (items,)
    seed   of the projection of many features

    Cross-fitted logistic regression on features, their squares and products. The more features to
    an item, the less of what could be foreseen it finds.
    """
    x, wrong = x[:MOST_ITEMS], wrong[:MOST_ITEMS]
    if len(wrong) < 2 * FOLDS or wrong.all() or not wrong.any():
        return float("nan")
    seen, error = _products(x, seed), wrong.astype(np.float64)
    fold = np.arange(len(error)) % FOLDS
    learned = (fold[:, None] != np.arange(FOLDS)).astype(np.float64)  # (items, folds)
    labels = np.repeat(error[:, None], FOLDS, axis=1)
    losses = np.empty((len(PENALTIES), FOLDS))
    for i, penalty in enumerate(PENALTIES):
        weights, intercepts = fit_probes(seen, labels, l2=penalty * seen.shape[1], weights=learned)
        for k in range(FOLDS):
            held = fold == k
            forecast = expit(seen[held] @ weights[:, k] + intercepts[k])
            losses[i, k] = ((forecast - error[held]) ** 2).sum()
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
    one, other = np.triu_indices(x.shape[1])
    return np.hstack([x, x[:, one] * x[:, other]])
