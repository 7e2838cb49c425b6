"""Failures of people, in any slot of a protocol."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from oversight.core.claims import Claims, Verdicts
from oversight.core.config import Amount, Share
from oversight.core.evidence import Evidence
from oversight.failures.base import OverseerFailure, depth
from oversight.failures.decomposing import wrong


class Overconfidence(OverseerFailure):
    """People state more confidence than they should: their log-odds are multiplied, their answers
    stay."""

    name: ClassVar[str] = "overconfidence"
    can_strike: ClassVar[tuple[str, ...]] = ("people",)
    knob: ClassVar[str] = "what the stated log-odds are multiplied by, less 1"
    source: ClassVar[str] = (
        "calibration error of judges .11 in debate and .17 in consultancy (Michael et al. 2023)"
    )
    why_flat: ClassVar[str] = (
        "answers do not change, so labels that are one person's stay as right as they were; who "
        "weighs stated log-odds is misled"
    )
    most: Amount = 9.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        factor = 1 + self.strength(claims)
        return replace(verdicts, evidence=factor * verdicts.evidence, prior=factor * verdicts.prior)


class Underconfidence(OverseerFailure):
    """People state less confidence than they should: their log-odds are divided, their answers
    stay."""

    name: ClassVar[str] = "underconfidence"
    can_strike: ClassVar[tuple[str, ...]] = ("people",)
    knob: ClassVar[str] = "what the stated log-odds are divided by, less 1"
    source: ClassVar[str] = "Khan et al. 2024, appendix A.7: people are under-confident in debates"
    why_flat: ClassVar[str] = Overconfidence.why_flat
    most: Amount = 9.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        factor = 1 + self.strength(claims)
        return replace(verdicts, evidence=verdicts.evidence / factor, prior=verdicts.prior / factor)


class BeliefBias(OverseerFailure):
    """People start from a belief against the truth.

    In the literature people hold beliefs on topics, some for the truth and some against it. Here
    every claim is struck alike and by itself, always against the truth: the worst case.
    """

    name: ClassVar[str] = "belief_bias"
    can_strike: ClassVar[tuple[str, ...]] = ("people",)
    knob: ClassVar[str] = "log-odds against the truth"
    source: ClassVar[str] = (
        "Rahman et al. 2025: debate helps people whose beliefs agree with the truth by 15 points, "
        "others by 5"
    )
    most: Amount = 2.0

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        against = np.where(self.pool.truth(claims), -1.0, 1.0) * self.strength(claims)
        return replace(verdicts, evidence=verdicts.evidence + against)


class WrongOnAClass(OverseerFailure):
    """On one class of inputs, a cap of the items' representation, answers are inverted or always
    wrong.

    The class has share f of the items. Label accuracy against the intended answer falls by f (2 A -
    1) or by f A, where A is the accuracy on the class.
    """

    name: ClassVar[str] = "wrong_on_a_class"
    can_strike: ClassVar[tuple[str, ...]] = ("labels", "people")
    knob: ClassVar[str] = "share of the items that are in the class, f"
    source: ClassVar[str] = "MODEL 8"
    on: str | None = "labels"
    most: Share = 0.5
    answers: Literal["inverted", "wrong"] = "inverted"

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        struck = depth(self.pool)[claims.item] < self.strength(claims)
        if self.answers == "wrong":
            return wrong(verdicts, self.pool, claims, struck)
        return replace(verdicts, evidence=np.where(struck, -verdicts.evidence, verdicts.evidence))
