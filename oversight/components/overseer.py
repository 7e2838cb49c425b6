"""Overseers, and the mechanisms that are overseers made of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from oversight.components.component import Component, Prepared
from oversight.components.profiles import Setting, reading_minutes
from oversight.core.claims import Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance
from oversight.worlds.base import Pool

Tries = dict[str, tuple[Any, ...]]
"""Values of knobs that a search tries, by knob."""


class Overseer(Component):
    """Whoever can judge claims: a person, a model, a mechanism, a protocol of many."""

    can_play: ClassVar[tuple[str, ...]] = ("judge", "evaluator", "checker")

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        """Verdicts on the claims, given the evidence put forward so far.

        Pure once prepared: it writes nothing, and any batch in any order gets the same numbers.
        (The pool keeps what it has drawn: the same numbers again, without the work.)
        """
        raise TypeError(f"{type(self).__name__} defines no assess(claims, evidence)")

    def reliability(self, node: int) -> float:
        """The chance that this overseer's answer about a node is right, as far as it knows
        itself; in [0, 1]."""
        raise TypeError(f"{type(self).__name__} defines no reliability(node)")


@dataclass(frozen=True, kw_only=True)
class PreparedMechanism(Prepared):
    """What a mechanism is bound to. identity: the name under which its draws are made."""

    identity: str


class Mechanism(Overseer):
    """An overseer made of others. A subclass gives `name`, knobs as fields, slots, and `assess`.

    Once it is prepared, `self.pool` is the pool it works on and `self.chance(claims)` its own
    draws for some claims.

    citation  where it was published
    tries     values that a search for protocols tries; other knobs stay at their defaults
    """

    citation: ClassVar[str] = ""
    tries: ClassVar[Tries] = {}

    @property
    def bound(self) -> PreparedMechanism:
        """What it was prepared for. Raises RuntimeError before that."""
        if not isinstance(self.prepared, PreparedMechanism):
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) before assess")
        return self.prepared

    @property
    def pool(self) -> Pool:
        """The pool it was prepared for."""
        return self.bound.pool

    @property
    def assigns_sides(self) -> bool:
        """Whether copies of the strong model in its slots do nothing but argue for sides that are
        assigned to them, whatever they believe. Rivals among them then do what honest copies do."""
        return False

    def unfolded(self) -> Self:
        """This mechanism with the parts that really work: `votes: 3` are three people, equal
        members are different ones. Draws stay those of the mechanism as written."""
        return self

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        bound = self.bound_to(pool, setting)
        return bound.mapped(lambda _, part: part.prepare(pool, setting))

    def bound_to(self, pool: Pool, setting: Setting) -> Self:
        """This mechanism unfolded and bound to a pool, with parts that are not prepared yet: enough
        to make its own draws."""
        identity = self.identity(of_draws=True)
        return self.unfolded().with_prepared(PreparedMechanism(pool, setting, identity=identity))

    def claims_of(self, slot: str, claims: Claims) -> Claims:
        """The claims that the part in `slot` is asked about when this mechanism is asked about
        claims of one node; several claims for each stand in rows."""
        return claims

    def looks_again(
        self, slot: str, claims: Claims, answers: Callable[[bool], Verdicts]
    ) -> FloatArray | None:
        """The chance, over claims, that somebody else judges again what the part in `slot` answers;
        None where nobody ever does. Its coins count as thrown: then the chance is 0 or 1.

        claims   of every item of the pool, about one node, or several in rows
        answers  the verdicts of that part on the claims: where the strong model attacks all of
                 them (True), or none (False)
        """
        return None

    def chance(self, claims: Claims) -> Chance:
        """This mechanism's own draws, keyed by its configuration and copy number."""
        return Chance(self.pool.draws, (self.bound.identity, self.copy_number), claims)

    def read(self, verdicts: Verdicts, evidence: Evidence | None) -> Verdicts:
        """Verdicts of a mechanism whose parts were not shown the evidence, after a person has read
        it in the end."""
        if evidence is None:
            return verdicts
        people = self.bound.setting.people
        return replace(
            verdicts,
            evidence=verdicts.evidence + people.confidence * evidence.push,
            minutes=verdicts.minutes + reading_minutes(people.minutes, evidence),
        )

    def reliability(self, node: int) -> float:
        """The mean confidence it states over the whole pool."""
        return float(self.assess(self.pool.claims(node)).confidence.mean())
