"""People as they are at a desk: now attentive, now tired, in a hurry, and with habits (MODEL 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from pydantic import Field, SkipValidation

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.components.wrappers import PEOPLE_ROLE, OverseerWrapper, as_role, rewrite
from oversight.core.claims import BoolArray, Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance, stream
from oversight.desk.queue import Manner
from oversight.desk.settings import Desk
from oversight.desk.timetable import Timetable
from oversight.overseers.human import Human
from oversight.overseers.perception import Attention
from oversight.worlds.base import Pool

RAREST = 1e-6
"""Nothing is rarer than this to people."""


class Seated(OverseerWrapper):
    """A person at a desk.

    attention      what they are like on each item; None for at full effort throughout
    relative_risk  R, >= 0: how much more often, less 1, they err after wrong advice

    Automation bias: where all evidence heard speaks for one side, its answer is taken over with the
    chance w = R p / (1 - p), p the person's own chance to be wrong. With wrong advice they err with
    chance p' + (1 - p') w, p' the chance after the same evidence without this bias. That is
    (1 + R) p (Goddard et al. 2012: 1.26 p) where arguments move nobody otherwise (`gain: 0`).
    """

    attention: SkipValidation[Attention | None] = Field(None, exclude=True, repr=False)
    relative_risk: float = Field(0.0, exclude=True)

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        return prepared if self.attention is None else prepared.attending(self.attention)

    def attending(self, attention: Attention) -> Self:
        """The same person, prepared as they are, with this attention."""
        person = as_role(self.inner, Human).attending(attention)
        return self.model_copy(update={"inner": person, "attention": attention})

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        verdicts = super().assess(claims, evidence)
        if not self.relative_risk or evidence is None:
            return verdicts
        advised, for_true = advice(evidence, claims)
        if not advised.any():
            return verdicts
        person = as_role(self.inner, Human)
        wrong = person.error_chance(claims)
        chance = Chance(person.pool.draws, ("desk", "automation bias", *person.seat), claims)
        follows = advised & (
            chance.uniform() < self.relative_risk * wrong / np.maximum(1 - wrong, 1e-9)
        )
        strength = np.abs(verdicts.evidence)
        advised_evidence = np.where(for_true, strength, -strength)
        return replace(verdicts, evidence=np.where(follows, advised_evidence, verdicts.evidence))


def seated(protocol: Component, attention: Attention | None, relative_risk: float) -> Component:
    """The protocol with all its people at a desk, in this attention."""

    def seat(person: Component) -> Component:
        return Seated(inner=person, attention=attention, relative_risk=relative_risk)

    return rewrite(protocol, PEOPLE_ROLE, seat)


def attending(protocol: Overseer, attention: Attention) -> Overseer:
    """A protocol whose people sit at a desk, prepared as it is, with people of this attention."""

    def change(_: str, part: Component) -> Component:
        return part.attending(attention) if isinstance(part, Seated) else part.mapped(change)

    return as_role(change("", protocol), Overseer)


def advice(evidence: Evidence, claims: Claims) -> tuple[BoolArray, BoolArray]:
    """Where all that was heard speaks for one side, and whether for "true"; over claims."""
    heard = [argument.side for argument in evidence.arguments]
    if evidence.aids:
        heard.append(np.asarray(evidence.report) > 0)
    if not heard:
        none = np.zeros(claims.shape, dtype=np.bool_)
        return none, none
    sides = [np.broadcast_to(side, claims.shape) for side in heard]
    alike = np.asarray(np.all([side == sides[0] for side in sides], axis=0))
    return alike, sides[0]


@dataclass(frozen=True)
class Team:
    """The people of a desk before the items of a pool: how attentive they are to each."""

    desk: Desk
    pool: Pool

    @cached_property
    def criterion(self) -> FloatArray | None:
        """How far "true" has to stand out, in standard deviations of what is seen, by node; None
        for 0.

        k log10(.5 / q) with q the share of the rarer answer among the items, negative where "true"
        is the frequent answer (Wolfe et al. 2005; MODEL 7).
        """
        if not self.desk.prevalence:
            return None
        prior = self.pool.template.marginals  # how often it is true of the items that people meet
        rare = np.clip(np.minimum(prior, 1 - prior), RAREST, 0.5)
        return np.asarray(np.sign(0.5 - prior) * self.desk.prevalence * np.log10(0.5 / rare))

    def rested(self) -> Attention | None:
        """Middling people at full effort; None where they have no habits either."""
        return None if self.criterion is None else self.middling(1.0)

    def middling(self, effort: float) -> Attention:
        """People of middling skill, in no hurry, with one effort for every item."""
        return self._attention((Manner(effort),), np.zeros(1), 0.0)

    def in_manner(self, manner: Manner) -> Attention:
        """These very people, all items worked on in one manner."""
        skill = skills(self.desk, self.pool, (manner,))
        return self._attention((manner,), skill, self.desk.skill_sd)

    def as_planned(self, table: Timetable) -> Attention:
        """These very people, each item worked on in the manner of its sitting."""
        skill = skills(self.desk, self.pool, table.manners)
        attention = self._attention(table.manners, skill, self.desk.skill_sd)
        return replace(attention, row=table.manner, done=table.done)

    def _attention(
        self, manners: tuple[Manner, ...], skill: FloatArray, skill_sd: float
    ) -> Attention:
        items = self.pool.draws.items
        return Attention(
            row=np.zeros(items, dtype=np.int64),
            effort=np.array([manner.effort for manner in manners]),
            pace=np.array([manner.pace for manner in manners]),
            skill=skill,
            skill_sd=skill_sd,
            criterion=self.criterion,
            done=np.ones(items, dtype=np.bool_),
        )


def skills(desk: Desk, pool: Pool, manners: tuple[Manner, ...]) -> FloatArray:
    """By manner, the log-odds by which its person is more often right than a middling one: skill_sd
    N(0, 1), the same for a colleague in every protocol of a replicate (MODEL 7)."""
    if not desk.skill_sd:
        return np.zeros(len(manners))
    who = np.array([manner.person for manner in manners])
    luck = stream(pool.draws.seed, "desk", "skill", *pool.draws.key[:2])
    own = luck.standard_normal(int(who.max()) + 1)
    return np.asarray(desk.skill_sd * own[who])
