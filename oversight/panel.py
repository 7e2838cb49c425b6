"""Several overseers who judge the same claims."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from oversight.claims import Claims, FloatArray, Trace, Verdicts
from oversight.component import Mechanism, Overseer
from oversight.evidence import Evidence


class Panel(Mechanism):
    """Members judge apart; `average` takes the mean of their evidence, `majority` the answer of
    most of them.

    The mean of log-likelihood ratios, not their sum: members share what they misunderstand, and a
    sum would count it again with each. A majority states the mean strength of its members, times
    its margin; a tie is "false".
    """

    name: ClassVar[str] = "panel"

    members: tuple[Overseer, ...] = Field(min_length=1)
    rule: Literal["average", "majority"] = "average"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        heard = [member.assess(claims, evidence) for member in self.members]
        if len(heard) == 1:
            return heard[0]
        said = np.stack([verdicts.evidence for verdicts in heard])
        prior = np.mean([verdicts.prior for verdicts in heard], axis=0)
        labeled = np.any([verdicts.labeled for verdicts in heard], axis=0)
        found = said.mean(axis=0) if self.rule == "average" else _majority(said)
        minutes = np.sum([verdicts.minutes for verdicts in heard], axis=0)
        calls = np.sum([verdicts.calls for verdicts in heard], axis=0)
        trace = None
        if claims.traced:
            parts = tuple(verdicts.trace for verdicts in heard if verdicts.trace)
            trace = Trace(f"{len(heard)} members, {self.rule}", {"answers": found > 0}, parts)
        return Verdicts.of(found, prior, minutes, calls, labeled, trace)

    def width(self) -> int:
        return sum(member.width() for member in self.members)


def _majority(said: FloatArray) -> FloatArray:
    margin = 2 * (said > 0).mean(axis=0) - 1
    return np.asarray(margin * np.abs(said).mean(axis=0))


def copies(overseer: Overseer, number: int, rule: Literal["average", "majority"]) -> Overseer:
    """The overseer, `number` times over: identical siblings with different people, or just the
    one."""
    if number == 1:
        return overseer
    return Panel(members=tuple(overseer.sibling(i) for i in range(number)), rule=rule)
