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
from oversight.students.probe import fit_probes


class FittedProbes(NamedTuple):
    """Linear probes: weights (features, columns) and intercepts (columns,)."""

    weights: FloatArray
    intercepts: FloatArray

    def log_odds(self, column: int, x: FloatArray) -> FloatArray:
        """As `Fitted.log_odds`."""
        # A column at a time: the last bits of a product depend on how many columns it has.
        return np.asarray(x @ self.weights[:, column].copy() + self.intercepts[column])


class LinearStudent(Student):
    """L2 logistic regression on x. `features: k` lets it see a random k-dimensional view of x."""

    kind: Literal["linear"] = "linear"
    loss: Literal["cross-entropy"] = "cross-entropy"
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
        return FittedProbes(*fit_probes(x, targets, l2=self.l2, weights=weights))
