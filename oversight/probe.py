"""Logistic probes on shared features, many label sets at once.

Minimizes sum_i weight_i CE(y_i, sigmoid(x_i w + intercept)) + l2 / 2 |w|^2 for every column of
labels: scikit-learn's LogisticRegression(C=1/l2), for soft labels too. Batched L-BFGS in
coordinates in which the Hessian of the loss is at most the identity (Boehning & Lindsay 1988: X'X/4
bounds it), so that a step of -g.d / d.d along any descent direction is guaranteed to decrease the
loss: that is the fall-back where the full step does not.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from oversight.claims import FloatArray

BLOCK = 8
"""Columns are fitted in blocks of this fixed width: the last bits of a matrix product depend on its
width."""

MEMORY = 8
MOST_STEPS = 500
TOLERANCE = 1e-5
"""Stop a column when the gradient is this small, per square root of the number of items: logits
right to about 1e-4."""


def fit_probes(
    x: FloatArray, labels: FloatArray, *, l2: float = 1.0, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Weights (features, columns) and intercepts (columns,) of one probe a column of labels.

    x        features, (items, features)
    labels   hard or soft labels in [0, 1], (items, columns)
    l2       penalty on the weights, not on the intercept, >= 0
    weights  of items, by column, >= 0; all 1 if left out. A column without any weight gets a zero
             probe.

    A column's numbers do not depend on the other columns.
    """
    items, columns = labels.shape
    problem = _Problem(
        np.ascontiguousarray(x), l2, 1.0 if weights is None else float(weights.max(initial=0.0))
    )
    fitted = np.empty((x.shape[1] + 1, columns))
    for start in range(0, columns, BLOCK):
        # Always BLOCK columns; the missing ones are solved before they start.
        width = min(BLOCK, columns - start)
        signed, weight = np.zeros((items, BLOCK)), None
        signed[:, :width] = 2 * labels[:, start : start + width] - 1
        if weights is not None:
            weight = np.ones((items, BLOCK))
            weight[:, :width] = weights[:, start : start + width]
        fitted[:, start : start + width] = _fit_block(problem, signed, weight)[:, :width]
    return fitted[:-1], fitted[-1]


class _Problem:
    """Features, penalty and the turn w = back v after which the loss's Hessian is at most the
    identity."""

    def __init__(self, x: FloatArray, l2: float, heaviest: float) -> None:
        self.x, self.size = x, x.shape[1] + 1
        self.penalty = np.full((self.size, 1), l2)
        self.penalty[-1] = 0.0
        bound = np.empty((self.size, self.size))
        bound[:-1, :-1] = x.T @ x
        bound[-1, :-1] = bound[:-1, -1] = x.sum(axis=0)
        bound[-1, -1] = len(x)
        bound *= max(heaviest, 1e-300) / 4
        bound[np.diag_indices(self.size)] += (
            self.penalty[:, 0] + 1e-12 * np.trace(bound) / self.size
        )
        self.back = solve_triangular(cholesky(bound), np.eye(self.size))

    def half_margins(self, v: FloatArray) -> FloatArray:
        """Half the probes' log-odds, (items, BLOCK): sigmoid(m) - y = (tanh(m / 2) - (2 y - 1)) /
        2."""
        w = self.back @ (0.5 * v)
        margins = self.x @ w[:-1]
        margins += w[-1]
        return np.asarray(margins)

    def gradient(
        self, v: FloatArray, half: FloatArray, signed: FloatArray, weight: FloatArray | None
    ) -> FloatArray:
        off = np.tanh(half)
        off -= signed
        if weight is not None:
            off *= weight
        by_weight = self.penalty * (self.back @ v)
        by_weight[:-1] += 0.5 * (self.x.T @ off)
        by_weight[-1] += 0.5 * off.sum(axis=0)
        return np.asarray(self.back.T @ by_weight)


def _fit_block(problem: _Problem, signed: FloatArray, weight: FloatArray | None) -> FloatArray:
    """L-BFGS on BLOCK columns, each stopping on its own; returns the probes, intercept last."""
    v, half = np.zeros((problem.size, BLOCK)), np.zeros(signed.shape)
    g = problem.gradient(v, half, signed, weight)
    small = TOLERANCE * np.sqrt(len(signed))
    memory = _Memory()
    for step in range(MOST_STEPS):
        active = np.sqrt((g * g).sum(axis=0)) > small
        if not active.any():
            break
        # Now and then a plain gradient step, which is certain to help, for columns that make no
        # progress.
        plain = step == 0 or step % 40 == 39
        d = -g if plain else memory.direction(g)
        d = np.where(active, np.where((g * d).sum(axis=0) < 0, d, -g), 0.0)
        ahead = problem.half_margins(d)
        if step == 0:
            stretch = _length(ahead, signed, weight)
            d, ahead = stretch * d, stretch * ahead
        after = problem.gradient(v + d, half + ahead, signed, weight)
        slope = (g * d).sum(axis=0)
        overshot = (after * d).sum(axis=0) > -0.8 * slope
        if overshot.any():
            certain = -slope / np.maximum((d * d).sum(axis=0), 1e-300)
            stretch = np.where(overshot, np.minimum(1.0, certain), 1.0)
            d, ahead = stretch * d, stretch * ahead
            after = problem.gradient(v + d, half + ahead, signed, weight)
        memory.add(d, after - g)
        v, half, g = v + d, half + ahead, after
    return np.asarray(problem.back @ v)


def _length(ahead: FloatArray, signed: FloatArray, weight: FloatArray | None) -> FloatArray:
    """How far to go along the first direction, by Newton's method from the left: it never goes too
    far.

    The slope along the direction is concave in the length, so its tangents cross zero before it
    does.
    """
    length = np.ones(ahead.shape[1])
    heavy = ahead if weight is None else weight * ahead
    for _ in range(4):
        bent = np.tanh(length * ahead)
        slope = ((bent - signed) * heavy).sum(axis=0)
        curvature = ((1 - bent * bent) * heavy * ahead).sum(axis=0)
        length = length + np.where(
            (slope < 0) & (curvature > 0), -slope / np.maximum(curvature, 1e-300), 0.0
        )
    return length


class _Memory:
    """The last steps of every column and how the gradient changed over them (two-loop recursion,
    per column)."""

    def __init__(self) -> None:
        self.steps: list[FloatArray] = []
        self.changes: list[FloatArray] = []
        self.inverse: list[FloatArray] = []  # 1 / (step . change), 0 where a step taught nothing
        self.scale: FloatArray | float = 1.0

    def add(self, step: FloatArray, change: FloatArray) -> None:
        curvature, length = (step * change).sum(axis=0), (change * change).sum(axis=0)
        useful = curvature > 1e-14 * length
        self.scale = np.where(useful, curvature / np.where(useful, length, 1.0), self.scale)
        self.steps.append(step)
        self.changes.append(change)
        self.inverse.append(np.where(useful, 1.0 / np.where(useful, curvature, 1.0), 0.0))
        if len(self.steps) > MEMORY:
            del self.steps[0], self.changes[0], self.inverse[0]

    def direction(self, gradient: FloatArray) -> FloatArray:
        q, taken = -gradient, []
        for s, y, rho in zip(
            reversed(self.steps), reversed(self.changes), reversed(self.inverse), strict=True
        ):
            a = rho * (s * q).sum(axis=0)
            q = q - a * y
            taken.append(a)
        q = self.scale * q
        for s, y, rho, a in zip(
            self.steps, self.changes, self.inverse, reversed(taken), strict=True
        ):
            q = q + (a - rho * (y * q).sum(axis=0)) * s
        return q
