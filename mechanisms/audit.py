"""Audit: a trusted overseer checks some labels of another overseer again, and overrides them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from oversight import (
    BoolArray,
    Claims,
    Evidence,
    FloatArray,
    Human,
    Mechanism,
    OverseerSlot,
    Share,
    Tries,
    Verdicts,
    among_least_sure,
    least_sure,
    referred,
)


class Audit(Mechanism):
    """`by` judges a share of the claims again, and its verdict counts there.

    A random share a gains a (A_by - A_of). A share ranked by suspicion, the least sure claims
    first, gains more, as long as `of` knows where it errs (MODEL 5).
    """

    name: ClassVar[str] = "audit"
    citation: ClassVar[str] = "Greenblatt et al. 2023, arXiv 2312.06942, trusted monitoring"
    tries: ClassVar[Tries] = {
        "share": (0.1, 0.25, 0.5),
        "choose": ("random", "suspicion"),
    }
    does: ClassVar[Mapping[str, str]] = {"of": "of", "by": "by"}

    of: OverseerSlot = Human()
    by: OverseerSlot = Human(person=1)
    share: Share = Field(0.1, description="share of the claims that are checked again")
    choose: Literal["random", "suspicion"] = Field(
        "random", description="which ones: any, or those about which `of` is least sure"
    )

    @model_validator(mode="after")
    def _somebody_else(self) -> Self:
        if self.of == self.by:
            raise ValueError(
                "of and by are the same, who would find nothing; expected another overseer, or "
                "another person (by: {human: {person: 1}})"
            )
        return self

    def looks_again(
        self, slot: str, claims: Claims, answers: Callable[[bool], Verdicts]
    ) -> FloatArray | None:
        if slot != "of":
            return None
        if self.choose == "random":
            return np.asarray(self._drawn(claims), dtype=np.float64)
        return among_least_sure(answers(True), answers(False), self.share)

    def _drawn(self, claims: Claims) -> BoolArray:
        return np.asarray(self.chance(claims).uniform("audited") < self.share)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        verdicts = self.of.assess(claims, evidence)
        if self.choose == "random":
            where = self._drawn(claims)
        else:
            known = verdicts if evidence is None else None
            where = least_sure(self.of, claims, self.share, self.pool, known)
        audited = referred(verdicts, where, self.by, claims, evidence)
        return (
            audited.with_trace("an audit", {"checked again": where}) if claims.traced else audited
        )
