"""Where, along a knob, one protocol's student overtakes another's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import stdtrit

from oversight.core.claims import BoolArray, FloatArray


@dataclass(frozen=True)
class Crossing:
    """Where, along a knob, one protocol's student overtakes another's.

    knob, at     the knob, and the values of the other knobs there
    ahead_below  the protocol that is ahead below the crossing
    ahead_above  the one that is ahead above it
    value        where the mean difference between them is zero, by interpolation between neighbors
    low, high    ends of the stretch around it where it cannot be told from zero (paired t, 95 %)
    """

    knob: str
    at: str
    ahead_below: str
    ahead_above: str
    value: float
    low: float
    high: float


def crossings(
    knob: str, held: str, one: str, other: str, values: Sequence[float], apart: FloatArray
) -> list[Crossing]:
    """Where the mean of `apart`, (values, replicates), one protocol less the other, changes sign.

    Between neighbors every replicate's difference is interpolated, in the logarithm of the knob
    where all values are above zero. Left out are crossings between neighbors of which neither
    differs from zero at any value on its side. Values at which a difference is not a number are
    left out; where it is zero at some values in between, the crossing is their middle.

    knob, held  the knob along which `values` are, ascending, and words for what else is fixed
    one, other  the protocols; `apart` is above 0 where `one` is ahead

    >>> apart = np.array([[0.199, 0.201], [-0.101, -0.099]])
    >>> (crossing,) = crossings("hours", "", "debate", "vote", [1.0, 8.0], apart)
    >>> crossing.ahead_below, crossing.ahead_above, round(crossing.value, 6)
    ('debate', 'vote', 4.0)
    """
    scale = np.log if min(values) > 0 else np.asarray
    at = np.asarray(scale(np.asarray(values, dtype=np.float64)))
    kept = ~np.isnan(apart).any(axis=1)
    at, apart = at[kept], apart[kept]
    if len(at) < 2 or apart.shape[1] < 2:
        return []
    mean = apart.mean(axis=1)
    usual = float(stdtrit(apart.shape[1] - 1, 0.975))
    clear = np.abs(mean) > usual * apart.std(axis=1, ddof=1) / np.sqrt(apart.shape[1])
    back = np.exp if min(values) > 0 else np.asarray
    changes = []
    for i, value in _sign_changes(at, mean, clear):
        here = np.array([np.interp(value, at, each) for each in apart.T])
        left, right = at < value, at > value
        low = _clear_again(value, here, at[left][::-1], apart[left][::-1], usual)
        high = _clear_again(value, here, at[right], apart[right], usual)
        below, above = (one, other) if mean[i] > 0 else (other, one)
        changes.append(
            Crossing(knob, held, below, above, *(float(back(x)) for x in (value, low, high)))
        )
    return changes


def _sign_changes(
    at: FloatArray, mean: FloatArray, clear: BoolArray
) -> Iterator[tuple[int, float]]:
    """Where the mean difference changes sign, clearly on both sides: the last place before, and
    where it is zero."""
    for i, j in pairwise(np.flatnonzero(mean)):
        if mean[i] * mean[j] > 0:
            continue
        before = clear[: i + 1] & (np.sign(mean[: i + 1]) == np.sign(mean[i]))
        after = clear[j:] & (np.sign(mean[j:]) == np.sign(mean[j]))
        if not before.any() or not after.any():
            continue
        if j == i + 1:
            yield int(i), float(at[i] + (at[j] - at[i]) * mean[i] / (mean[i] - mean[j]))
        else:
            yield int(i), float((at[i + 1] + at[j - 1]) / 2)


def _clear_again(
    value: float, here: FloatArray, at: FloatArray, apart: FloatArray, usual: float
) -> float:
    """The place nearest to `value` where the interpolated difference is clear of zero, on the way
    through the values `at`, the last of which is clear.

    A share u of the way to the next value, mean^2 - usual^2 error^2 = a u^2 + b u + c, with c <= 0
    as long as nothing was clear. Its first root is -2 c / (b + sqrt(b^2 - 4 a c)).

    here, apart  the difference by replicate, at `value` and at the values
    """
    for there, ahead in zip(at, apart, strict=True):
        mean, step = here.mean(), (ahead - here).mean()
        square = usual**2 / here.size * np.cov(np.stack([here, ahead - here]))
        a, b = step**2 - square[1, 1], 2 * (mean * step - square[0, 1])
        c = min(mean**2 - square[0, 0], 0.0)
        inside = b * b - 4 * a * c
        under = b + np.sqrt(inside) if inside >= 0 else 0.0
        share = -2 * c / under if under > 0 else -b / a if a > 0 else np.inf
        if share < 1:
            return float(value + share * (there - value))
        value, here = float(there), ahead
    return value
