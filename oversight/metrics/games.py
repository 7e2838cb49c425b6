"""Finite zero-sum games: overseers choose rows and lose, the strong model chooses columns and gains
(MODEL 10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from oversight.core.claims import FloatArray

GRAIN = 2.0**-40
"""Weights are whole multiples of it, so that they sum to exactly 1 in any order."""
LEAST = 1e-9
"""A smaller weight is an error of rounding, and 0."""
CLOSE = 1e-10
"""How closely constraints are kept, the least that the solver allows."""


@dataclass(frozen=True)
class Equilibrium:
    """Mixtures of a game from which neither side gains by deviating.

    value    the expected loss
    rows     weights of the rows, (rows,): >= 0, sum exactly 1; they make the worst loss least
    columns  weights of the columns, (columns,), likewise; they make the least loss highest
    """

    value: float
    rows: FloatArray
    columns: FloatArray


def solve(losses: FloatArray) -> Equilibrium:
    """An equilibrium by linear programs (von Neumann 1928), to about 1e-9 of the range of losses.

    losses  (rows, columns), at least one of either; finite

    Where many mixtures are in equilibrium, it is one of them, the same in every run. Raises
    ValueError for losses that are no such matrix.

    >>> pennies = solve(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> pennies.value, pennies.rows.tolist(), pennies.columns.tolist()
    (0.5, [0.5, 0.5], [0.5, 0.5])
    """
    if losses.ndim != 2 or not losses.size or not np.isfinite(losses).all():
        raise ValueError("expected a matrix of finite losses, with a row and a column at least")
    rows, columns = _least_worst(losses), _least_worst(-losses.T)
    return Equilibrium(float(rows @ losses @ columns), rows, columns)


def _least_worst(losses: FloatArray) -> FloatArray:
    """The mixture of rows whose highest expected loss over columns is least."""
    count, columns = losses.shape
    low, span = losses.min(), np.ptp(losses)
    if span == 0:  # all the same: nothing to mix
        return np.asarray(np.eye(count)[0])
    # minimize v over p and v, with p @ losses <= v, p >= 0 and sum p = 1
    scaled = (losses - low) / span
    result = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.hstack([scaled.T, -np.ones((columns, 1))]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(count), 0.0)[None],
        b_eq=[1.0],
        method="highs",
        options={"primal_feasibility_tolerance": CLOSE, "dual_feasibility_tolerance": CLOSE},
    )
    if result.x is None or not result.success:
        raise ValueError(f"the game cannot be result: {result.message}")
    weights = np.where(result.x[:count] < LEAST, 0.0, np.round(result.x[:count] / GRAIN) * GRAIN)
    weights[np.argmax(weights)] += 1 - weights.sum()
    return np.asarray(weights)


def exploitability(
    losses: FloatArray, rows: FloatArray, columns: FloatArray, value: float
) -> float:
    """The most that either side gains by leaving its mixture while the other keeps to its own.

    losses         (rows, columns): all that either side may turn to
    rows, columns  weights, (rows,) and (columns,)
    value          the expected loss at these mixtures

    At least 0; 0 in equilibrium, but for rounding.

    >>> one, pennies = np.array([1.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> exploitability(pennies, one, one, 0.0)
    1.0
    """
    gains = (np.max(rows @ losses) - value, value - np.min(losses @ columns))
    return float(max(*gains, 0.0))


def price_of_robustness(losses: FloatArray, honest: int) -> float:
    """What it costs to be sure: the least worst loss of a row, less the least loss in the honest
    column.

    losses  (rows, columns)
    honest  place of the column in which nobody lies

    At least 0; 0 where every row is constant.

    >>> price_of_robustness(np.array([[0.25, 1.0], [0.5, 0.5]]), honest=0)
    0.25
    """
    return float(losses.max(axis=1).min() - losses[:, honest].min())
