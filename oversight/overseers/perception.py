"""How people and models perceive a claim: through noise and a misconception that they share (MODEL
3, 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from scipy.optimize import brentq
from scipy.special import expit, log_ndtr, logit, ndtr

from oversight.components.component import Prepared
from oversight.components.overseer import Overseer
from oversight.components.profiles import (
    CLEAREST,
    Accuracy,
    ByHeight,
    Setting,
    accuracy_by_node,
    accuracy_problem,
)
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray
from oversight.core.config import Config, Share, default_of
from oversight.core.evidence import Evidence
from oversight.overseers.drift import Drift
from oversight.worlds.base import MARGINS, Pool, World


def logit_phi(x: FloatArray) -> FloatArray:
    """logit Phi(x), elementwise. It is computed from the tail, so that nothing is lost where Phi
    rounds to 1."""
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
    """The accuracy by node of somebody whose log-odds lie `by` from those of a middling person.

    right  by node, the mean accuracy over people, in (.5, 1]
    sd     the spread of people's log-odds
    by     how far this person is from the middle, in log-odds
    """
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


def idle(part: Config, keys: tuple[str, ...], world: World) -> Iterator[tuple[str, str]]:
    """The keys that say how people or a model perceive margins, set to something in a world that
    has none, each with what is wrong."""
    for key in () if MARGINS in world.has else keys:
        if getattr(part, key) != default_of(part, key):
            yield (
                key,
                f"has no effect in the world {world.kind}, which draws the answers itself and has "
                "no margins; expected to leave it out",
            )


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


@dataclass(frozen=True, kw_only=True)
class PreparedPerceiver(Prepared):
    """How somebody sees the claims of a pool.

    angle       pi (1 - A) by node, at full effort: the angle between judgment and truth at h = 1
    structure   share of the error along the misconception, s
    difficulty  how far items differ in how hard they are, h
    drift       what is seen by the margin, by node; None at h = 1, where the angle says it
    attention   what they are like on each item; None for at full effort throughout
    angles      the angle by row of the attention and node; None without one
    drifts      the drift by row of the attention and node; None without one, and at h = 1
    """

    angle: FloatArray
    structure: float
    difficulty: float = 1.0
    drift: Drift | None = None
    attention: Attention | None = None
    angles: FloatArray | None = None
    drifts: Drift | None = None


class Perceiver(Overseer):
    """Sees z = r m + sqrt(1 - r^2) (sqrt(s) b + sqrt(1 - s) eps), r = cos(pi (1 - A)), and answers
    [z > 0].

    m is the claim's margin, b its misconception coordinate, eps a normal of this perceiver and
    claim. P(right) = A exactly, at every height and any prior (MODEL 3). Where items differ less in
    how hard they are (`difficulty` below 1), r m / sqrt(1 - r^2) is replaced by the drift d(m).

    A world without margins draws the answers (`drawn`). They are stated with the log-odds of A,
    whatever the effort.

    of_margins  its knobs that mean nothing without margins
    """

    of_margins: ClassVar[tuple[str, ...]] = ("difficulty", "effort")

    accuracy: Accuracy | None = Field(None, description="as the scenario's, if left out")
    effort: Annotated[Share, Field(gt=0)] = Field(
        1.0, description="signal-to-noise is scaled by its root"
    )

    @property
    def bound(self) -> PreparedPerceiver:
        """What it was prepared for. Raises RuntimeError before that."""
        if not isinstance(self.prepared, PreparedPerceiver):
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) before assess")
        return self.prepared

    @property
    def pool(self) -> Pool:
        """The pool it was prepared for."""
        return self.bound.pool

    def problems(self, world: World) -> list[tuple[str, str]]:
        own, best, height = self.accuracy, world.best_accuracy, world.task_tree.height
        problem = None if own is None else accuracy_problem(own, best, height)
        return [("accuracy", problem)] if problem else list(idle(self, self.of_margins, world))

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        return super().prepare(pool, setting).with_prepared(self.perception(pool, setting))

    def perception(self, pool: Pool, setting: Setting) -> PreparedPerceiver:
        """How it sees the claims of a pool, in a setting."""
        raise TypeError(f"{type(self).__name__} defines no perception(pool, setting)")

    def right(self, pool: Pool, usual: ByHeight | tuple[float, ...]) -> FloatArray:
        """P(right) by node, from its own accuracy or the usual one of the scenario."""
        return accuracy_by_node(self.accuracy or usual, pool.template.heights, pool.label_noise)

    @property
    def noise_name(self) -> tuple[str | int, ...]:
        """The name of its own noise eps among the pool's draws."""
        raise TypeError(f"{type(self).__name__} defines no noise_name")

    def perception_of(
        self, right: FloatArray, structure: float, difficulty: float
    ) -> dict[str, Any]:
        """The fields of PreparedPerceiver for somebody who is right with these chances by node."""
        drift = None if difficulty == 1.0 else Drift.of(right, difficulty, self.effort)
        angle = np.pi * (1 - right)
        return {"angle": angle, "structure": structure, "difficulty": difficulty, "drift": drift}

    def drift(self, claims: Claims) -> Drift | None:
        """What is seen by the margin, over claims; None at h = 1."""
        bound = self.bound
        if bound.attention is not None and bound.drifts is not None:
            return bound.drifts.at((bound.attention.row[claims.item], claims.node))
        return None if bound.drift is None else bound.drift.at(claims.node)

    def drawn(self, claims: Claims) -> BoolArray | None:
        """Its answers where the world draws them, bool over claims; None where it perceives
        margins."""
        return None

    def error_chance(self, claims: Claims) -> FloatArray:
        """The chance that its own answer is wrong, over claims."""
        drift = self.drift(claims)
        return self.angle(claims) / np.pi if drift is None else 1 - drift.accuracy

    def angle(self, claims: Claims) -> FloatArray:
        """The angle between judgment and truth at h = 1, pi (1 - A), over claims; effort e scales
        its cotangent by sqrt(e)."""
        bound = self.bound
        if bound.attention is not None and bound.angles is not None:
            if len(bound.angles) == 1:
                return np.asarray(bound.angles[0][claims.node])
            return np.asarray(bound.angles[bound.attention.row[claims.item], claims.node])
        angle = (
            bound.angle
            if self.effort == 1.0
            else np.arctan(np.tan(bound.angle) / np.sqrt(self.effort))
        )
        return np.asarray(angle[claims.node])

    def attending(self, attention: Attention) -> Self:
        """This perceiver, prepared as it is, as attentive to each item as that says."""
        bound = self.bound
        if bound.pool.shared_answer is not None:
            return self.with_prepared(replace(bound, attention=attention))
        angles = np.empty((attention.effort.size, bound.angle.size))
        drifts = []
        for row, (effort, skill) in enumerate(zip(attention.effort, attention.skill, strict=True)):
            angle = bound.angle
            if attention.skill_sd:
                right = moved_accuracy(1 - angle / np.pi, attention.skill_sd, float(skill))
                angle = np.pi * (1 - right)
            share = float(effort) * self.effort
            if bound.drift is not None:
                drifts.append(Drift.of(1 - angle / np.pi, bound.difficulty, share))
            if share != 1.0:
                angle = np.arctan(np.tan(angle) / np.sqrt(share))
            angles[row] = angle
        drift = Drift.stacked(drifts) if drifts else None
        return self.with_prepared(replace(bound, attention=attention, angles=angles, drifts=drift))

    def perceive(self, claims: Claims) -> FloatArray:
        """z, over claims: a standard normal at even priors, or with noise of variance 1 below
        h = 1. The log-odds themselves where the world draws the answers."""
        if (drawn := self.drawn(claims)) is not None:
            odds = logit(1 - self.bound.angle / np.pi)[claims.node]
            return np.where(drawn, odds, -odds)
        error, drift = self.error(claims), self.drift(claims)
        if drift is not None:
            return error + drift.mean(self.pool.margin(claims))
        angle = self.angle(claims)
        error *= np.sin(angle)
        error += np.cos(angle) * self.pool.margin(claims)
        return error

    def error(self, claims: Claims) -> FloatArray:
        """What misleads it, sqrt(s) b + sqrt(1 - s) eps, over claims: a standard normal that
        speaks for "true" where it is positive."""
        s, pool = self.bound.structure, self.pool
        error = np.zeros(claims.shape)
        if s > 0:
            error += np.sqrt(s) * pool.misconception(claims)
        if s < 1:
            error += np.sqrt(1 - s) * pool.draws.at(claims, "standard_normal", *self.noise_name)
        return error

    def own_evidence(self, claims: Claims) -> FloatArray:
        """The log likelihood ratio of what is seen: logit Phi(r z / sqrt(1 - r^2)) at h = 1
        (MODEL 3)."""
        seen, attention, drift = self.perceive(claims), self.bound.attention, self.drift(claims)
        if self.pool.shared_answer is not None:
            return seen
        if attention is not None and attention.criterion is not None:
            criterion = attention.criterion[claims.node]
            seen = seen - (criterion if drift is None else criterion * drift.sd)
        if drift is not None:
            return drift.evidence(seen)
        return logit_phi(seen / np.tan(self.angle(claims)))

    def reliability(self, node: int) -> float:
        if self.bound.attention is not None:
            return float(1 - self.error_chance(self.pool.claims(node)).mean())
        return float(1 - self.error_chance(Claims.of(0, node)))

    def stated(
        self, claims: Claims, evidence: Evidence | None, factor: float
    ) -> tuple[FloatArray, FloatArray]:
        """Stated evidence and prior; `factor` multiplies both, so that answers do not change."""
        moved = self.own_evidence(claims)
        if evidence is not None:
            moved = moved + evidence.push
        return factor * moved, factor * self.pool.template.prior_log_odds[claims.node]
