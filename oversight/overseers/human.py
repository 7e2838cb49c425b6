"""People: overseers whose attention costs minutes (MODEL 3, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight.components.profiles import Factor, Minutes, Setting, Spread, reading_minutes
from oversight.core.claims import BoolArray, Claims, FloatArray, Trace, Verdicts
from oversight.core.config import Share, Whole
from oversight.core.evidence import Evidence
from oversight.core.streams import stream
from oversight.overseers.perception import Perceiver, PreparedPerceiver, moved_accuracy
from oversight.worlds.base import PEOPLE, Pool


@dataclass(frozen=True, kw_only=True)
class PreparedHuman(PreparedPerceiver):
    """How a person sees the claims of a pool, states what they see, and what it costs.

    factor           multiplies stated log-odds
    minutes          what their attention costs
    minutes_by_node  minutes a claim takes, by its node
    """

    factor: float
    minutes: Minutes
    minutes_by_node: FloatArray


class Human(Perceiver):
    """A person. A field that is left out is as in the scenario's `overseer` section.

    States the log likelihood ratio logit Phi(r z / sqrt(1 - r^2)), plus what the arguments moved it
    by, plus the claim's prior log-odds, all times `confidence`. Charges minutes by the claim's
    height, for each argument read and for each aid consulted.
    """

    name: ClassVar[str] = "human"
    of_margins: ClassVar[tuple[str, ...]] = (
        *("accuracy", "structure", "skill_sd"),
        *Perceiver.of_margins,
    )

    person: Whole = Field(
        0, description="which person; one person sees a claim the same way in every protocol"
    )
    structure: Share | None = None
    difficulty: Share | None = None
    confidence: Factor | None = None
    skill_sd: Spread | None = None
    minutes: Minutes | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({PEOPLE})

    @property
    def bound(self) -> PreparedHuman:
        if not isinstance(self.prepared, PreparedHuman):
            raise RuntimeError("human: call prepare(pool, setting) before assess")
        return self.prepared

    def perception(self, pool: Pool, setting: Setting) -> PreparedHuman:
        people = setting.people
        skill_sd = people.skill_sd if self.skill_sd is None else self.skill_sd
        minutes = self.minutes or people.minutes
        return PreparedHuman(
            pool,
            setting,
            **self.perception_of(
                self._personal(self.right(pool, people.accuracy), skill_sd, pool),
                people.structure if self.structure is None else self.structure,
                people.difficulty if self.difficulty is None else self.difficulty,
            ),
            factor=people.confidence if self.confidence is None else self.confidence,
            minutes=minutes,
            minutes_by_node=minutes.by_height(pool.template.heights),
        )

    @property
    def seat(self) -> tuple[int, int]:
        """Who this is: the person asked for, and which of identical siblings."""
        return self.person, self.copy_number

    @property
    def noise_name(self) -> tuple[str | int, ...]:
        return ("people", *self.seat)

    def drawn(self, claims: Claims) -> BoolArray | None:
        answer = self.pool.shared_answer
        return None if answer is None else answer[np.broadcast_to(claims.item, claims.shape)]

    def _personal(self, right: FloatArray, skill_sd: float, pool: Pool) -> FloatArray:
        """P(right) by node of this person: log-odds moved by skill, centered so that the mean over
        people stays."""
        if skill_sd == 0:
            return right
        # A person is the same on every pool of a replicate.
        skill = stream(pool.draws.seed, "skill", *self.seat, *pool.draws.key[:2])
        own = float(skill.standard_normal())
        return moved_accuracy(right, skill_sd, skill_sd * own)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        bound = self.bound
        stated, prior = self.stated(claims, evidence, bound.factor)
        return Verdicts.of(
            stated,
            prior,
            self._spent(claims, evidence),
            0.0,
            True if bound.attention is None else bound.attention.done[claims.item],
            trace=self._trace(claims, evidence, stated) if claims.traced else None,
        )

    def _spent(self, claims: Claims, evidence: Evidence | None) -> FloatArray:
        bound = self.bound
        spent = bound.minutes_by_node[claims.node] + reading_minutes(bound.minutes, evidence)
        if bound.attention is not None:
            spent = spent / bound.attention.pace[bound.attention.row[claims.item]]
        return np.broadcast_to(spent, claims.shape)

    def _trace(self, claims: Claims, evidence: Evidence | None, stated: FloatArray) -> Trace:
        facts = {
            "found alone": self.own_evidence(claims),
            "answers": stated > 0,
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
