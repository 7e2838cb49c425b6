"""Performance gap recovered, its interval, its parts, and when it is undefined (MODEL 1, 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from oversight.core.claims import FloatArray

LEAST_GAP = 0.01
"""The least ceiling - weak at which a share of it means anything."""
SPREADLESS = 1e-12
"""A standard error that is rounding and nothing else."""


class Status(StrEnum):
    """Whether there is a number."""

    OK = "ok"
    UNDEFINED = "undefined"
    FLAGGED = "flagged"
    """There is one, to be read with care."""


class Reason(Enum):
    """Why there is no number, or why it is to be read with care."""

    NO_REPLICATE = "no replicate succeeded"
    SMALL_GAP = "the ceiling is not clearly above weak"
    NOT_APPLICABLE = "the failure has nothing to change"
    NO_LABELS = "nothing was labeled, in some replicate at least"
    ACCURACY_AT_EDGE = "labels are right always, or no more often than by chance"
    LOPSIDED_LABELS = "one answer is much more common than the other"
    SELECTED_ITEMS = "the labeled items are no random sample of all"
    NO_MARGINS = "the world has no margins"
    ONE_REPLICATE = "one replicate, no interval"


@dataclass(frozen=True)
class Ratio:
    """An estimate with its interval, or the reason why there is none. NaN where there is no
    number.

    value      the estimate
    low, high  its interval; infinite where it has no bound
    state      whether there is a number
    reason     why not, why with care, or why without an interval; None where all is well
    text       the same reason for a person, with its numbers
    """

    value: float
    low: float
    high: float
    state: Status = Status.OK
    reason: Reason | None = None
    text: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a number; a flagged one is to be read with care.

        >>> Ratio(0.4, 0.3, 0.5, Status.FLAGGED, Reason.LOPSIDED_LABELS).defined
        True
        """
        return self.state is not Status.UNDEFINED

    @property
    def status(self) -> str:
        """The status as a column has it.

        >>> undefined(Reason.NO_REPLICATE).status
        'undefined: no replicate succeeded'
        >>> fieller([0.1, 0.2], [0.3, 0.31]).status
        'ok'
        """
        return f"{self.state}: {self.text}" if self.text else str(self.state)


def undefined(reason: Reason, text: str = "") -> Ratio:
    """A ratio that is no number, for a reason; `text` says it with its numbers."""
    nan = float("nan")
    return Ratio(nan, nan, nan, Status.UNDEFINED, reason, text or reason.value)


def one_replicate(value: float) -> Ratio:
    """A value that one replicate gives: it has no interval.

    >>> one_replicate(0.4).status
    'ok: one replicate, no interval'
    """
    nan, reason = float("nan"), Reason.ONE_REPLICATE
    return Ratio(value, nan, nan, Status.OK, reason, reason.value)


def fieller(top: npt.ArrayLike, bottom: npt.ArrayLike, level: float = 0.95) -> Ratio:
    """mean(top) / mean(bottom) over paired replicates, with Fieller's interval (t, R - 1 degrees of
    freedom; Fieller 1954).

    top, bottom  (replicates,)
    level        of the interval, in (0, 1)

    Undefined where the denominator's mean is at most max(0.01, t.975 standard errors): the ratio
    then means nothing, and Fieller's interval has no bounds. One replicate gives a value and no
    interval.
    """
    a, b = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    runs = a.size
    if runs == 0:
        return undefined(Reason.NO_REPLICATE)
    over, under = float(a.mean()), float(b.mean())
    if runs == 1:
        if under <= LEAST_GAP:
            text = f"ceiling - weak is {under:.3f}, at most {LEAST_GAP}"
            return undefined(Reason.SMALL_GAP, text)
        return one_replicate(over / under)
    errors = np.cov(np.stack([a, b])) / runs
    usual = float(stdtrit(runs - 1, 0.975))
    least = max(LEAST_GAP, usual * float(np.sqrt(errors[1, 1])))
    if under <= least:
        text = f"ceiling - weak is {under:.3f}, not clear of {least:.3f}"
        return undefined(Reason.SMALL_GAP, text)
    return Ratio(
        over / under, *_bounds(over, under, errors, float(stdtrit(runs - 1, 0.5 + level / 2)))
    )


