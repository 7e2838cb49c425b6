"""People as they are at a desk: now attentive, now tired, in a hurry, and with habits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import Field

from oversight.components.wrappers import OverseerWrapper, as_role
from oversight.core.claims import Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance, stream
from oversight.desk.queue import Manner
from oversight.desk.settings import Desk
from oversight.overseers.human import Human
from oversight.overseers.perception import Attention
from oversight.worlds.base import Pool

RAREST = 1e-6


class Shift:
    """What holds for all people of a protocol at the moment; a desk changes it from one phase of
    the work to the next."""

    def __init__(self, attention: Attention | None) -> None:
        self.attention = attention


class Seated(OverseerWrapper):
    """A person at a desk.

    Automation bias: where all evidence heard speaks for one side, its answer is taken over with the
    chance w = R p / (1 - p), p the person's own chance to be wrong, so that who is advised wrongly
    errs (1 + R) times as often (Goddard et al. 2012: 1.26).
    """

    shift: Any = Field(None, exclude=True)
    relative_risk: float = Field(0.0, exclude=True)

    def _attending(self) -> Any:
        attention, inner = self.shift.attention, as_role(self.inner, Human)
        return inner if attention is None else inner.attending(attention)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        person = self._attending()
        verdicts: Verdicts = person.assess(claims, evidence)
        if not self.relative_risk or evidence is None:
            return verdicts
        advised, for_true = advice(evidence, claims)
        if not advised.any():
            return verdicts
        wrong = person.angle(claims) / np.pi
        chance = Chance(person.pool.draws, ("desk", "automation bias", *person.seat), claims)
        taken = advised & (
            chance.uniform() < self.relative_risk * wrong / np.maximum(1 - wrong, 1e-9)
        )
        strength = np.abs(verdicts.evidence)
        found = np.where(taken, np.where(for_true, strength, -strength), verdicts.evidence)
        return replace(verdicts, evidence=found)

    def reliability(self, node: int) -> float:
        reliability: float = self._attending().reliability(node)
        return reliability


def advice(evidence: Evidence, claims: Claims) -> tuple[Any, Any]:
    """Where all that was heard speaks for one side, and whether for "true"; over claims."""
    said = [argument.side for argument in evidence.arguments]
    if evidence.aids:
        said.append(np.asarray(evidence.report) > 0)
    if not said:
        none = np.zeros(claims.shape, dtype=np.bool_)
        return none, none
    sides = [np.broadcast_to(side, claims.shape) for side in said]
    alike = np.all([side == sides[0] for side in sides], axis=0)
    return alike, sides[0]


def criterion(desk: Desk, pool: Pool) -> FloatArray | None:
    """By node, how far "true" has to stand out: lower where it is the frequent answer."""
    if not desk.prevalence:
        return None
    prior = pool.template.marginals  # how often it is true of the items that people meet
    rare = np.clip(np.minimum(prior, 1 - prior), RAREST, 0.5)
    return np.asarray(np.sign(0.5 - prior) * desk.prevalence * np.log10(0.5 / rare))


def skills(desk: Desk, pool: Pool, manners: tuple[Manner, ...]) -> FloatArray:
    """Log-odds by manner that its person is better than a middling one."""
    if not desk.skill_sd:
        return np.zeros(len(manners))
    who = np.array([manner.person for manner in manners])
    # Colleagues are the same in every protocol of a replicate.
    luck = stream(pool.draws.seed, "desk", "skill", *pool.draws.key[:2])
    own: FloatArray = luck.standard_normal(int(who.max()) + 1)
    return np.asarray(desk.skill_sd * own[who])
