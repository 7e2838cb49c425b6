"""Zero-sum games: closed forms, a referee, and laws that hold in every game."""

from __future__ import annotations

import math
from functools import cache

import nashpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oversight import FloatArray
from oversight.metrics.games import exploitability, price_of_robustness, solve

ROUNDING = 1e-8
"""Of a linear program, in games whose losses lie between 0 and 1."""

GAMES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1, width=16))
)
"""Small games; values of few digits make ties, duplicates and constant rows common."""


def check(losses: FloatArray) -> float:
    """Solve a game, and prove that the solution is one: neither side gains by deviating."""
    found = solve(losses)
    for weights in (found.rows, found.columns):
        assert (weights >= 0).all()
        assert not ((weights > 0) & (weights < 1e-9)).any()
        assert sum(weights.tolist()) == 1 == sum(reversed(weights.tolist()))
    gain = exploitability(losses, found.rows, found.columns, found.value)
    assert 0 <= gain < ROUNDING
    return found.value


@pytest.mark.parametrize("seed", range(20))
def test_two_by_two(seed: int) -> None:
    """No saddle point: value (a d - b c) / (a + d - b - c), by hand."""
    low, high = np.random.default_rng(seed).uniform((0, 0.5), (0.5, 1), (2, 2)).T
    (a, d), (b, c) = low, high
    losses = np.array([[a, b], [c, d]])
    found = solve(losses)
    whole = a + d - b - c
    assert found.value == pytest.approx((a * d - b * c) / whole, abs=ROUNDING)
    assert found.rows == pytest.approx([(d - c) / whole, (a - b) / whole], abs=ROUNDING)
    assert found.columns == pytest.approx([(d - b) / whole, (a - c) / whole], abs=ROUNDING)


def test_a_saddle_point_is_found() -> None:
    losses = np.array([[0.4, 0.1], [0.5, 0.9]])
    found = solve(losses)
    assert found.value == 0.4
    assert found.rows.tolist() == [1, 0]
    assert found.columns.tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", [(2, 4), (4, 3), (5, 5)])
def test_a_referee_agrees(seed: int, shape: tuple[int, int]) -> None:
    """Mixtures of random games have one equilibrium; nashpy finds it by its vertices."""
    losses = np.random.default_rng(seed).uniform(size=shape)
    rows, columns = next(iter(nashpy.Game(-losses).vertex_enumeration()))
    found = solve(losses)
    assert found.value == pytest.approx(rows @ losses @ columns, abs=ROUNDING)
    assert found.rows == pytest.approx(rows, abs=1e-6)
    assert found.columns == pytest.approx(columns, abs=1e-6)


@pytest.mark.parametrize("shape", [(12, 30), (60, 40), (150, 150)])
def test_large_games(shape: tuple[int, int]) -> None:
    losses = np.random.default_rng(7).normal(size=shape)
    check((losses - losses.min()) / np.ptp(losses))


@pytest.mark.parametrize(
    ("losses", "value"),
    [
        ([[0.3]], 0.3),
        ([[0.2, 0.7, 0.7]], 0.7),
        ([[0.2], [0.7], [0.2]], 0.2),
        ([[0.5, 0.5], [0.5, 0.5]], 0.5),
        ([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], 0.5),
        ([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], 0.5),
        ([[1e6, 1e6 + 1e-3], [1e6 + 1e-3, 1e6]], 1e6 + 5e-4),
    ],
)
def test_degenerate_games(losses: list[list[float]], value: float) -> None:
    found = solve(np.array(losses))
    assert found.value == pytest.approx(value, abs=ROUNDING)
    assert found.rows.sum() == found.columns.sum() == 1


@pytest.mark.parametrize("losses", [np.zeros((0, 2)), np.zeros(3), np.array([[np.nan]])])
def test_what_is_no_game_is_refused(losses: FloatArray) -> None:
    with pytest.raises(ValueError, match="matrix of finite losses"):
        solve(losses)


@cache
def inspection(stages: int, inspections: int) -> float:
    """What the inspector gets, stage by stage, each stage a game of two by two."""
    if inspections >= stages:
        return 0.0
    if inspections == 0:
        return -1.0
    # rows: inspect, or not; columns: attack, or wait
    spent, kept = inspection(stages - 1, inspections - 1), inspection(stages - 1, inspections)
    return -solve(-np.array([[1.0, spent], [-1.0, kept]])).value


@pytest.mark.parametrize("stages", range(2, 7))
def test_the_inspection_game(stages: int) -> None:
    """Dresher 1962: -C(n - 1, k) / sum over i <= k of C(n, i)."""
    for inspections in range(stages):
        ways = sum(math.comb(stages, i) for i in range(inspections + 1))
        closed = -math.comb(stages - 1, inspections) / ways
        assert inspection(stages, inspections) == pytest.approx(closed, abs=ROUNDING)


@given(GAMES)
def test_the_value_lies_between_the_pure_ones(losses: FloatArray) -> None:
    value = check(losses)
    assert losses.min(axis=0).max() - ROUNDING <= value <= losses.max(axis=1).min() + ROUNDING


@given(GAMES, st.integers(0, 4), st.floats(0, 1, width=16))
def test_a_dominated_row_changes_no_value(losses: FloatArray, row: int, worse: float) -> None:
    more = np.vstack([losses, losses[row % len(losses)] + worse])
    assert check(more) == pytest.approx(check(losses), abs=ROUNDING)


@given(GAMES, st.integers(0, 4))
def test_more_columns_never_help_the_overseers(losses: FloatArray, kept: int) -> None:
    fewer = losses[:, : 1 + kept % losses.shape[1]]
    assert (fewer.max(axis=1) <= losses.max(axis=1)).all()
    assert check(fewer) <= check(losses) + ROUNDING


@given(GAMES, st.integers(0, 4))
def test_the_price_of_robustness(losses: FloatArray, honest: int) -> None:
    honest %= losses.shape[1]
    assert price_of_robustness(losses, honest) >= 0
    constant = np.repeat(losses[:, :1], 3, axis=1)
    assert price_of_robustness(constant, 1) == 0


def test_deviating_from_what_is_no_equilibrium_pays() -> None:
    losses = np.array([[0.0, 1.0], [1.0, 0.0]])
    first = np.array([1.0, 0.0])
    assert exploitability(losses, first, np.array([0.5, 0.5]), 0.5) == 0.5
    assert exploitability(losses, np.array([0.5, 0.5]), first, 0.5) == 0.5
