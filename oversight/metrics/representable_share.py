"""Representable share: how much of the labels' error a linear student can learn (MODEL 3).

For any labels it estimates (tan theta_student / tan theta_labels)^2 of a linear student with many
items, theta = pi (1 - accuracy). It is 0 where the error has no linear direction, and s for
overseers of structure s at difficulty 1. Above 1 the student is worse than its labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr, stdtrit

from oversight.core.claims import BoolArray, FloatArray
from oversight.metrics.pgr import Ratio, Reason, Status, one_replicate, undefined
from oversight.worlds.base import Pool

COORDINATES = 4
"""What labeled items are compared in with all items: mean and variance of margin and
misconception."""
RARE = COORDINATES * 2 * float(ndtr(-4))
"""How rarely a random sample may be called none: 4 standard errors, in any of the four."""
MADE_OF = (
    "share_linear",
    "share_margin",
    "sample_shift",
    "label_accuracy_intended",
    "label_positive",
)
"""Measures that the share is made of, in the order in which it takes them."""
LOPSIDED = 0.02
"""How far the share of positive labels may be from one half."""


@dataclass(frozen=True)
class Axes:
    """Where the items of a pool lie, (items,) each.

    x              the representation, (items, features)
    lengths        |x|^2
    margin         along the intended concept
    misconception  along the misconception that people and models share
    """

    x: FloatArray
    lengths: FloatArray
    margin: FloatArray
    misconception: FloatArray

    @staticmethod
    def of(pool: Pool) -> Axes:
        """The axes of a pool whose world has margins."""
        x, roots = pool.x, pool.roots
        lengths = np.einsum("ij,ij->i", x, x)
        return Axes(x, lengths, pool.margin(roots), pool.misconception(roots))


def share_measures(answer: BoolArray, labeled: BoolArray, axes: Axes | None) -> dict[str, float]:
    """What the share is made of, in one replicate, by column; NaN for fewer than two labels, and
    where a world has no margins (`axes` is None).

    With L = +-1 labels, centered: share_linear = (|sum L_i x_i|^2 - sum L_i^2 |x_i|^2) / (n (n -
    1)), the unbiased squared length of mean(L x); share_margin is the same along the margin alone.
    """
    n = int(labeled.sum())
    if n < 2 or axes is None:
        return dict.fromkeys(("share_linear", "share_margin", "sample_shift"), float("nan"))
    signs = np.where(answer, 1.0, -1.0)
    signs = np.where(labeled, signs - signs[labeled].mean(), 0.0)
    total, along, squares = signs @ axes.x, float(signs @ axes.margin), signs**2
    pairs = n * (n - 1)
    return {
        "share_linear": (float(total @ total) - float(squares @ axes.lengths)) / pairs,
        "share_margin": (along**2 - float(squares @ axes.margin**2)) / pairs,
        "sample_shift": _shift(labeled, axes),
    }


def _shift(labeled: BoolArray, axes: Axes) -> float:
    """How far labeled items are from a random sample of all: the sum, over mean and variance of
    margin and misconception, of squared distances in standard errors; 0 where all are labeled."""
    n, every = int(labeled.sum()), labeled.size
    if n == every:
        return 0.0
    shift = 0.0
    for coordinate in (axes.margin, axes.misconception):
        for values in (coordinate, (coordinate - coordinate.mean()) ** 2):
            squared_error = float(values.var(ddof=1)) * (1 / n - 1 / every)
            shift += float(values[labeled].mean() - values.mean()) ** 2 / squared_error
    return shift


def representable_share(
    linear: FloatArray,
    margin: FloatArray,
    shift: FloatArray,
    right: FloatArray,
    positive: FloatArray,
    items: int,
) -> Ratio:
    """The share over replicates: sum (B - b2) cos^2 theta / sum b2 sin^2 theta, theta = pi (1 -
    right), with a jackknife interval (t, R - 1 degrees of freedom). Not clipped.

    linear, margin, shift  B, b2 and the sample's shift as `share_measures` gives them, by replicate
    right                  the labels' accuracy against the intended answer, by replicate
    positive               share of positive labels, by replicate
    items                  labeled items a replicate

    Undefined where labeled items are no random sample, or where labels are right always or by
    chance. Flagged where the share of positive labels is clearly more than .02 from one half.
    """
    kept = ~np.isnan(linear)
    if not kept.any() or items == 0:
        return undefined(Reason.NO_LABELS, "nothing was labeled")
    linear, margin, shift = linear[kept], margin[kept], shift[kept]
    right, positive = right[kept], positive[kept]
    chance = chdtrc(max(COORDINATES * np.count_nonzero(shift), 1), shift.sum())
    if chance < RARE:
        return undefined(Reason.SELECTED_ITEMS)
    accuracy, error = float(right.mean()), _error(right, items)
    for edge in (0.5, 1.0):
        if abs(accuracy - edge) <= 2 * error:
            text = f"labels are right with chance {accuracy:.4f}, not clear of {edge}"
            return undefined(Reason.ACCURACY_AT_EDGE, text)
    theta = np.pi * (1 - right)
    over, under = (linear - margin) * np.cos(theta) ** 2, margin * np.sin(theta) ** 2
    if under.sum() <= 0:
        return undefined(Reason.ACCURACY_AT_EDGE)
    value, runs = float(over.sum() / under.sum()), over.size
    if runs == 1:
        return one_replicate(value)
    one_out = (over.sum() - over) / (under.sum() - under)
    spread = np.sqrt((runs - 1) / runs * ((one_out - one_out.mean()) ** 2).sum())
    half = float(stdtrit(runs - 1, 0.975) * spread)
    off = abs(float(positive.mean()) - 0.5)
    if off <= max(LOPSIDED, 2 * _error(positive, items)):
        return Ratio(value, value - half, value + half)
    text = f"{positive.mean():.0%} of the labels are positive"
    return Ratio(value, value - half, value + half, Status.FLAGGED, Reason.LOPSIDED_LABELS, text)


def _error(shares: FloatArray, items: int) -> float:
    """Standard error of a mean share: over replicates, or the binomial's where there is one."""
    if shares.size > 1:
        return float(shares.std(ddof=1) / np.sqrt(shares.size))
    return float(np.sqrt(shares[0] * (1 - shares[0]) / items))
