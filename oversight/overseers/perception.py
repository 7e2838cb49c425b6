"""How people and models see a claim: through noise and a misconception that they share (MODEL 3,
4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field
from scipy.optimize import brentq
from scipy.special import expit, log_ndtr, logit, ndtr

from oversight.components.component import Overseer
from oversight.components.profiles import (
    CLEAREST,
    Accuracy,
    ByHeight,
    accuracy_by_node,
    accuracy_problem,
)
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray, Verdicts
from oversight.core.config import Share
from oversight.core.evidence import Evidence
from oversight.worlds.base import Pool, Setting


def logit_phi(x: FloatArray) -> FloatArray:
    """logit Phi(x), from the tail so that nothing is lost where Phi rounds to 1."""
    x = np.asarray(x)
    tail = np.asarray(ndtr(-np.abs(x)))
    deep = tail < 1e-290 if tail.min(initial=1.0) < 1e-290 else None
    if deep is not None:
        tail[deep] = 0.5
    size = np.asarray(np.log1p(-tail))
    size -= np.log(tail)
    if deep is not None:
        size[deep] = -log_ndtr(-np.abs(x[deep]))
    return np.asarray(np.copysign(size, x, out=size))


def moved_accuracy(right: FloatArray, sd: float, by: float) -> FloatArray:
    """The accuracy by node of somebody whose log-odds lie `by` from those of a middling person,
    among people who differ by `sd` and are right with chance `right` on average."""
    apart = np.unique(right)
    moved = [_moved(float(accuracy), sd, by) for accuracy in apart]
    return np.asarray(np.array(moved)[np.searchsorted(apart, right)])


@lru_cache(4096)
def _center(right: float, sd: float) -> float:
    """The log-odds of a middling person, for which the mean accuracy over people is `right`."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()

    def off(center: float) -> float:
        return float(weights @ expit(center + sd * nodes)) - right

    middle = float(logit(right))
    return float(brentq(off, middle - 1, middle + 1 + 2 * sd**2 + 4 * sd, xtol=1e-12))


def _moved(right: float, sd: float, by: float) -> float:
    return right if right >= CLEAREST else float(expit(_center(right, sd) + by))


@dataclass(frozen=True)
class Attention:
    """What people are like while they work on each item.

    row        by item, which row of the next four holds
    effort     by row, in (0, 1]
    pace       by row, how fast: minutes are divided by it
    skill      by row, log-odds of accuracy added to a person's own
    skill_sd   what these log-odds are drawn with: their mean over people leaves accuracy as it is
    criterion  by node, what is seen counts as "true" only above it; None for 0
    done       by item, whether anybody works on it; who does not gives no label
    """

    row: IntArray
    effort: FloatArray
    pace: FloatArray
    skill: FloatArray
    skill_sd: float
    criterion: FloatArray | None
    done: BoolArray


class Perceiver(Overseer):
    """Sees z = r m + sqrt(1 - r^2) (sqrt(s) b + sqrt(1 - s) eps), r = cos(pi (1 - A)), and answers
    [z > 0].

    m is the claim's margin, b its misconception coordinate, eps a normal of this perceiver and
    claim. P(right) = A exactly, at every height and any prior.
    """

    accuracy: Accuracy | None = Field(None, description="as the scenario's, if left out")
    effort: Annotated[Share, Field(gt=0)] = Field(
        1.0, description="signal-to-noise is scaled by its root"
    )

    _pool: Pool | None = None
    _angle: FloatArray | None = None  # pi (1 - A) by node
    _structure: float = 0.0
    _attention: Attention | None = None
    _angles: FloatArray | None = None  # the same by row of the attention, and node

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) before assess")
        return self._pool

    def problems(self, world: Any) -> list[tuple[str, str]]:
        if self.accuracy is None:
            return []
        problem = accuracy_problem(self.accuracy, world.ceiling, world.template.height)
        return [("accuracy", problem)] if problem else []

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        prepared._pool = pool
        prepared._bind(setting)
        return prepared

    def _bind(self, setting: Setting) -> None:
        raise TypeError(f"{type(self).__name__} does not say how well it sees")

    def _see(self, stated: ByHeight | tuple[float, ...], structure: float) -> None:
        right = accuracy_by_node(
            self.accuracy or stated, self.pool.template.heights, self.pool.noise
        )
        self._angle = np.pi * (1 - self._personal(right))
        self._structure = structure

    def _personal(self, right: FloatArray) -> FloatArray:
        """This perceiver's own accuracy by node, from that of its kind."""
        return right

    def _noise_name(self) -> tuple[str | int, ...]:
        raise TypeError(f"{type(self).__name__} does not name its noise")

    def angle(self, claims: Claims) -> FloatArray:
        """The angle between judgment and truth, pi (1 - A), over claims; effort e scales its
        cotangent by sqrt(e)."""
        assert self._angle is not None
        if self._attention is not None:
            assert self._angles is not None
            if len(self._angles) == 1:
                return np.asarray(self._angles[0][claims.node])
            return np.asarray(self._angles[self._attention.row[claims.item], claims.node])
        angle = (
            self._angle
            if self.effort == 1.0
            else np.arctan(np.tan(self._angle) / np.sqrt(self.effort))
        )
        return np.asarray(angle[claims.node])

    def attending(self, attention: Attention) -> Self:
        """This perceiver, as attentive to each item as that says."""
        assert self._angle is not None
        made = self.model_copy()
        made._attention, made._angles = (
            attention,
            np.empty((attention.effort.size, self._angle.size)),
        )
        for row, (effort, skill) in enumerate(zip(attention.effort, attention.skill, strict=True)):
            angle = self._angle
            if attention.skill_sd:
                right = moved_accuracy(1 - angle / np.pi, attention.skill_sd, float(skill))
                angle = np.pi * (1 - right)
            share = float(effort) * self.effort
            if share != 1.0:
                angle = np.arctan(np.tan(angle) / np.sqrt(share))
            made._angles[row] = angle
        return made

    def perceive(self, claims: Claims) -> FloatArray:
        """z, over claims: a standard normal at even priors."""
        angle, s, pool = self.angle(claims), self._structure, self.pool
        error = np.zeros(claims.shape)
        if s > 0:
            error += np.sqrt(s) * pool.misconception(claims)
        if s < 1:
            error += np.sqrt(1 - s) * pool.draws.at(claims, "standard_normal", *self._noise_name())
        error *= np.sin(angle)
        error += np.cos(angle) * pool.margin(claims)
        return error

    def own_evidence(self, claims: Claims) -> FloatArray:
        """The log likelihood ratio of what is seen: logit Phi(r z / sqrt(1 - r^2)) (MODEL 3)."""
        seen = self.perceive(claims)
        if self._attention is not None and self._attention.criterion is not None:
            seen = seen - self._attention.criterion[claims.node]
        return logit_phi(seen / np.tan(self.angle(claims)))

    def reliability(self, node: int) -> float:
        if self._attention is not None:
            everyone = Claims.of(self.pool.everyone, node)
            return float(1 - self.angle(everyone).mean() / np.pi)
        return float(1 - self.angle(Claims.of(0, node)) / np.pi)

    def _judge(
        self, claims: Claims, evidence: Evidence | None, factor: float
    ) -> tuple[FloatArray, FloatArray]:
        """Stated evidence and prior; `factor` multiplies both, so that answers do not change."""
        found = self.own_evidence(claims)
        if evidence is not None:
            found = found + evidence.push
        return factor * found, factor * self.pool.template.prior_log_odds[claims.node]

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        raise TypeError(f"{type(self).__name__} does not say how it assesses claims")
