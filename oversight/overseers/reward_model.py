"""Reward models: probes fitted to an overseer's judgments of a sample of claims (MODEL 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, SkipValidation
from scipy.special import logit

from oversight.components.component import Component
from oversight.core.claims import Claims, FloatArray
from oversight.core.streams import gather
from oversight.students.probe import fit_probes
from oversight.worlds.base import Pool


@dataclass(frozen=True)
class Probe:
    """A fitted probe: evidence about a claim is its features times `weights`, plus `offset`."""

    pool: Pool
    weights: FloatArray
    offset: float


class RewardModel(Component):
    """A logistic probe on the features of claims of one height, fitted to soft labels.

    Its evidence is its log-odds minus the logit of its mean training label, so that the prior of
    the height does not count twice.
    """

    name: ClassVar[str] = "reward model"
    can_play: ClassVar[tuple[str, ...]] = ("reward_model",)
    STATE: ClassVar[frozenset[str]] = Component.STATE | {"probe"}

    l2: float = 1.0
    probe: SkipValidation[Probe | None] = Field(None, exclude=True, repr=False)

    def fit(self, pool: Pool, claims: Claims, labels: FloatArray) -> Self:
        """A copy fitted to one-dimensional claims of one height and beliefs about them, in [0,
        1]."""
        weights, intercept = fit_probes(pool.features(claims), labels[:, None], l2=self.l2)
        mean = float(np.clip(labels.mean(), 1e-6, 1 - 1e-6))
        probe = Probe(pool, weights[:, 0], float(intercept[0]) - float(logit(mean)))
        return self.model_copy(update={"probe": probe})

    def evidence(self, claims: Claims) -> FloatArray:
        """Log likelihood ratio of each claim, over claims of the height it was fitted for. Raises
        RuntimeError before `fit`."""
        return gather(claims, self._column)

    def _column(self, node: int) -> FloatArray:
        # Over the whole pool, so that no number depends on the batch of claims.
        if (probe := self.probe) is None:
            raise RuntimeError("reward model: call fit(pool, claims, labels) first")
        features = probe.pool.features(probe.pool.claims(node))
        return np.asarray(features @ probe.weights + probe.offset)
