"""Failures of reward models, of the assistant whose arguments they rank, and of the evaluator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from oversight.core.claims import Claims, FloatArray, Verdicts
from oversight.core.config import Amount, Share
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance, gather
from oversight.failures.base import Failure, OverseerFailure, PoolFailure
from oversight.overseers.persuasion import Arguing, selected_quality
from oversight.worlds.base import MARGINS, Pool
from oversight.worlds.views import View


class RewardModelFailure(Failure):
    """A failure of what a reward model learns from."""

    can_strike: ClassVar[tuple[str, ...]] = ("reward_model",)

    def lessons(self, claims: Claims, labels: FloatArray) -> tuple[Claims, FloatArray]:
        """The claims and the beliefs, in [0, 1], that the reward model is fitted to."""
        return claims, labels

    def fit(self, pool: Pool, claims: Claims, labels: FloatArray) -> Any:
        fitted = super().fit(pool, *self.lessons(claims, labels))
        return self.model_copy(update={"inner": fitted})


class TooFewComparisons(RewardModelFailure):
    """Part of the judgments never reach the reward model. They are paid for all the same."""

    name: ClassVar[str] = "too_few_comparisons"
    knob: ClassVar[str] = "share of the judged sample that is lost"
    source: ClassVar[str] = (
        "Gao, Schulman & Hilton 2022, section 3.3: below 2,000 comparisons reward models are near "
        "chance"
    )
    most: Share = 0.98

    def lessons(self, claims: Claims, labels: FloatArray) -> tuple[Claims, FloatArray]:
        kept = ~self.strikes(claims)
        kept[:2] = True  # a probe of nothing at all is no reward model
        return claims[kept], labels[kept]


class LabelNoise(RewardModelFailure):
    """Some judgments are reversed before they reach the reward model."""

    name: ClassVar[str] = "label_noise"
    knob: ClassVar[str] = "share of judgments that are reversed"
    source: ClassVar[str] = "people agree with each other on .60 to .73 of comparisons (Coste 2023)"
    most: Share = 0.5

    def lessons(self, claims: Claims, labels: FloatArray) -> tuple[Claims, FloatArray]:
        return claims, np.where(self.strikes(claims), 1 - labels, labels)


class StaleRewardModel(Failure):
    """The reward model was fitted to older outputs, so what it looks for differs from what it
    should look for."""

    name: ClassVar[str] = "stale_reward_model"
    can_strike: ClassVar[tuple[str, ...]] = ("reward_model",)
    knob: ClassVar[str] = "right angles between what it looks for and what it learned"
    source: ClassVar[str] = "Gao, Schulman & Hilton 2022, section 4.3: reward models off policy"

    def fit(self, pool: Pool, claims: Claims, labels: FloatArray) -> Any:
        return self.model_copy(update={"inner": super().fit(pool, claims, labels)})

    def evidence(self, claims: Claims) -> FloatArray:
        return gather(claims, self._moved)

    def _moved(self, node: int) -> FloatArray:
        everyone = self.pool.claims(node)
        own = super().evidence(everyone)
        turned = self.strength(everyone) * np.pi / 2
        features = self.pool.features(everyone)
        level = int(self.pool.template.heights[node])
        away = self.pool.draws.generator("failure", self.name, level).standard_normal(
            features.shape[1]
        )
        other = features @ away / np.linalg.norm(away) * own.std()
        return np.where(turned > 0, np.cos(turned) * own + np.sin(turned) * other, own)


class HeavyTailedReward(Failure):
    """The errors of the reward model have heavy tails: the best of many candidates by its score is
    then the best at gaming the score (reward hacking).

    Errors are Student-t(3), not rescaled. The failure needs many candidates and a reward model that
    ranks badly. Near a perfect ranking the error has no weight, whatever its tails.
    """

    name: ClassVar[str] = "heavy_tailed_reward"
    can_strike: ClassVar[tuple[str, ...]] = ("assistant",)
    knob: ClassVar[str] = "share of claims on which the error is heavy-tailed"
    source: ClassVar[str] = "Kwa et al. 2024, catastrophic Goodhart; MODEL 5"
    most: Share = 1.0

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        healthy = super().assist(claims, arguing, correlation, chance, *name)
        struck = self.strikes(claims)
        if arguing.candidates == 1 or not self.severity:
            return healthy
        light, heavy = (
            selected_quality(
                chance, arguing.candidates, correlation, *name, "candidates", degrees_of_freedom=df
            )
            for df in (None, 3.0)
        )
        worse = healthy.strength + arguing.discernment * (heavy - light)
        return replace(healthy, strength=np.where(struck, worse, healthy.strength), split=None)


class HiddenFlaws(Failure):
    """The assistant defends what it knows to be flawed: it argues that a claim is true where it
    believes the claim false.

    In the literature every copy of a model may collude. Here the assistant alone hides flaws;
    reward models and evaluators stay honest.
    """

    name: ClassVar[str] = "hidden_flaws"
    can_strike: ClassVar[tuple[str, ...]] = ("assistant",)
    knob: ClassVar[str] = "chance of defending a claim that it believes false"
    source: ClassVar[str] = "Greenblatt et al. 2023: monitors that collude with what they monitor"
    most: Share = 1.0

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        healthy = super().assist(claims, arguing, correlation, chance, *name)
        hides = ~healthy.side & self.strikes(claims)
        # Evidence for the side that is not believed has mean -mu instead of mu.
        lie = healthy.strength - 2 * arguing.discernment * arguing.evidence
        strength = np.where(hides, lie, healthy.strength)
        return replace(healthy, side=healthy.side | hides, strength=strength, split=None)


class Drift(OverseerFailure):
    """At every level the evaluator's criterion moves toward the misconception."""

    name: ClassVar[str] = "drift"
    can_strike: ClassVar[tuple[str, ...]] = ("evaluator", "checker")
    requires: ClassVar[frozenset[str]] = frozenset({MARGINS})
    knob: ClassVar[str] = "log-odds a level, per standard deviation of the misconception"
    source: ClassVar[str] = "Leike et al. 2018, section 5: errors that add up over levels"
    most: Amount = 2.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        level = self.pool.template.heights[claims.node]
        slope = self.strength(claims) * level * self.pool.misconception(claims)
        return replace(verdicts, evidence=verdicts.evidence + slope)


