"""Failures of the labels on their way from the protocol to the student."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from oversight.core.claims import BoolArray, Claims, FloatArray, Verdicts
from oversight.core.config import Share, Switch
from oversight.core.evidence import Evidence
from oversight.failures.base import OverseerFailure, depth
from oversight.worlds.base import MARGINS, Pool


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


class EditedLabels(LabelFailure):
    """The overseen model edits the labels that mislead the student most: where an item lies
    farthest along the misconception, the label becomes the misconception's answer.

    Exactly round(f n) of n items are edited, those with the largest |b|, b the root's misconception
    coordinate; a slice of items takes its part of them. The stated strength of a label stays. Of
    labels otherwise right, f/2 are then wrong, and of a linear student (many items, MODEL 10)

        tan(theta_student) = sqrt(2 pi) phi(q) / (1 - f),    q = Phi^-1(1 - f/2)

    The best flips of 10 % of the labels harm hardly more (.831 right, against .840). At 1 half of
    the labels are edited, as by `label_tampering`: at equal severity both touch as many labels and
    make as many wrong, so that they differ in what is chosen and in nothing else.
    """

    name: ClassVar[str] = "edited_labels"
    knob: ClassVar[str] = "share of the labels that were edited, f; half of them become wrong"
    source: ClassVar[str] = "MODEL 10: labels chosen against the student"
    requires: ClassVar[frozenset[str]] = frozenset({MARGINS})
    most: Share = 0.5

    def turned(self, claims: Claims, verdicts: Verdicts) -> BoolArray:
        most = np.round(self.strength(claims) * self.pool.everyone.size)
        edited = _misled(self.pool)[claims.item] < most
        return np.asarray(edited & (verdicts.answer != (self.pool.misconception(claims) > 0)))


def _misled(pool: Pool) -> FloatArray:
    """The rank of each item by |b| of its root, from 0, over items; 0 lies farthest out."""

    def ranked() -> FloatArray:
        far = np.abs(pool.misconception(pool.roots))
        return np.argsort(np.argsort(-far, kind="stable"), kind="stable").astype(np.float64)

    return pool.draws.kept(("misled",), ranked)
