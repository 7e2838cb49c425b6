"""Direct judgment: the baseline with which every other mechanism is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from oversight import Claims, Evidence, Human, Mechanism, OverseerSlot, Verdicts


class Direct(Mechanism):
    """The overseer judges the claim itself, and nothing else happens."""

    name: ClassVar[str] = "direct"
    does: ClassVar[Mapping[str, str]] = {"overseer": "overseer"}

    overseer: OverseerSlot = Human()

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return self.overseer.assess(claims, evidence)
