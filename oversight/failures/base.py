"""Failures: wrappers that make one role of a protocol go wrong, by a severity (MODEL 8).

A failure knows the role that it strikes and no mechanism. No mechanism knows a failure. Every
formula uses `strength(claims)`, an array that is 0 where nothing goes wrong. There the formula must
give what the role gives, bit for bit. Slices of items and an onset then work for every failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from oversight.components.component import Component, Prepared
from oversight.components.profiles import Setting
from oversight.components.wrappers import OverseerWrapper, roles_of
from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, Verdicts
from oversight.core.config import Amount, Config, Share, Switch, Whole, config_key
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance
from oversight.overseers.roles import RoleWrapper
from oversight.worlds.base import Pool, World

LAST: tuple[str, ...] = ("tree", "labels", "student")
"""Roles that are no slot of a protocol: the tree it works with, the labels it gives in the end, and
who learns from them."""
UNMEASURED = 0.25
"""The severity at which rankings count a failure that nobody measured."""

Some = Annotated[Share, Field(gt=0)]


class Slice(Config):
    """The items that a failure strikes: those that fit every field that is given. All items if no
    field is given."""

    key_name: ClassVar[str] = "Slice"

    share: Some | None = Field(None, description="a random share of the items")
    region: Some | None = Field(
        None, description="the share that lies farthest along a fixed direction of the items' x"
    )
    answer: Switch | None = Field(None, description="those whose intended answer is this")
    first: Whole | None = Field(None, description="from this item on")
    last: Whole | None = Field(None, description="up to and with this item")

    @model_validator(mode="after")
    def _in_order(self) -> Slice:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError(f"holds no item: first {self.first} comes after last {self.last}")
        return self

    def problem(self, items: int) -> str | None:
        """Why the slice holds none of so many items, or None if it may hold some."""
        if self.first is not None and self.first >= items:
            return f"holds no item from {self.first} on: there are {items}, counted from 0"
        return None

    def holds(self, pool: Pool) -> BoolArray:
        """Whether each item of a pool is in the slice, bool over items."""
        everyone = pool.everyone
        held = np.ones(everyone.shape, dtype=np.bool_)
        if self.share is not None:
            held &= pool.draws.column("random", 0, "slice") < self.share
        if self.region is not None:
            held &= depth(pool) < self.region
        if self.answer is not None:
            held &= pool.intended == self.answer
        if self.first is not None:
            held &= everyone >= self.first
        if self.last is not None:
            held &= everyone <= self.last
        return held


class Onset(Config):
    """Where a failure begins: with which item, and at which height of the tree."""

    key_name: ClassVar[str] = "Onset"

    item: Whole = Field(0, description="the first item it strikes; items come in order")
    level: Whole = Field(0, description="the lowest height of a claim it strikes; 0 is the leaves")

    def problem(self, items: int, height: int) -> str | None:
        """Why it never begins, given the number of items and the height of the tree, or None."""
        if self.item >= items:
            return f"item {self.item} never comes: there are {items}, counted from 0"
        if self.level > height:
            return f"level {self.level} never comes: the tree is {height} levels high"
        return None


def depth(pool: Pool) -> FloatArray:
    """The rank of each item along a fixed random direction of x, in (0, 1), over items. Small is
    far out."""
    return pool.draws.kept(("region",), lambda: _ranked(pool))


def _ranked(pool: Pool) -> FloatArray:
    # A class that a student can recognize: its border is a plane in the representation.
    direction = pool.draws.generator("region").standard_normal(pool.x.shape[1])
    rank = np.argsort(np.argsort(-(pool.x @ direction), kind="stable"), kind="stable")
    return np.asarray((rank + 0.5) / rank.size)


@dataclass(frozen=True, kw_only=True)
class PreparedFailure(Prepared):
    """What a failure is bound to.

    struck  the items it strikes, over the pool
    who     the part that fails, as text, so that its draws are its own; empty where all that fail
            fail alike
    """

    struck: BoolArray
    who: str = ""


class Failure(RoleWrapper):
    """One way in which a role goes wrong. A subclass gives the class attributes below and overrides
    what goes wrong.

    name        its name in scenario files
    can_strike  the roles that it can strike. It strikes every slot that plays one
                (`Component.plays`), unless `on` names one
    knob        what severity turns, with its unit: 0 at severity 0, `most` at severity 1
    source      where it comes from, and how it is calibrated if somebody measured it
    rate        the knob's value that a source measured; None where none did. Rankings count the
                failure there (`stated`)
    why_flat    why its response may be flat or rise for every protocol; empty where that is a bug
    partial     whether it can be limited to some items
    decides     whether it decides what its role does, so that no other one of that kind can strike
                together with it
    requires    what the world must have (`World.has`); elsewhere it does not apply
    """

    can_strike: ClassVar[tuple[str, ...]] = ()
    knob: ClassVar[str] = ""
    source: ClassVar[str] = ""
    rate: ClassVar[float | None] = None
    why_flat: ClassVar[str] = ""
    partial: ClassVar[bool] = True
    decides: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset()

    on: str | None = Field(None, description="the role it strikes; every one it can, if left out")
    most: Amount = Field(1.0, description="the knob's value at severity 1")
    items: Slice = Field(Slice(), description="the items it strikes")
    onset: Onset = Field(Onset(), description="the item or level from which on it strikes")
    severity: Share = Field(1.0, exclude=True)
    below_root: bool = Field(False, exclude=True)
    """Whether it spares claims that are an item's own question."""

    @field_validator("on", mode="before")
    @classmethod
    def _one_spelling(cls, on: object) -> object:
        return on.replace(" ", "_") if isinstance(on, str) else on

    @property
    def needs(self) -> frozenset[str]:
        return self.requires

    @property
    def stated(self) -> float:
        """The severity at which rankings count it: that of the measured rate, at most 1; 0.25 where
        nobody measured one."""
        return UNMEASURED if self.rate is None else self.rate / max(self.rate, self.most)

    @property
    def bound(self) -> PreparedFailure:
        """What it was prepared for. Raises RuntimeError before that."""
        if not isinstance(self.prepared, PreparedFailure):
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) first")
        return self.prepared

    @property
    def pool(self) -> Pool:
        """The pool it was prepared for."""
        return self.bound.pool

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        inside = super().prepare(pool, setting)
        return inside.with_prepared(self.strikable(pool, setting))

    def strikable(self, pool: Pool, setting: Setting) -> PreparedFailure:
        """The items of a pool that it strikes, and the name under which it draws."""
        # A person fails in a way of their own; labels fail alike.
        who = "" if self.on in LAST else self.identity(of_draws=True)
        return PreparedFailure(pool, setting, struck=self.items.holds(pool), who=who)

    def roles_in(self, protocol: Component) -> list[str]:
        """The roles of a protocol that it strikes, by name."""
        has = roles_of(protocol).union(LAST)
        return [role for role in self.aims if role in has]

    def refusal(self, protocol: Component, world: World) -> str:
        """Why it strikes no role of a protocol in a world, in words; empty where it does."""
        return self.unmet(world).partition(";")[0]

    @property
    def aims(self) -> tuple[str, ...]:
        """The roles that it is meant for: the one that `on` names, or all that it can strike."""
        return self.can_strike if self.on is None else (self.on,)

    def around(self, inner: Component, role: str, severity: float) -> Component:
        """A component that plays `role`, struck by this failure: by default, wrapped in it."""
        return self.model_copy(update={"inner": inner, "on": role, "severity": severity})

    def described(self) -> str:
        """What this failure is, as text: its name and the knobs that differ from the default."""
        fields = type(self).model_fields
        knobs = {k: getattr(self, k) for k in sorted(self.file_keys())}
        changed = [f"{k}={config_key(v)}" for k, v in knobs.items() if v != fields[k].get_default()]
        return f"{self.name}({', '.join(changed)})"

    def strength(self, claims: Claims) -> FloatArray:
        """The value of the knob over claims: severity x `most` where it strikes, 0 elsewhere."""
        struck = self.bound.struck[claims.item] & (claims.item >= self.onset.item)
        if self.onset.level > 0:
            struck = struck & (self.pool.template.heights[claims.node] >= self.onset.level)
        if self.below_root:
            struck = struck & (claims.node != ROOT)
        struck = np.broadcast_to(struck, claims.shape)
        return np.where(struck, self.severity * self.most, 0.0)

    def strikes(self, claims: Claims, *name: str | int) -> BoolArray:
        """Where it strikes if the knob is a chance, bool over claims. A higher severity keeps the
        claims that a lower one strikes and adds more."""
        return np.asarray(self.chance(claims).uniform("strikes", *name) < self.strength(claims))

    def chance(self, claims: Claims) -> Chance:
        """Its own draws for these claims. They depend neither on severity nor on what it is nested
        in."""
        return Chance(
            self.pool.draws,
            ("failure", self.name, self.on or "", self.bound.who, self.seat),
            claims,
        )

    @property
    def seat(self) -> int:
        """Which of several identical siblings it strikes, as a number. Override it where one cause
        strikes all of them."""
        return self.copy_number


