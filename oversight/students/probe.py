"""Logistic probes on shared features, many label sets at once.

Minimizes sum_i weight_i CE(y_i, sigmoid(x_i w + intercept)) + l2 / 2 |w|^2 for every column of
labels: scikit-learn's LogisticRegression(C=1/l2), for soft labels too. Batched L-BFGS in
coordinates in which the Hessian of the loss is at most the identity (Boehning & Lindsay 1988:
X'X/4 bounds it), so that a step of -g.d / d.d along any descent direction is certain to decrease
the loss: that is the fall-back where the full step does not. The loss is convex, so the size of the
gradient is the proof of arrival.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from oversight.core.claims import FloatArray

BLOCK = 8
"""Label sets are fitted in blocks of this fixed number: the last bits of a matrix product depend on
its size."""

MEMORY = 4
MOST_STEPS = 1000
TOLERANCE = 5e-5
"""A fit is done when its gradient is this small per square root of the number of items: log-odds
right to about 1e-3, a twentieth of what scikit-learn's default leaves."""


class Features:
    """Features, (items, features), that probes are fitted on more than once: what depends on them
    alone is worked out once."""

    def __init__(self, x: FloatArray) -> None:
        self.x = np.ascontiguousarray(x)
        self._problems: dict[tuple[float, float], _Problem] = {}

    @cached_property
    def gram(self) -> FloatArray:
        """Sums of products of features, the constant last, (features + 1, features + 1)."""
        size = self.x.shape[1] + 1
        gram = np.empty((size, size))
        gram[:-1, :-1] = self.x.T @ self.x
        gram[-1, :-1] = gram[:-1, -1] = self.x.sum(axis=0)
        gram[-1, -1] = len(self.x)
        return gram

    def problem(self, l2: float, heaviest: float) -> _Problem:
        """What a penalty and the largest weight of an item make of them."""
        if (l2, heaviest) not in self._problems:
            self._problems[l2, heaviest] = _Problem(self, l2, heaviest)
        return self._problems[l2, heaviest]


