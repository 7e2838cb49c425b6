"""Evidence put before an overseer: arguments read, and a reward model's report. Opaque to
mechanisms, read by people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from oversight.core.claims import BoolArray, FloatArray, IntArray, lock


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

    def __post_init__(self) -> None:
        lock(self, "side", "strength", "count")

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

    def __post_init__(self) -> None:
        lock(self, "report")

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
