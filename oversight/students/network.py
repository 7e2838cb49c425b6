"""Nets of one hidden layer or none, for many label sets at once: answers, gradients, steps.

Every product is of one column, or of a block of fixed width, so that a column's last bits depend on
no other column.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np

from oversight.core.claims import FloatArray
from oversight.students.probe import BLOCK

Activation = Literal["relu", "tanh"]
GAIN = {"relu": 2.0, "tanh": 1.0}
"""Variance of what enters a hidden unit at the start, for unit features (He et al. 2015)."""
ROWS = 512
"""Items whose hidden units are worked out together where only the answers are wanted."""


def drawn(generator: np.random.Generator, width: int, units: int, bend: Activation) -> FloatArray:
    """Weights of a first layer as it starts, (width + 1, units), those of the constant last."""
    spread = np.sqrt(GAIN[bend] / (width + 1))
    return np.asarray(spread * generator.standard_normal((width + 1, units)))


def bent(x: FloatArray, bend: Activation) -> None:
    """Put x through the activation, in place."""
    if bend == "relu":
        np.maximum(x, 0.0, out=x)
    else:
        np.tanh(x, out=x)


def slope_of(units: FloatArray, bend: Activation) -> FloatArray:
    """The activation's slope, from what it gives."""
    return np.sign(units) if bend == "relu" else 1.0 - units * units


def with_one(x: FloatArray) -> FloatArray:
    """Features of items and a constant, (items, features + 1)."""
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)


class Net(ABC):
    """A net a column of labels. A last layer starts at 0: no net has an opinion at the start."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[FloatArray, ...]:
        """Arrays of shape (columns, ...), changed in place by `step`."""

    def see(self, x: FloatArray) -> FloatArray:
        """What its trained layers see of items x, (items, features)."""
        return x

    @abstractmethod
    def forward(self, seen: FloatArray) -> FloatArray:
        """Log-odds of a batch, (columns, items), for `gradients` to start from."""

    @abstractmethod
    def gradients(self, seen: FloatArray, slope: FloatArray) -> tuple[FloatArray, ...]:
        """Gradients in the parameters, of a batch that went forward, from the loss's slopes in its
        log-odds, (columns, items)."""

    @abstractmethod
    def answers(self, seen: FloatArray, column: int | None = None) -> FloatArray:
        """Log-odds of items, (columns, items); of one column alone (1, items)."""

    def step(self, seen: FloatArray, slope: FloatArray, rate: float) -> None:
        """A plain step downhill, on a batch that went forward."""
        for parameter, gradient in zip(self.parameters, self.gradients(seen, slope), strict=True):
            gradient *= rate
            parameter -= gradient


class Probe(Net):
    """Only the last layer is trained: on x, or on random features of x.

    parameters  (weights and intercept,): (columns, features + 1)
    """

    def __init__(self, width: int, columns: int, lift: Lift | None = None) -> None:
        self.lift, self.columns = lift, columns
        self._block = np.zeros((BLOCK, (width if lift is None else lift.units) + 1))

    @property
    def parameters(self) -> tuple[FloatArray, ...]:
        return (self._block[: self.columns],)

    def see(self, x: FloatArray) -> FloatArray:
        return x if self.lift is None else self.lift(x)

    def forward(self, seen: FloatArray) -> FloatArray:
        product = self._block[:, :-1] @ seen.T
        return np.asarray(product[: self.columns] + self._block[: self.columns, -1:])

    def gradients(self, seen: FloatArray, slope: FloatArray) -> tuple[FloatArray, ...]:
        block = np.zeros((BLOCK, slope.shape[1]))
        block[: self.columns] = slope
        gradient = np.concatenate([block @ seen, block.sum(axis=1, keepdims=True)], axis=1)
        return (gradient[: self.columns],)

    def answers(self, seen: FloatArray, column: int | None = None) -> FloatArray:
        if column is None:
            return self.forward(seen)
        own = self._block[column]
        return np.asarray(seen @ own[:-1] + own[-1])[None]


class Hidden(Net):
    """One hidden layer.

    parameters  (first layer, last layer): (columns, features + 1, units), (columns, units + 1)
    """

    def __init__(self, first: FloatArray, columns: int, bend: Activation) -> None:
        self.bend = bend
        self._first = np.repeat(first[None], columns, axis=0)
        self._last = np.zeros((columns, first.shape[1] + 1))

    @property
    def parameters(self) -> tuple[FloatArray, ...]:
        return self._first, self._last

    def see(self, x: FloatArray) -> FloatArray:
        return with_one(x)

    def _units(self, seen: FloatArray, first: FloatArray) -> FloatArray:
        """Hidden units and a constant, (columns, items, units + 1)."""
        units = np.empty((len(first), len(seen), first.shape[2] + 1))
        units[:, :, -1] = 1.0
        np.matmul(seen, first, out=units[:, :, :-1])
        bent(units[:, :, :-1], self.bend)
        return units

    def forward(self, seen: FloatArray) -> FloatArray:
        self._hidden = self._units(seen, self._first)
        return np.asarray(np.matmul(self._hidden, self._last[:, :, None])[:, :, 0])

    def gradients(self, seen: FloatArray, slope: FloatArray) -> tuple[FloatArray, ...]:
        units = self._hidden
        of_last = np.matmul(slope[:, None, :], units)[:, 0]
        back = slope_of(units[:, :, :-1], self.bend)
        back *= self._last[:, None, :-1]
        back *= slope[:, :, None]
        return np.matmul(seen.T, back), of_last

    def answers(self, seen: FloatArray, column: int | None = None) -> FloatArray:
        own = slice(None) if column is None else slice(column, column + 1)
        first, last = (parameter[own] for parameter in self.parameters)
        answers = np.empty((len(first), len(seen)))
        for start in range(0, len(seen), ROWS):
            units = self._units(seen[start : start + ROWS], first)
            answers[:, start : start + ROWS] = np.matmul(units, last[:, :, None])[:, :, 0]
        return answers


class Lift:
    """Random features of items: a first layer that is not trained. Those of the last items that it
    saw are kept, since they are asked for in every epoch."""

    def __init__(self, first: FloatArray, bend: Activation) -> None:
        self.first, self.bend = first, bend
        self._kept: list[tuple[FloatArray, FloatArray]] = []

    @property
    def units(self) -> int:
        """How many features there are."""
        return int(self.first.shape[1])

    def __call__(self, x: FloatArray) -> FloatArray:
        """(items, units)."""
        for known, features in self._kept:
            if known is x:
                return features
        features = np.asarray(x @ self.first[:-1] + self.first[-1])
        bent(features, self.bend)
        self._kept = [*self._kept[-1:], (x, features)]
        return features


def averaged(
    nets: Sequence[Net], seen: Sequence[FloatArray], column: int | None = None
) -> FloatArray:
    """Mean log-odds of an ensemble's members, (columns, items); of one column alone (1, items)."""
    total = nets[0].answers(seen[0], column)
    for net, own in zip(nets[1:], seen[1:], strict=True):
        total = total + net.answers(own, column)
    return total / len(nets)