def fit_probes(
    x: FloatArray | Features,
    labels: FloatArray,
    *,
    l2: float = 1.0,
    weights: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Weights (features, columns) and intercepts (columns,) of one probe a column of labels.

    x        features, (items, features), or what several fits share of them
    labels   hard or soft labels in [0, 1], (items, columns)
    l2       penalty on the weights, not on the intercept, >= 0
    weights  of items, by column, >= 0; all 1 if left out. A column without any weight gets a zero
             probe.

    A column's numbers do not depend on the other columns.
    """
    items, columns = labels.shape
    heaviest = 1.0 if weights is None else max(1.0, float(weights.max(initial=0.0)))
    problem = (x if isinstance(x, Features) else Features(x)).problem(l2, heaviest)
    fitted = np.empty((problem.size, columns))
    for start in range(0, columns, BLOCK):
        # Always BLOCK rows; the missing ones are solved before they start.
        width = min(BLOCK, columns - start)
        signed, weight = np.zeros((BLOCK, items)), None
        signed[:width] = 2 * labels[:, start : start + width].T - 1
        if weights is not None:
            weight = np.ones((BLOCK, items))
            weight[:width] = weights[:, start : start + width].T
        fitted[:, start : start + width] = _fit_block(problem, signed, weight)[:width].T
    return fitted[:-1], fitted[-1]


def _dots(a: FloatArray, b: FloatArray) -> FloatArray:
    """Products of rows, shape (rows, 1)."""
    return np.asarray((a * b).sum(axis=1, keepdims=True))


class _Problem:
    """Features, penalty, and the turn w = v back' after which the Hessian is at most the identity.

    One row a label set throughout.
    """

    def __init__(self, features: Features, l2: float, heaviest: float) -> None:
        self.x, self.size = features.x, features.x.shape[1] + 1
        self.penalty = np.full(self.size, l2)
        self.penalty[-1] = 0.0
        bound = features.gram * (heaviest / 4) + np.diag(self.penalty)
        # Features of very different scales, or linearly dependent: balance, then lift a little.
        scale = 1 / np.sqrt(np.maximum(np.diag(bound), 1e-300))
        balanced = bound * np.outer(scale, scale) + 1e-12 * np.eye(self.size)
        self.back = scale[:, None] * solve_triangular(cholesky(balanced), np.eye(self.size))

    def half_margins(self, v: FloatArray) -> FloatArray:
        """Half the log-odds of every item, (rows, items): of use because sigmoid(m) - y = (tanh(m /
        2) - (2 y - 1)) / 2."""
        w = 0.5 * v @ self.back.T
        margins = w[:, :-1] @ self.x.T
        margins += w[:, -1:]
        return np.asarray(margins)

    def gradient(
        self, v: FloatArray, half: FloatArray, signed: FloatArray, weight: FloatArray | None
    ) -> FloatArray:
        """The gradient at v, (rows, size), whose half margins are given."""
        off = np.tanh(half)
        off -= signed
        if weight is not None:
            off *= weight
        by_weight = self.penalty * (v @ self.back.T)
        by_weight[:, :-1] += 0.5 * (off @ self.x)
        by_weight[:, -1] += 0.5 * off.sum(axis=1)
        return np.asarray(by_weight @ self.back)


def _fit_block(problem: _Problem, signed: FloatArray, weight: FloatArray | None) -> FloatArray:
    """L-BFGS on BLOCK label sets, each stopping on its own; returns the probes, intercept last."""
    v, half = np.zeros((BLOCK, problem.size)), np.zeros(signed.shape)
    g = problem.gradient(v, half, signed, weight)
    small = TOLERANCE**2 * signed.shape[1]
    memory = _Memory()
    for step in range(MOST_STEPS):
        active = _dots(g, g) > small
        if not active.any():
            break
        # Now and then a plain gradient step, certain to help, for rows that make no progress.
        d = -g if step % 40 == 39 else memory.direction(g)
        d = np.where(active, np.where(_dots(g, d) < 0, d, -g), 0.0)
        ahead = problem.half_margins(d)
        if step == 0:
            length = _length(ahead, signed, weight)
            d, ahead = length * d, length * ahead
        after = problem.gradient(v + d, half + ahead, signed, weight)
        slope = _dots(g, d)
        overshot = _dots(after, d) > -0.8 * slope
        if overshot.any():
            certain = -slope / np.maximum(_dots(d, d), 1e-300)
            length = np.where(overshot, np.minimum(1.0, certain), 1.0)
            d, ahead = length * d, length * ahead
            after = problem.gradient(v + d, half + ahead, signed, weight)
        memory.add(d, after - g)
        v, g = v + d, after
        half += ahead
    return np.asarray(v @ problem.back.T)


def _length(ahead: FloatArray, signed: FloatArray, weight: FloatArray | None) -> FloatArray:
    """How far to go along the first direction, by Newton's method on some of the items.

    The slope along the direction is concave in the length, so that its tangents cross zero before
    it does: Newton comes from below. On all items it would be certain not to go too far.
    """
    some = slice(None, None, max(1, ahead.shape[1] // 1000))
    ahead, signed = ahead[:, some], signed[:, some]
    heavy = ahead if weight is None else weight[:, some] * ahead
    length = np.ones((len(ahead), 1))
    for _ in range(4):
        bent = np.tanh(length * ahead)
        slope = _dots(bent - signed, heavy)
        curvature = np.maximum(_dots((1 - bent * bent) * heavy, ahead), 1e-300)
        length = length + np.clip(-slope / curvature, 0.0, 10 * length)
    return length


class _Memory:
    """The last steps of every row and how the gradient changed over them (two-loop recursion)."""

    def __init__(self) -> None:
        self.steps: list[FloatArray] = []
        self.changes: list[FloatArray] = []
        self.inverse: list[FloatArray] = []  # 1 / (step . change), 0 where a step taught nothing
        self.scale: FloatArray | float = 1.0

    def add(self, step: FloatArray, change: FloatArray) -> None:
        curvature, length = _dots(step, change), _dots(change, change)
        useful = curvature > 1e-14 * length
        self.scale = np.where(useful, curvature / np.where(useful, length, 1.0), self.scale)
        self.steps.append(step)
        self.changes.append(change)
        self.inverse.append(np.where(useful, 1.0 / np.where(useful, curvature, 1.0), 0.0))
        if len(self.steps) > MEMORY:
            del self.steps[0], self.changes[0], self.inverse[0]

    def direction(self, gradient: FloatArray) -> FloatArray:
        """The L-BFGS direction from a gradient, (rows, size)."""
        q, taken = -gradient, []
        remembered = list(zip(self.steps, self.changes, self.inverse, strict=True))
        for step, change, inverse in reversed(remembered):
            share = inverse * _dots(step, q)
            q = q - share * change
            taken.append(share)
        q = self.scale * q
        for (step, change, inverse), share in zip(remembered, reversed(taken), strict=True):
            q = q + (share - inverse * _dots(change, q)) * step
        return q