def gap_is_absent(gap: FloatArray) -> bool:
    """Whether more replicates will hardly ever define a PGR: ceiling - weak is at most the least
    gap, up to its upper bound (99.9 %, one-sided).

    gap  ceiling - weak by replicate; NaN where a replicate failed

    >>> gap_is_absent(np.array([0.001, -0.001, 0.0, 0.002])), gap_is_absent(np.array([0.0, 0.1]))
    (True, False)
    """
    gap = gap[~np.isnan(gap)]
    if gap.size < 2:
        return False
    half = float(stdtrit(gap.size - 1, 0.999) * gap.std(ddof=1) / np.sqrt(gap.size))
    return float(gap.mean()) + half <= LEAST_GAP


def _bounds(over: float, under: float, errors: FloatArray, t: float) -> tuple[float, float]:
    """Fieller's bounds: the ratios rho for which over - rho under is within t standard errors of
    0."""
    a = under**2 - t**2 * errors[1, 1]
    b = over * under - t**2 * errors[0, 1]
    c = over**2 - t**2 * errors[0, 0]
    if a <= 0:  # the denominator is not clear of 0 at this level
        return float("-inf"), float("inf")
    root = float(np.sqrt(max(b**2 - a * c, 0.0)))
    return float((b - root) / a), float((b + root) / a)


@dataclass(frozen=True)
class Difference:
    """PGR of one protocol less that of another, paired over replicates."""

    first: str
    second: str
    difference: Ratio
    p_value: float
    """Of no difference between the students, by paired t test, Holm's correction for the number
    compared; NaN where there is none."""


def differences(
    students: dict[str, FloatArray], gap: FloatArray, level: float = 0.95
) -> list[Difference]:
    """All pairs of protocols. Intervals hold together at `level` (Bonferroni), p-values by Holm's
    correction.

    students  accuracy by replicate, by protocol; NaN where a replicate failed
    gap       ceiling - weak by replicate

    Without a p-value, and not counted: a pair whose difference in PGR is undefined, and one whose
    replicates all differ by the same, as two can by luck, so that they show no error.
    """
    names = list(students)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    ratios, p_values = [], []
    for first, second in pairs:
        apart = students[first] - students[second]
        both = ~np.isnan(apart) & ~np.isnan(gap)
        ratio = fieller(apart[both], gap[both], 1 - (1 - level) / len(pairs))
        tested = ratio.defined and not _same_everywhere(apart[both])
        ratios.append(ratio)
        p_values.append(paired_p_value(apart[both]) if tested else float("nan"))
    return [
        Difference(first, second, ratio, p)
        for (first, second), ratio, p in zip(pairs, ratios, holm(p_values), strict=True)
    ]


def _same_everywhere(apart: FloatArray) -> bool:
    """Whether a difference is there, and equal in all replicates but for rounding."""
    if apart.size < 2 or not apart.any():
        return False
    return float(apart.std(ddof=1)) <= SPREADLESS


def paired_p_value(apart: FloatArray) -> float:
    """Two-sided p-value of "no difference"; 1 where there is exactly none, NaN for fewer than two
    replicates."""
    if apart.size < 2:
        return float("nan")
    error = float(apart.std(ddof=1)) / np.sqrt(apart.size)
    if error == 0:
        return 1.0 if float(apart.mean()) == 0 else 0.0
    return float(2 * stdtr(apart.size - 1, -abs(float(apart.mean())) / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction; NaN stays NaN and is not counted.

    >>> holm([0.01, 0.04, float("nan")])
    [0.02, 0.04, nan]
    """
    corrected = list(p_values)
    order = sorted((p, i) for i, p in enumerate(p_values) if not np.isnan(p))
    worst = 0.0
    for rank, (p, i) in enumerate(order):
        worst = max(worst, min(1.0, p * (len(order) - rank)))
        corrected[i] = worst
    return corrected
