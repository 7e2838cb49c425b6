"""Ridge regression on shared features, a column of targets at a time.

Minimizes sum_i weight_i (target_i - x_i w - intercept)^2 + l2 |w|^2, as scikit-learn's Ridge does
with alpha = l2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from oversight.core.claims import FloatArray

LIFT = 1e-12
"""What the diagonal of the normal equations gains, relative to it: it shows only where features
depend on each other."""


def fit_least_squares(
    x: FloatArray, targets: FloatArray, *, l2: float = 0.0, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Weights (features, columns) and intercepts (columns,) of one regression a column of targets.

    x        features, (items, features)
    targets  any numbers, (items, columns)
    l2       penalty on the weights, not on the intercept, >= 0
    weights  of items, by column, >= 0; all 1 if left out. A column without any weight gets a zero
             regression.

    A column's numbers do not depend on the other columns.
    """
    slopes, intercepts = np.zeros((x.shape[1], targets.shape[1])), np.zeros(targets.shape[1])
    even = np.ones(len(x))
    whole = _solver(x, even, l2)
    for column in range(targets.shape[1]):
        own = even if weights is None else weights[:, column]
        if own.any():
            solve = whole if (own == 1).all() else _solver(x, own, l2)
            slopes[:, column], intercepts[column] = solve(targets[:, column])
    return slopes, intercepts


def _solver(
    x: FloatArray, weights: FloatArray, l2: float
) -> Callable[[FloatArray], tuple[FloatArray, float]]:
    """What gives weights and intercept for a target: the normal equations about the means, with
    features of one scale, factored once."""
    share = weights / weights.sum()
    mean = share @ x
    off = x - mean
    heavy = off * weights[:, None]
    equations = heavy.T @ off + l2 * np.eye(x.shape[1])
    scale = 1 / np.sqrt(np.maximum(np.diag(equations), 1e-300))
    equations = equations * np.outer(scale, scale) + LIFT * np.eye(len(scale))
    factor = cho_factor(equations)

    def solve(target: FloatArray) -> tuple[FloatArray, float]:
        middle = float(share @ target)
        slopes = np.asarray(scale * cho_solve(factor, scale * ((target - middle) @ heavy)))
        return slopes, middle - float(mean @ slopes)

    return solve
