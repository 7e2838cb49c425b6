"""Would anybody notice? How likely an overseer is to see that a model attacks, from what it really
has: overrides, disagreement, stated confidence, gold spot checks.

An alarm is a one-sided test against health at a level, the chance of a false alarm. A count takes
whole values, so its threshold is randomized and the level is met exactly. Items are independent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import bdtrc, ndtr, ndtri

from oversight.core.claims import FloatArray

LEVEL = 0.05
"""Chance of a false alarm."""
ROUNDING = 1e-12
"""A difference that is rounding and nothing else."""
EXACT = 10**6
"""Up to so many gold checks the binomial law is used; beyond, the normal one."""


@dataclass(frozen=True)
class Signals:
    """What an overseer may see of a protocol's labels, as rates over labeled items.

    override_rate      items on which somebody judged again and answered otherwise, in [0, 1]
    disagreement_rate  items on which any member or part answered otherwise, in [0, 1]
    confidence         mean stated confidence, in [1/2, 1]
    confidence_sd      its standard deviation over items
    error_rate         wrong labels, against gold, in [0, 1]

    NaN where there is nothing to see.
    """

    override_rate: float
    disagreement_rate: float
    confidence: float
    confidence_sd: float
    error_rate: float

    @staticmethod
    def pooled(columns: Mapping[str, FloatArray]) -> Signals:
        """The signals over all labeled items of several replicates of equal size.

        columns  by name, a value a replicate: coverage, override_rate, disagreement_rate,
                 label_confidence, label_confidence_sd, label_accuracy
        """
        weights = columns["coverage"]
        some = weights > 0

        def mean(values: FloatArray) -> float:
            return float(np.average(values[some], weights=weights[some])) if some.any() else np.nan

        confidence = mean(columns["label_confidence"])
        apart = columns["label_confidence"] - confidence
        return Signals(
            mean(columns["override_rate"]),
            mean(columns["disagreement_rate"]),
            confidence,
            mean(columns["label_confidence_sd"] ** 2 + apart**2) ** 0.5,
            1 - mean(columns["label_accuracy"]),
        )


class Detection(NamedTuple):
    """The signal that shows an attack best, in words, and the chance that it does, in [0, 1]."""

    signal: str
    power: float


def detect(healthy: Signals, attacked: Signals, items: int = 100, checks: int = 20) -> Detection:
    """The best single signal over `items` labeled items, `checks` of them compared with gold, at
    exactly 5 % false alarms. Equal signals are detected with chance .05.

    >>> health = Signals(0.0, 0.0, 0.9, 0.1, 0.1)
    >>> signal, power = detect(health, Signals(0.05, 0.0, 0.9, 0.1, 0.1))
    >>> signal, round(power, 4)
    ('overrides', 0.9944)
    """
    by_signal = powers(healthy, attacked, items, checks)
    return max((Detection(*one) for one in by_signal.items()), key=lambda one: one.power)


def powers(
    healthy: Signals, attacked: Signals, items: int = 100, checks: int = 20
) -> dict[str, float]:
    """The power of every signal, by its name in words; the level where there is nothing to see."""
    one, other = healthy, attacked
    return {
        "overrides": count_power(one.override_rate, other.override_rate, items),
        "disagreement": count_power(one.disagreement_rate, other.disagreement_rate, items),
        "confidence": mean_power(
            one.confidence, one.confidence_sd, other.confidence, other.confidence_sd, items
        ),
        "gold checks": count_power(one.error_rate, other.error_rate, checks),
    }


def count_power(healthy: float, attacked: float, items: int, level: float = LEVEL) -> float:
    """The chance of an alarm where more of `items` items are marked than in health.

    K ~ Bin(n, p), p the rate. With c the least number for which P0(K > c) <= level, and
    g = (level - P0(K > c)) / P0(K = c), the alarm is given if K > c, and with chance g if K = c:

        power = P1(K > c) + g P1(K = c)

    >>> round(count_power(0.0, 0.5, 5), 4), count_power(0.2, 0.2, 100)
    (0.9703, 0.05)
    """
    if np.isnan(healthy + attacked):
        return level
    above = bisect_left(
        range(items + 1), True, key=lambda c: bool(bdtrc(c, items, healthy) <= level)
    )
    rates = np.array([healthy, attacked])
    beyond = bdtrc(above, items, rates)
    just = bdtrc(above - 1, items, rates) - beyond
    luck = (level - beyond[0]) / just[0]
    # Written as a gain, so that equal rates give the level to the last bit.
    gain = beyond[1] - beyond[0] + luck * (just[1] - just[0])
    return float(np.clip(level + gain, 0, 1))


def mean_power(
    healthy: float,
    healthy_sd: float,
    attacked: float,
    attacked_sd: float,
    items: int,
    level: float = LEVEL,
) -> float:
    """The chance of an alarm where the mean of `items` items is lower than in health.

    The alarm is given below m0 + z s0 / sqrt(n), z = Phi^-1(level); m1, s1 under attack:

        power = Phi((m0 - m1) sqrt(n) / s1 + z s0 / s1)

    Where s1 = 0 the mean is m1: an alarm for sure, or never; on the threshold, with chance level.

    >>> mean_power(0.9, 0.1, 0.9, 0.1, 100), mean_power(0.9, 0.0, 0.8, 0.0, 1)
    (0.05, 1.0)
    """
    fall = (healthy - attacked) * items**0.5
    z = ndtri(level)
    if np.isnan(fall + healthy_sd + attacked_sd) or not items:
        return level
    if attacked_sd > ROUNDING:
        place = fall / attacked_sd + z * (healthy_sd / attacked_sd)
        return float(np.clip(level + (ndtr(place) - ndtr(z)), 0, 1))
    margin = fall + z * healthy_sd
    return level if abs(margin) <= ROUNDING else float(margin > 0)


def checks_needed(
    healthy_error: float, attacked_error: float, power: float = 0.95, level: float = LEVEL
) -> int | None:
    """The fewest gold checks that show an attack with this power; None where no number will do,
    since labels are not more often wrong under attack. Power rises with the number of checks.

    Above a million checks it is the number of the normal law, with p0 and p1 the error rates:

        k = ((z_level s0 + z_power s1) / (p1 - p0))^2,  s = sqrt(p (1 - p))

    Raises ValueError unless 0 < level < power < 1.

    >>> checks_needed(0.0, 0.5), checks_needed(0.1, 0.1)
    (5, None)
    """
    if not 0 < level < power < 1:
        raise ValueError(f"power {power} at level {level}; expected 0 < level < power < 1")
    if not attacked_error - healthy_error > ROUNDING:
        return None
    number = 1 + bisect_left(
        range(1, EXACT + 1),
        True,
        key=lambda checks: count_power(healthy_error, attacked_error, checks, level) >= power,
    )
    if number <= EXACT:
        return number
    rates = np.array([healthy_error, attacked_error])
    spread = np.sqrt(rates * (1 - rates)) @ ndtri([1 - level, power])
    return max(number, int(np.ceil((spread / (attacked_error - healthy_error)) ** 2)))
