"""Failures of the student. The labels are as they were."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from oversight.components.profiles import Setting
from oversight.core.claims import FloatArray
from oversight.core.config import Share
from oversight.core.streams import Chance, stream
from oversight.failures.base import StudentFailure
from oversight.worlds.base import Pool


class NarrowView(StudentFailure):
    """The student's representation lost some dimensions, and nothing in them can be elicited."""

    name: ClassVar[str] = "narrow_view"
    can_strike: ClassVar[tuple[str, ...]] = ("student",)
    partial: ClassVar[bool] = False
    knob: ClassVar[str] = "share of the representation's dimensions that are lost"
    source: ClassVar[str] = "Burns et al. 2023, section 5.2: what is not salient is not elicited"
    most: Share = 0.9

    def views(self, seed: int, replicate: int, *pools: FloatArray) -> list[FloatArray]:
        seen = super().views(seed, replicate, *pools)
        width = seen[0].shape[1]
        kept = max(1, round(width * (1 - self.severity * self.most)))
        if kept == width:
            return seen
        loose = stream(seed, "replicate", replicate, "failure", self.name).standard_normal(
            (width, width)
        )
        basis, _ = np.linalg.qr(loose)  # a higher severity loses more of the same
        return [x @ basis[:, :kept] for x in seen]


class HumanSimulator(StudentFailure):
    """The student learned to say what its overseers would say, not what is true. At severity 1 it
    answers every item as the protocol that taught it would label it, failures included."""

    name: ClassVar[str] = "human_simulator"
    can_strike: ClassVar[tuple[str, ...]] = ("student",)
    knob: ClassVar[str] = "share of items on which it says what its overseers would say"
    source: ClassVar[str] = "Christiano, Cotra & Xu 2021, eliciting latent knowledge"
    most: Share = 1.0

    def respond(self, log_odds: FloatArray, pool: Pool, setting: Setting) -> FloatArray:
        own = super().respond(log_odds, pool, setting)
        lot = Chance(pool.draws, ("failure", self.name), pool.roots).uniform("simulates")
        struck = self.items.holds(pool) & (pool.everyone >= self.onset.item)
        simulates = struck & (lot < self.severity * self.most)
        if not simulates.any():
            return own
        if setting.teacher is None:
            raise RuntimeError(f"{self.name}: the setting has no teacher whose labels to simulate")
        return np.where(simulates, setting.teacher(pool), own)
