"""Reward models: probes fitted to an overseer's judgments of a sample of claims (MODEL 5)."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import logit

from oversight.components.component import Component
from oversight.core.claims import Claims, FloatArray
from oversight.core.streams import gather
from oversight.students.probe import fit_probes
from oversight.worlds.base import Pool


class RewardModel(Component):
    """A logistic probe on what is seen of claims of one height, fitted to soft labels.

    Its evidence is its log-odds minus the logit of its mean training label, so that the height's
    prior is not counted again.
    """

    name: ClassVar[str] = "reward model"

    l2: float = 1.0

    _pool: Pool | None = None
    _weights: FloatArray | None = None
    _offset: float = 0.0

    def fit(self, pool: Pool, claims: Claims, labels: FloatArray) -> Self:
        """A copy fitted to one-dimensional claims of one height and beliefs about them, in [0,
        1]."""
        weights, intercept = fit_probes(pool.features(claims), labels[:, None], l2=self.l2)
        fitted = self.model_copy()
        fitted._pool, fitted._weights = pool, weights[:, 0]
        mean = float(np.clip(labels.mean(), 1e-6, 1 - 1e-6))
        fitted._offset = float(intercept[0]) - float(logit(mean))
        return fitted

    def evidence(self, claims: Claims) -> FloatArray:
        """Log likelihood ratio of each claim, over claims of the height it was fitted for."""
        return gather(claims, self._column)

    def _column(self, node: int) -> FloatArray:
        # Over the whole pool, so that no number depends on the batch it is asked in.
        assert self._pool is not None
        assert self._weights is not None
        everyone = Claims.of(self._pool.everyone, node)
        return np.asarray(self._pool.features(everyone) @ self._weights + self._offset)
