"""Where, along a knob, one protocol's student overtakes another's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import stdtrit

from oversight.core.claims import BoolArray, FloatArray

FINE = 400
"""Steps between neighbors at which a difference is looked at."""


@dataclass(frozen=True)
class Crossing:
    """Where, along a knob, one protocol's student overtakes another's.

    knob, at     the knob, and the values of the other knobs there
    ahead_below  the protocol that is ahead below the crossing
    ahead_above  the one that is ahead above it
    value        where the mean difference between them is zero, by interpolation between neighbors
    low, high    where it cannot be told from zero (paired t, 95 %); None beyond what was tried
    """

    knob: str
    at: str
    ahead_below: str
    ahead_above: str
    value: float
    low: float | None
    high: float | None


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
    fine, z = _profile(at, apart)
    back = np.exp if min(values) > 0 else np.asarray
    changes = []
    for i, value in _sign_changes(at, mean, clear):
        low, high = _unclear(fine, np.abs(z) <= usual, value)
        below, above = (one, other) if mean[i] > 0 else (other, one)
        changes.append(
            Crossing(
                knob,
                held,
                below,
                above,
                float(back(value)),
                None if low is None else float(back(low)),
                None if high is None else float(back(high)),
            )
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


def _profile(at: FloatArray, apart: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A fine grid over the knob, and there the paired t statistic of the interpolated
    difference."""
    fine = np.unique(np.concatenate([np.linspace(a, b, FINE) for a, b in pairwise(at)]))
    place = np.clip(np.searchsorted(at, fine, side="right") - 1, 0, len(at) - 2)
    share = ((fine - at[place]) / (at[place + 1] - at[place]))[:, None]
    between = (1 - share) * apart[place] + share * apart[place + 1]
    error = between.std(axis=1, ddof=1) / np.sqrt(apart.shape[1])
    mean = between.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, mean / error, np.sign(mean) * np.inf)
    return fine, np.nan_to_num(z, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _unclear(
    fine: FloatArray, unclear: BoolArray, value: float
) -> tuple[float | None, float | None]:
    """The stretch around a value where the difference is not clear of zero; None where it has no
    end."""
    here = int(np.argmin(np.abs(fine - value)))
    low = here
    while low > 0 and unclear[low - 1]:
        low -= 1
    high = here
    while high < len(fine) - 1 and unclear[high + 1]:
        high += 1
    return (
        None if low == 0 and unclear[0] else float(fine[low]),
        None if high == len(fine) - 1 and unclear[-1] else float(fine[high]),
    )
