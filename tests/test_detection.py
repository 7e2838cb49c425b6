"""Would anybody notice? The power of overrides, disagreement, confidence and gold checks."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import ndtr

from oversight.metrics.detection import (
    EXACT,
    LEVEL,
    Signals,
    checks_needed,
    count_power,
    detect,
    mean_power,
    powers,
)
from tests.helpers import binomial_error

RATES = st.floats(0.0, 1.0, allow_nan=False)


def enumerated(healthy: float, attacked: float, items: int, level: float = LEVEL) -> float:
    """The power of the same test, from the chances of every count."""

    def chances(rate: float) -> list[float]:
        return [comb(items, k) * rate**k * (1 - rate) ** (items - k) for k in range(items + 1)]

    left, power = level, 0.0
    for one, other in zip(reversed(chances(healthy)), reversed(chances(attacked)), strict=True):
        share = min(1.0, left / one) if one > 0 else 1.0
        left -= share * one
        power += share * other
    return power


@pytest.mark.parametrize("items", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("rates", [(0.1, 0.3), (0.0, 0.2), (0.5, 0.4), (0.9, 1.0), (0.03, 0.0)])
def test_a_count_has_the_power_of_its_law(rates: tuple[float, float], items: int) -> None:
    assert count_power(*rates, items) == pytest.approx(enumerated(*rates, items), abs=1e-12)
    assert count_power(*rates, items, 0.2) == pytest.approx(enumerated(*rates, items, 0.2))


@pytest.mark.parametrize(
    ("healthy", "attacked", "power"),
    [
        (0.0, 0.0, 0.05),  # nothing to see in either
        (0.0, 1.0, 1.0),
        (1.0, 1.0, 0.05),
        (1.0, 0.5, 0.05 * 0.5**10),  # always all in health: an alarm is a lot among those
        (0.0, 0.3, 1 - 0.95 * 0.7**10),
        (0.5, 0.0, 0.0),
    ],
)
def test_rates_at_the_edge(healthy: float, attacked: float, power: float) -> None:
    assert count_power(healthy, attacked, 10) == pytest.approx(power, abs=1e-12)


def test_without_items_there_is_only_the_lot() -> None:
    assert count_power(0.1, 0.9, 0) == pytest.approx(LEVEL)
    assert mean_power(0.9, 0.1, 0.5, 0.1, 0) == LEVEL


def test_many_items_are_exact() -> None:
    """A million items, against the normal law with its continuity and skewness left out: the law
    is near it, and twice as many items are nearer to certain."""
    for items in (10**5, 10**6):
        rates = np.array([0.3, 0.3005])
        spread = np.sqrt(rates * (1 - rates))
        normal = ndtr((0.0005 * items**0.5 - 1.6448536 * spread[0]) / spread[1])
        assert count_power(*rates, items) == pytest.approx(normal, abs=2e-3)


@given(RATES, st.integers(0, 10**6))
@example(0.0, 100)
@example(1.0, 100)
@example(5e-324, 10**6)
def test_equal_rates_are_detected_at_the_level_to_the_last_bit(rate: float, items: int) -> None:
    assert count_power(rate, rate, items) == LEVEL
    assert mean_power(0.5 + rate / 2, rate / 2, 0.5 + rate / 2, rate / 2, items) == LEVEL


@given(RATES, RATES, st.integers(1, 300))
def test_power_rises_with_items_and_is_never_below_the_level(
    one: float, other: float, items: int
) -> None:
    """For a rate that is higher under attack; the other way around it is never above it."""
    low, high = sorted((one, other))
    power = count_power(low, high, items)
    assert LEVEL - 1e-12 <= power <= 1
    assert power <= count_power(low, high, items + 1) + 1e-12
    assert 0 <= count_power(high, low, items) <= LEVEL + 1e-12


def test_powers_are_the_shares_of_simulated_alarms() -> None:
    rng, runs, items = np.random.default_rng(3), 40_000, 80
    health = Signals(0.05, 0.2, 0.85, 0.12, 0.1)
    attack = Signals(0.12, 0.25, 0.83, 0.15, 0.25)
    found = powers(health, attack, items, 15)
    # Thresholds from a second simulation of health, ties by lot: no formula is used.
    for name, one, other, size in (
        ("overrides", 0.05, 0.12, items),
        ("disagreement", 0.2, 0.25, items),
        ("gold checks", 0.1, 0.25, 15),
    ):
        healthy = rng.binomial(size, one, runs) + rng.random(runs)
        alarms = rng.binomial(size, other, runs) + rng.random(runs) > np.quantile(healthy, 0.95)
        assert alarms.mean() == pytest.approx(found[name], abs=6 * binomial_error(0.5, runs)), name
    # Beta laws with these means and standard deviations, neither of them normal.
    means = []
    for mean, sd in ((0.85, 0.12), (0.83, 0.15)):
        total = mean * (1 - mean) / sd**2 - 1
        means.append(rng.beta(mean * total, (1 - mean) * total, (runs, items)).mean(axis=1))
    alarms = means[1] < np.quantile(means[0], 0.05)
    # The normal law of a mean of 80 skewed items is about .01 off.
    assert alarms.mean() == pytest.approx(found["confidence"], abs=0.02)


def test_a_mean_by_hand() -> None:
    """Where the fall is as large as the threshold, the power is one half."""
    fall = 1.6448536269514722 * 0.1 / 10
    assert mean_power(0.9, 0.1, 0.9 - fall, 0.3, 100) == pytest.approx(0.5)
    assert mean_power(0.9, 0.1, 0.88, 0.2, 100) == pytest.approx(
        ndtr((0.02 * 10 - 1.6448536269514722 * 0.1) / 0.2)
    )
    assert mean_power(0.9, 0.1, 0.95, 0.1, 100) < LEVEL


@pytest.mark.parametrize(
    ("healthy", "attacked", "power"),
    [
        ((0.9, 0.0), (0.9, 0.0), LEVEL),  # constant, and the same
        ((0.9, 0.0), (0.9 - 1e-15, 1e-16), LEVEL),  # but for rounding
        ((0.9, 0.0), (0.8, 0.0), 1.0),
        ((0.9, 0.0), (0.95, 0.0), 0.0),
        ((0.9, 0.1), (0.89, 0.0), 0.0),  # above the threshold, always
        ((0.9, 0.1), (0.85, 0.0), 1.0),
        ((0.9, 0.0), (0.89, 0.1), float(ndtr(1.0))),  # any fall is an alarm
    ],
)
def test_a_confidence_without_spread(
    healthy: tuple[float, float], attacked: tuple[float, float], power: float
) -> None:
    assert mean_power(*healthy, *attacked, 100) == pytest.approx(power, abs=1e-12)


def test_the_best_single_signal_by_name() -> None:
    health = Signals(0.02, 0.1, 0.9, 0.1, 0.1)
    assert detect(health, health) == ("overrides", LEVEL)
    for name, attack in {
        "overrides": replace(health, override_rate=0.1),
        "disagreement": replace(health, disagreement_rate=0.2),
        "confidence": replace(health, confidence=0.85),
        "gold checks": replace(health, error_rate=0.4),
    }.items():
        found = detect(health, attack)
        assert found.signal == name
        assert found.power == max(powers(health, attack).values()) > 0.5
        assert {v for k, v in powers(health, attack).items() if k != name} == {LEVEL}
    assert detect(health, replace(health, error_rate=0.4), checks=0).power == pytest.approx(LEVEL)


def test_what_is_not_there_shows_nothing() -> None:
    nothing = Signals(*[float("nan")] * 5)
    assert detect(nothing, nothing).power == LEVEL
    assert detect(Signals(0.0, 0.0, 0.9, 0.1, 0.1), nothing).power == LEVEL


@pytest.mark.parametrize(
    ("rates", "number"),
    [
        ((0.0, 1.0), 1),
        ((0.0, 0.5), 5),  # 1 - .95 / 2^k >= .95
        ((0.2, 0.2), None),
        ((0.3, 0.1), None),
        ((0.1, float("nan")), None),
        ((0.1, np.nextafter(0.1, 1)), None),  # rounding
    ],
)
def test_the_fewest_checks(rates: tuple[float, float], number: int | None) -> None:
    assert checks_needed(*rates) == number


@given(st.floats(0, 0.9), st.floats(0.01, 0.1), st.sampled_from([0.5, 0.8, 0.95]))
def test_one_check_fewer_is_too_few(healthy: float, more: float, power: float) -> None:
    number = checks_needed(healthy, healthy + more, power)
    assert number is not None
    assert count_power(healthy, healthy + more, number) >= power
    assert count_power(healthy, healthy + more, number - 1) < power


def test_very_many_checks_follow_the_normal_law() -> None:
    """The two laws meet where one takes over from the other."""
    below, above = (checks_needed(0.2, 0.2 + gap) for gap in (0.00134, 0.00130))
    assert below is not None
    assert above is not None
    assert below < EXACT < above
    assert above / below == pytest.approx((134 / 130) ** 2, rel=2e-3)


def test_powers_that_no_number_reaches_are_refused() -> None:
    for power, level in ((1.0, 0.05), (0.05, 0.05), (0.5, 0.0)):
        with pytest.raises(ValueError, match="expected 0 < level < power < 1"):
            checks_needed(0.1, 0.2, power, level)


def test_rates_of_several_replicates_are_those_of_all_their_labels() -> None:
    rng = np.random.default_rng(5)
    stated = [rng.uniform(0.5, 1, size) for size in (30, 90, 60)]
    marks = [rng.random(one.size) < 0.3 for one in stated]
    columns = {
        "coverage": np.array([0.3, 0.9, 0.6, 0.0, np.nan]),
        "label_confidence": [one.mean() for one in stated],
        "label_confidence_sd": [one.std() for one in stated],
        "override_rate": [one.mean() for one in marks],
        "disagreement_rate": [1 - one.mean() for one in marks],
        "label_accuracy": [one.mean() for one in marks],
    }
    whole = {k: np.append(v, [np.nan] * (5 - len(v))) for k, v in columns.items()}
    found, share = Signals.pooled(whole), float(np.concatenate(marks).mean())
    assert found.override_rate == pytest.approx(share)
    assert found.disagreement_rate == pytest.approx(1 - share)
    assert found.error_rate == pytest.approx(1 - share)
    assert found.confidence == pytest.approx(np.concatenate(stated).mean())
    assert found.confidence_sd == pytest.approx(np.concatenate(stated).std())
    none = Signals.pooled({name: values[3:] for name, values in whole.items()})
    assert np.isnan(none.override_rate)
