"""A linear probe on the representation, with as much capacity as the scenario gives it (MODEL
6)."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.config import Amount
from oversight.core.streams import stream
from oversight.students.base import Student
from oversight.students.least_squares import fit_least_squares
from oversight.students.probe import fit_probes

LEAST = 0.01
"""The share of the labels' variance that a regression leaves unexplained, at least."""


class FittedProbes(NamedTuple):
    """Linear probes: weights (features, columns) and intercepts (columns,)."""

    weights: FloatArray
    intercepts: FloatArray

    def log_odds(self, column: int, x: FloatArray) -> FloatArray:
        """As `Fitted.log_odds`."""
        # A column at a time: the last bits of a product depend on how many columns it has.
        return np.asarray(x @ self.weights[:, column].copy() + self.intercepts[column])


class LinearStudent(Student):
    """A linear probe on x: L2 logistic regression, or ridge regression with `loss: squared`.
    `features: k` lets it see a random k-dimensional view of x.

    The regression is on +1 and -1 (soft labels lie between). Its value f, read as Fisher's
    discriminant, has the log-odds 2 f / (1 - R^2), where R^2, the mean of f^2 over its labels, is
    what it explains of hard labels.
    """

    kind: Literal["linear"] = "linear"
    loss: Literal["cross-entropy", "squared"] = "cross-entropy"
    labels: Literal["soft", "hard"] = "soft"
    features: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        None, description="dimensions of the representation that it sees; all if left out"
    )
    l2: Amount = Field(
        1.0, description="penalty on weights, over the sum of losses; scikit-learn's 1 / C"
    )

    def problem(self, width: int) -> str | None:
        if self.features is not None and self.features > width:
            return (
                f"{self.features} features of a representation that has {width}; expected "
                f"at most {width}"
            )
        return None

    @property
    def on_gold(self) -> LinearStudent:
        """The logistic probe, whatever the loss."""
        if self.loss == "cross-entropy":
            return self
        return self.model_copy(update={"loss": "cross-entropy"})

    def views(self, seed: int, replicate: int, *pools: FloatArray) -> list[FloatArray]:
        """What the student sees of each pool's x: one random orthonormal projection a replicate."""
        if self.features is None:
            return list(pools)
        generator = stream(seed, "replicate", replicate, "student's view")
        basis, _ = np.linalg.qr(generator.standard_normal((pools[0].shape[1], self.features)))
        return [x @ basis for x in pools]

    def targets(self, belief: FloatArray, answer: BoolArray) -> FloatArray:
        """Training targets in [0, 1] from an overseer's beliefs or answers, as `labels` says."""
        return belief if self.labels == "soft" else answer.astype(np.float64)

    def fit(
        self, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
    ) -> FittedProbes:
        if self.loss == "cross-entropy":
            return FittedProbes(*fit_probes(x, targets, l2=self.l2, weights=weights))
        slopes, intercepts = fit_least_squares(x, 2 * targets - 1, l2=self.l2, weights=weights)
        for column in range(targets.shape[1]):
            values = FittedProbes(slopes, intercepts).log_odds(column, x)
            own = None if weights is None else weights[:, column]
            if own is None or own.any():
                factor = 2 / max(1 - float(np.average(values**2, weights=own)), LEAST)
                slopes[:, column] *= factor
                intercepts[column] *= factor
        return FittedProbes(slopes, intercepts)
