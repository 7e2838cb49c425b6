"""Evidence put before an overseer: arguments read, and a reward model's report. Opaque to
mechanisms, read by people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import chdtri, ndtri

from oversight.components.profiles import Minutes
from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.core.config import Amount, Count, Share, Strict
from oversight.core.streams import Chance


@dataclass(frozen=True, slots=True)
class Argument:
    """What one side said: which side ("the claim is true"), how strong it struck the judge, what
    that moves.

    side      bool over claims
    strength  perceived strength p over claims, summed over the arguments
    gain      log-odds per unit of strength
    count     how many arguments it is made of, over claims or for all; each is read
    who       whose it is
    split     makes the strength of each argument apart, where somebody asks; see `parts`
    """

    side: BoolArray
    strength: FloatArray
    gain: float
    count: int | FloatArray = 1
    who: str = ""
    split: Callable[[], tuple[FloatArray, ...]] | None = None

    @property
    def push(self) -> FloatArray:
        """Log-odds toward "true"."""
        return np.asarray(self.gain * np.where(self.side, self.strength, -self.strength))

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """The strength of each argument in turn; they add up to the whole."""
        if self.split is not None:
            return self.split()
        turns = int(np.max(self.count))
        return tuple(self.strength / turns for _ in range(turns))


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was put forward about some claims so far.

    arguments  in the order they were made; each is read, at the cost of `argument` minutes
    report     log-odds toward "true" from an aid (a reward model), already weighed by trust; 0.0
               for none
    aids       how many aids were consulted, each at the cost of `aid` minutes
    """

    arguments: tuple[Argument, ...] = ()
    report: FloatArray | float = 0.0
    aids: int = 0

    @property
    def push(self) -> FloatArray:
        """Log-odds toward "true" of everything together."""
        return np.asarray(self.report + sum((a.push for a in self.arguments), np.float64(0.0)))

    def __add__(self, more: Evidence | None) -> Evidence:
        if more is None:
            return self
        return Evidence(
            self.arguments + more.arguments, self.report + more.report, self.aids + more.aids
        )

    def at(self, index: IntArray | BoolArray, shape: tuple[int, ...]) -> Evidence:
        """The evidence about some of the claims, whose shape is given, numbered as if flat."""

        def chosen(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return np.broadcast_to(values, shape).reshape(-1)[index]

        def argument(a: Argument) -> Argument:
            count = a.count if isinstance(a.count, int) else chosen(a.count)
            return replace(
                a,
                side=chosen(a.side),
                strength=chosen(a.strength),
                count=count,
                split=lambda: tuple(chosen(part) for part in a.parts),
            )

        report = chosen(np.asarray(self.report))
        return Evidence(tuple(argument(a) for a in self.arguments), report, self.aids)


def reading_minutes(minutes: Minutes, evidence: Evidence | None) -> float | FloatArray:
    """What reading the evidence costs a person, a claim."""
    if evidence is None:
        return 0.0
    read: float | FloatArray = sum(argument.count for argument in evidence.arguments)
    return minutes.argument * read + minutes.aid * evidence.aids


class Arguing(Strict):
    """How arguments work (MODEL 5): knobs shared by every mechanism in which U argues."""

    candidates: Count = Field(
        1, description="arguments U drafts for each one it makes; it makes the best"
    )
    evidence: Amount = Field(
        0.5, description="mean evidence mu for the side U believes, in standard deviations"
    )
    discernment: Share = Field(
        0.5, description="how far the judge perceives evidence rather than rhetoric, c"
    )
    gain: Amount = Field(0.6, description="log-odds moved per unit of perceived strength")


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
