"""People: overseers whose attention costs minutes (MODEL 3, 7)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight.components.profiles import Minutes, reading_minutes
from oversight.core.claims import Claims, FloatArray, Trace, Verdicts
from oversight.core.config import Amount, Positive, Share, Whole
from oversight.core.evidence import Evidence
from oversight.core.streams import stream
from oversight.overseers.perception import Perceiver, moved_accuracy
from oversight.worlds.base import Setting


class Human(Perceiver):
    """A person. What is left out is as the scenario's `overseer` section says.

    States the log likelihood ratio logit Phi(r z / sqrt(1 - r^2)) plus what arguments moved it by,
    and the claim's prior, all times `confidence`; charges minutes by the claim's height, by
    argument read and by aid consulted.
    """

    name: ClassVar[str] = "human"

    person: Whole = Field(
        0, description="which person; one person sees a claim the same way in every protocol"
    )
    structure: Share | None = None
    confidence: Positive | None = None
    skill_sd: Amount | None = None
    minutes: Minutes | None = None

    _factor: float = 1.0
    _skill_sd: float = 0.0
    _minutes: Minutes = Minutes()
    _cost: FloatArray | None = None

    def _bind(self, setting: Setting) -> None:
        people = setting.people
        self._factor = people.confidence if self.confidence is None else self.confidence
        self._skill_sd = people.skill_sd if self.skill_sd is None else self.skill_sd
        self._minutes = self.minutes or people.minutes
        self._cost = self._minutes.by_height(self.pool.template.heights)
        structure = people.structure if self.structure is None else self.structure
        self._see(people.accuracy, structure)

    @property
    def seat(self) -> tuple[int, int]:
        """Who this is: the person asked for, and which of identical siblings."""
        return self.person, self.copy_number

    def _noise_name(self) -> tuple[str | int, ...]:
        return ("people", *self.seat)

    def _personal(self, right: FloatArray) -> FloatArray:
        """Accuracy by node of this person: log-odds moved by skill, centered so that the mean over
        people stays."""
        if self._skill_sd == 0:
            return right
        # A person is the same on every pool of a replicate.
        own = float(
            stream(
                self.pool.draws.seed, "skill", *self.seat, *self.pool.draws.key[:2]
            ).standard_normal()
        )
        return moved_accuracy(right, self._skill_sd, self._skill_sd * own)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        found, prior = self._judge(claims, evidence, self._factor)
        return Verdicts.of(
            found,
            prior,
            self._spent(claims, evidence),
            0.0,
            True if self._attention is None else self._attention.done[claims.item],
            trace=self._told(claims, evidence, found),
        )

    def _spent(self, claims: Claims, evidence: Evidence | None) -> FloatArray:
        assert self._cost is not None
        spent = self._cost[claims.node] + reading_minutes(self._minutes, evidence)
        if self._attention is not None:
            spent = spent / self._attention.pace[self._attention.row[claims.item]]
        return np.broadcast_to(spent, claims.shape)

    def _told(self, claims: Claims, evidence: Evidence | None, found: FloatArray) -> Trace | None:
        if not claims.traced:
            return None
        facts = {
            "found alone": self.own_evidence(claims),
            "answers": found > 0,
            "minutes": self._spent(claims, evidence),
        }
        if evidence is not None:
            facts["moved by"] = evidence.push
        who = (
            "a person"
            if self.seat == (0, 0)
            else f"person {self.person}" + f" (copy {self.copy_number})" * (self.copy_number > 0)
        )
        return Trace(who, facts)
