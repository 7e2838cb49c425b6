"""Ladder: each rung's student oversees the next (bootstrapping, Burns et al. 2023; nested scalable
oversight, Engels et al. 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from oversight import (
    Claims,
    Count,
    Evidence,
    FloatArray,
    Human,
    Mechanism,
    OverseerSlot,
    Pool,
    RewardModel,
    Switch,
    Tries,
    Verdicts,
    View,
    World,
)


class Ladder(Mechanism):
    """The overseer's labels of all items teach a student that sees part of the representation. That
    student's beliefs teach the next one, and so on. The last student's beliefs are the verdicts.

    One rung that sees everything is plain weak-to-strong learning: a linear student learns a linear
    student exactly. So a ladder of nested views cannot help: every rung contains the view below and
    inherits its errors exactly. With independent views, each rung loses some error and some truth.
    It helps only if it loses more error.
    """

    name: ClassVar[str] = "ladder"
    citation: ClassVar[str] = "Burns et al. 2023, arXiv 2312.09390; Engels et al. 2025, 2504.18530"
    tries: ClassVar[Tries] = {"rungs": ((8,), (16,), (16, 32), (8, 16, 32))}
    does: ClassVar[Mapping[str, str]] = {"of": "of"}

    of: OverseerSlot = Human()
    rungs: tuple[Count, ...] = Field(
        (8, 16, 32), min_length=1, description="dimensions that each student sees"
    )
    nested: Switch = Field(False, description="whether each view contains the one before")

    def problems(self, world: World) -> list[tuple[str, str]]:
        widest, there = max(self.rungs), world.width
        if widest <= there:
            return []
        return [("rungs", f"a view of {widest} dimensions of {there}; expected at most {there}")]

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        labels = self.of.assess(claims)
        flat = claims.flat()
        top = np.zeros(flat.shape)
        at_hand = claims.whole and claims.node.ndim == 0
        for node, at, here in flat.by_node():
            everyone = self.pool.claims(node)
            top[at] = self._climb(everyone, labels if at_hand else self.of.assess(everyone))[
                here.item
            ]
        verdicts = Verdicts.of(
            top.reshape(claims.shape),
            labels.prior,
            labels.minutes,
            labels.calls,
            overridden=labels.overridden,
            disagreement=labels.disagreement,
        )
        if claims.traced:
            facts = {"the overseer's evidence": labels.evidence, "the last rung's": top}
            verdicts = verdicts.with_trace(f"a ladder of {len(self.rungs)} rungs", facts)
        return self.read(verdicts, evidence)

    def _climb(self, everyone: Claims, labels: Verdicts) -> FloatArray:
        """The last rung's evidence about one claim of every item, from the overseer's labels of
        them."""
        belief, known = labels.belief, labels.labeled
        evidence = labels.evidence
        for rung, width in enumerate(self.rungs):
            view = Narrow(self.pool, self._basis(rung, width))
            model = RewardModel().fit(view, everyone[known], belief[known])
            evidence = model.evidence(everyone)
            belief = 1 / (1 + np.exp(-evidence - labels.prior))
            known = np.ones_like(known)
        return evidence

    def _basis(self, rung: int, width: int) -> FloatArray:
        """An orthonormal basis of what a rung sees, (features, width)."""
        features = self.pool.x.shape[1]
        name = ("ladder", self.copy_number, 0 if self.nested else rung)
        loose = self.pool.draws.generator(*name).standard_normal((features, features))
        return np.asarray(np.linalg.qr(loose)[0][:, :width])


class Narrow(View):
    """A pool of which a student sees some directions."""

    def __init__(self, whole: Pool, basis: FloatArray) -> None:
        super().__init__(whole)
        self.basis = basis

    def features(self, claims: Claims) -> FloatArray:
        """What is seen of each claim, (*claims.shape, width)."""
        return np.asarray(self.whole.features(claims) @ self.basis)
