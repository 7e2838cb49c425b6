"""Failures of the labels on their way from the protocol to the student."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from oversight.core.claims import BoolArray, Claims, Verdicts
from oversight.core.config import Share, Switch
from oversight.core.evidence import Evidence
from oversight.failures.base import OverseerFailure, depth


class LabelFailure(OverseerFailure):
    """Some labels are flipped."""

    can_strike: ClassVar[tuple[str, ...]] = ("labels",)

    def turned(self, claims: Claims, verdicts: Verdicts) -> BoolArray:
        """Which labels are flipped, bool over claims."""
        return self.strikes(claims)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        turned = self.turned(claims, verdicts)
        return replace(verdicts, evidence=np.where(turned, -verdicts.evidence, verdicts.evidence))


class RandomFlips(LabelFailure):
    """Labels are flipped at random.

    With many items the student averages this away: it is better than its labels.
    """

    name: ClassVar[str] = "random_flips"
    knob: ClassVar[str] = "share of labels that are turned"
    source: ClassVar[str] = "Burns et al. 2023, figure 26: weak errors without structure"
    most: Share = 0.5


class OneSidedFlips(LabelFailure):
    """Labels of one value are flipped, where the value is that of the label itself or that of the
    truth.

    Either way accuracy falls, and with many items the student's AUC stays. By symmetry, the mean of
    x L is the same over both halves of the items. So flipping labels in one half makes the probe's
    weights shorter and moves its threshold, and does not change its direction (MODEL 8).
    """

    name: ClassVar[str] = "one_sided_flips"
    knob: ClassVar[str] = "share of labels of that value that are turned"
    source: ClassVar[str] = "MODEL 8"
    most: Share = 0.8
    value: Switch = Field(True, description="the value whose labels are turned")
    of: Literal["label", "truth"] = Field("label", description="whose value it is")

    def turned(self, claims: Claims, verdicts: Verdicts) -> BoolArray:
        has = verdicts.answer if self.of == "label" else self.pool.truth(claims)
        return np.asarray(self.strikes(claims) & (has == self.value))


class LabelTampering(LabelFailure):
    """The overseen model edits the record: on a cap of the representation every label says yes. The
    student can represent this error.

    In the literature a model edits the labels that serve it, and hides it. Here the cap is fixed in
    a random direction, and no label is chosen for what the student learns from it.
    """

    name: ClassVar[str] = "label_tampering"
    knob: ClassVar[str] = "share of the labels that were edited"
    source: ClassVar[str] = "Leike et al. 2018, section 4.3: reward tampering"
    most: Share = 0.5

    def turned(self, claims: Claims, verdicts: Verdicts) -> BoolArray:
        edited = depth(self.pool)[claims.item] < self.strength(claims)
        return np.asarray(edited & ~verdicts.answer)