class OverseerFailure(Failure, OverseerWrapper):
    """A failure of an overseer: of the evidence that it hears, or of the verdicts that it gives."""

    def hear(self, claims: Claims, evidence: Evidence) -> Evidence:
        """The evidence as it reaches the overseer. By default it is unchanged."""
        return evidence

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        """The verdicts as the overseer gives them. `evidence` is what reached it. By default they
        are unchanged."""
        return verdicts

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        heard = None if evidence is None else self.hear(claims, evidence)
        healthy = super().assess(claims, heard)
        verdicts = self.say(claims, evidence, healthy)
        if not claims.traced or not self.severity:
            return verdicts
        return verdicts.with_trace(f"{self.name} of severity {self.severity:g}", {})


class PoolFailure(OverseerFailure):
    """A failure of what an overseer or a whole protocol works with: it gets another view of the
    pool."""

    def view(self, pool: Pool) -> Pool:
        """The pool as it looks under this failure."""
        raise TypeError(f"{type(self).__name__} defines no view(pool)")

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        failing = self.with_prepared(self.strikable(pool, setting))
        seen = failing.view(pool) if self.severity else pool
        return failing.mapped(lambda _, part: part.prepare(seen, setting))


class StudentFailure(Failure):
    """A failure of the student: of what it sees, what it learns from, or what it answers."""
