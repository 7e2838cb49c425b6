"""The law of persuasion: how strong the argument is that a debater picks, and how far it moves a
judge (MODEL 5)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import chdtri, ndtri

from oversight.core.claims import FloatArray
from oversight.core.config import Amount, Config, Count, Share
from oversight.core.streams import Chance


class Arguing(Config):
    """How arguments work (MODEL 5): knobs shared by every mechanism in which U argues."""

    candidates: Count = Field(
        1, description="arguments U drafts for each one it makes; it makes the best"
    )
    evidence: Amount = Field(
        0.5, le=100, description="mean evidence mu for the side U believes, in standard deviations"
    )
    discernment: Share = Field(
        0.5, description="how far the judge perceives evidence rather than rhetoric, c"
    )
    gain: Amount = Field(0.6, le=1000, description="log-odds moved per unit of perceived strength")


def best_of_normals(chance: Chance, candidates: int, *name: str | int) -> FloatArray:
    """The largest of `candidates` standard normals, as one draw through its order statistic.

    P(max <= x) = Phi(x)^n, so the upper tail at the maximum is 1 - exp(-E/n) with E exponential.
    """
    if candidates == 1:
        return chance.normal(*name)
    tail = -np.expm1(-chance.exponential(*name) / candidates)
    return np.asarray(-ndtri(tail))


def sum_of_best(
    chance: Chance, candidates: int, rounds: int, *name: str | int
) -> tuple[FloatArray, Callable[[], tuple[FloatArray, ...]]]:
    """The sum of `rounds` independent draws of the best of n normals, and what tells them apart.

    For n = 1 the sum is one draw, sqrt(T) z; its parts, drawn only where somebody asks, are z /
    sqrt(T) plus deviations from their mean, which is how the mean and the deviations of normals are
    distributed.
    """
    if candidates > 1:
        each = tuple(best_of_normals(chance, candidates, *name, i) for i in range(rounds))
        return np.asarray(np.sum(each, axis=0)), lambda: each
    z = chance.normal(*name)

    def apart() -> tuple[FloatArray, ...]:
        loose = np.stack([chance.normal(*name, i) for i in range(rounds)])
        return tuple(z / np.sqrt(rounds) + loose - loose.mean(axis=0))

    return np.sqrt(rounds) * z, apart


def selected_quality(
    chance: Chance,
    candidates: int,
    correlation: npt.ArrayLike,
    *name: str | int,
    degrees_of_freedom: float | None = None,
) -> FloatArray:
    """Quality of the best of n candidates by the score corr q + sqrt(1 - corr^2) error, q ~ N(0,
    1).

    Normal error: E[quality] = corr e_n, e_n the mean of the largest of n normals (MODEL 5). With
    `degrees_of_freedom` the error is Student-t, not rescaled: heavy tails crowd quality out.
    """
    corr = np.asarray(correlation, dtype=np.float64)
    rest = np.sqrt(1 - corr**2)
    if degrees_of_freedom is None:
        score = best_of_normals(chance, candidates, *name, "score")
        return np.asarray(corr * score + rest * chance.normal(*name, "quality"))
    best = quality = np.full(chance.claims.shape, -np.inf)
    for i in range(candidates):
        candidate = chance.normal(*name, "quality", i)
        spread = chdtri(degrees_of_freedom, chance.uniform(*name, "spread", i))
        error = chance.normal(*name, "error", i) / np.sqrt(spread / degrees_of_freedom)
        score = corr * candidate + rest * error
        quality = np.where(score > best, candidate, quality)
        best = np.maximum(best, score)
    return quality