class UnassessedAspect(PoolFailure):
    """Nobody evaluates one aspect of what makes an answer good, so the evaluator sees only part of
    the margin."""

    name: ClassVar[str] = "unassessed_aspect"
    can_strike: ClassVar[tuple[str, ...]] = ("evaluator", "checker")
    requires: ClassVar[frozenset[str]] = frozenset({MARGINS})
    knob: ClassVar[str] = "share of the margin's variance that nobody evaluates"
    source: ClassVar[str] = "Leike et al. 2018, section 3.2; range 0 to .5"
    most: Share = 0.9

    def view(self, pool: Pool) -> Pool:
        return _Oblique(pool, self)


class _Oblique(View):
    """A pool in which margins are seen along a direction that leaves something out."""

    def __init__(self, whole: Pool, failure: UnassessedAspect) -> None:
        super().__init__(whole)
        self.failure = failure

    def margin(self, claims: Claims) -> FloatArray:
        return gather(claims, self._margin)

    def _margin(self, node: int) -> FloatArray:
        everyone = self.whole.claims(node)
        margin = self.whole.margin(everyone)
        lost = self.failure.strength(everyone)
        features = self.whole.features(everyone)
        level = int(self.whole.template.heights[node])
        name = ("failure", self.failure.name, level)
        other = features @ self.whole.draws.generator(*name).standard_normal(features.shape[1])
        other = other - margin * (other @ margin) / (margin @ margin)
        seen = np.sqrt(1 - lost) * margin + np.sqrt(lost) * other / other.std()
        return np.where(lost > 0, seen, margin)
