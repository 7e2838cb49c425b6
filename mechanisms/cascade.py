"""Cascade: a cheap overseer judges first, and a better one judges what the first is unsure of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from oversight import (
    Amount,
    Claims,
    Evidence,
    FloatArray,
    Human,
    Mechanism,
    OverseerSlot,
    Pool,
    Setting,
    Share,
    Tries,
    Verdicts,
    among_least_sure,
    least_sure,
    referred,
    sureness,
)


class Cascade(Mechanism):
    """Claims about which `first` is less sure than `below`, or the least sure `share` of them, go
    on to `then`, whose verdict counts.

    Sure is max(belief, 1 - belief). With `below` at 0.5 or less, nothing escalates and the cascade
    is `first`. With `below` above 1, everything escalates: labels are those of `then`, and both are
    paid (MODEL 5).
    """

    name: ClassVar[str] = "cascade"
    citation: ClassVar[str] = "Jung et al. 2024, arXiv 2407.18370, cascaded selective evaluation"
    tries: ClassVar[Tries] = {"share": (0.1, 0.25, 0.5)}
    does: ClassVar[Mapping[str, str]] = {"first": "first", "then": "then"}

    first: OverseerSlot = Human()
    then: OverseerSlot = Human(person=1)
    below: Amount | None = Field(
        None, description="escalate where first is less sure than this; 0.75 without a share"
    )
    share: Share | None = Field(
        None, description="instead: escalate this share of all items, the least sure ones"
    )

    @model_validator(mode="after")
    def _somewhere_to_go(self) -> Self:
        if self.first == self.then:
            raise ValueError(
                "nothing to escalate to: first and then are the same; expected another overseer, "
                "or another person (then: {human: {person: 1}})"
            )
        if self.share is not None and self.below is not None:
            raise ValueError("below and share both say when to escalate; expected one of them")
        return self

    @property
    def never(self) -> bool:
        """Whether nothing can be escalated."""
        return self.threshold <= 0.5 if self.share is None else self.share == 0

    @property
    def threshold(self) -> float:
        """What is less sure than this goes on, where no share says how much."""
        return 0.75 if self.below is None else self.below

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        return prepared.model_copy(update={"then": self.then}) if self.never else prepared

    def unfolded(self) -> Self:
        # Nobody prepares for nothing: a cascade that never escalates costs what first does.
        return self.model_copy(update={"then": Human()}) if self.never else self

    def looks_again(
        self, slot: str, claims: Claims, answers: Callable[[bool], Verdicts]
    ) -> FloatArray | None:
        if slot != "first" or self.never:
            return None
        attacked = answers(True)
        if self.share is None:
            return np.asarray(sureness(attacked) < self.threshold, dtype=np.float64)
        return among_least_sure(attacked, answers(False), self.share)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        verdicts = self.first.assess(claims, evidence)
        if self.never:
            return verdicts
        if self.share is None:
            where = np.asarray(sureness(verdicts) < self.threshold)
        else:
            known = verdicts if evidence is None else None
            where = least_sure(self.first, claims, self.share, self.pool, known)
        second = referred(verdicts, where, self.then, claims, evidence)
        return second.with_trace("a cascade", {"escalated": where}) if claims.traced else second
