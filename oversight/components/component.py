"""Parts of a protocol, and the one walk over them.

Every mechanism takes an overseer and is an overseer. What it takes is held in fields (*slots*)
named after the role they play: judge, checker, evaluator, debater, assistant, aggregator. `rewrite`
reaches a role through any nesting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field

from oversight.components.profiles import reading_minutes
from oversight.core.claims import Claims, Verdicts
from oversight.core.config import Config, config_key, default_of
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance

if TYPE_CHECKING:
    from oversight.worlds.base import Pool, Setting

Slot = tuple[str, "Component"]
Tries = dict[str, tuple[Any, ...]]
"""Values of knobs that a search tries, by knob."""


class Component(Config):
    """A part of a protocol: knobs, and slots that hold other components. Frozen; `prepare` returns
    a bound copy."""

    name: ClassVar[str] = ""
    draws_alike: ClassVar[tuple[str, ...]] = ()
    """Knobs that change what is paid and no draw, so that results can be compared bit for bit."""

    copy_number: int = Field(0, exclude=True)
    """Which of several identical siblings this is; people and draws of different copies differ
    (MODEL 9)."""

    _fixed: tuple[float, float] = (0.0, 0.0)

    def slots(self) -> Iterator[Slot]:
        """The components held, with the role each plays; a list of them plays one role."""
        for role in type(self).model_fields:
            value = getattr(self, role)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Component):
                    yield role, part

    def mapped(self, change: Callable[[str, Component], Component]) -> Self:
        """A copy with every held component replaced by `change(role, component)`."""
        new: dict[str, Any] = {}
        for role in type(self).model_fields:
            value = getattr(self, role)
            if isinstance(value, Component):
                new[role] = change(role, value)
            elif isinstance(value, tuple) and any(isinstance(part, Component) for part in value):
                new[role] = tuple(change(role, p) if isinstance(p, Component) else p for p in value)
        return self.model_copy(update=new)

    def identity(self, of_draws: bool = False) -> str:
        """What this is, as text: name and non-default knobs, nested; not where it stands or which
        copy it is. `of_draws` leaves out the knobs that change no draw."""
        fields = type(self).model_fields
        skipped = {"copy_number", *(self.draws_alike if of_draws else ())}
        told = {}
        for key in sorted(set(fields) - skipped):
            own, default = getattr(self, key), default_of(self, key)
            if own is not default and (says := _says(own, of_draws)) != _says(default, of_draws):
                told[key] = says
        return f"{self.name}({', '.join(f'{key}={says}' for key, says in told.items())})"

    def __eq__(self, other: object) -> bool:
        """Whether the other is the same in kind and knobs, made of the same people; what either was
        prepared for does not matter."""
        if type(self) is not type(other):
            return False
        assert isinstance(other, Component)
        return self.identity() == other.identity() and self._copies() == other._copies()

    def __hash__(self) -> int:
        return hash(self.identity())

    def _copies(self) -> list[Any]:
        return [self.copy_number, *(part._copies() for _, part in self.slots())]

    def width(self) -> int:
        """How many copies of a person, or of its own draws, one of these uses up."""
        return max((part.width() for _, part in self.slots()), default=1)

    def sibling(self, number: int) -> Self:
        """The `number`-th identical sibling: the same protocol with other people and other luck."""
        return self if number == 0 else self._shifted(number * self.width())

    def _shifted(self, by: int) -> Self:
        moved = self.mapped(lambda _, part: part._shifted(by))
        return moved.model_copy(update={"copy_number": self.copy_number + by})

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        """A copy bound to a pool, its slots first; override to do what must see the whole pool
        (fitting)."""
        return self.mapped(lambda _, part: part.prepare(pool, setting))

    def problems(self, world: Any) -> list[tuple[str, str]]:
        """What does not fit the world it is to work in: (knob, what is wrong)."""
        return []

    def fixed_cost(self) -> tuple[float, float]:
        """(human minutes, model calls) that `prepare` spent, here and in every slot."""
        spent = [self._fixed, *(part.fixed_cost() for _, part in self.slots())]
        return sum(minutes for minutes, _ in spent), sum(calls for _, calls in spent)


def _says(value: object, of_draws: bool) -> str:
    if isinstance(value, Component):
        return value.identity(of_draws)
    if isinstance(value, tuple):
        return f"[{', '.join(_says(part, of_draws) for part in value)}]"
    return config_key(value)


class Overseer(Component):
    """Whoever can judge claims: a person, a model, a mechanism, a protocol of many."""

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        """Judge the claims, given evidence put forward so far. Pure once prepared: any batch, any
        order."""
        raise TypeError(f"{type(self).__name__} does not say how it assesses claims")

    def reliability(self, node: int) -> float:
        """The chance that this overseer's answer about a node is right, as far as it knows
        itself."""
        raise TypeError(f"{type(self).__name__} does not say how accurate it is")


class Mechanism(Overseer):
    """An overseer made of others. A subclass gives `name`, knobs as fields, slots, and `assess`.

    `self.pool` is the pool it was prepared for, `self.chance(claims)` its own draws for the claims
    at hand.
    """

    citation: ClassVar[str] = ""
    tries: ClassVar[Tries] = {}
    """What a search tries; knobs that are not here stay at their defaults."""

    _pool: Pool | None = None
    _setting: Setting | None = None
    _identity: str = ""

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError(f"{self.name}: call prepare(pool, setting) before assess")
        return self._pool

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        prepared = super().prepare(pool, setting)
        prepared._pool = pool
        prepared._setting = setting
        prepared._identity = self.identity(of_draws=True)
        return prepared

    def chance(self, claims: Claims) -> Chance:
        """This mechanism's own draws, keyed by its configuration and copy number."""
        return Chance(self.pool.draws, (self._identity, self.copy_number), claims)

    def read(self, verdicts: Verdicts, evidence: Evidence | None) -> Verdicts:
        """Verdicts of a mechanism whose parts were not shown the evidence, after a person has read
        it in the end."""
        if evidence is None:
            return verdicts
        assert self._setting is not None
        people = self._setting.people
        found = verdicts.evidence + people.confidence * evidence.push
        minutes = verdicts.minutes + reading_minutes(people.minutes, evidence)
        return replace(verdicts, evidence=found, minutes=minutes)

    def reliability(self, node: int) -> float:
        """The mean confidence it states over the whole pool."""
        verdicts = self.assess(Claims.of(self.pool.everyone, node))
        return float(verdicts.confidence.mean())


class Wrapper(Component):
    """Stands in for another component, as a failure does; streams take it for the one inside."""

    inner: Any

    def identity(self, of_draws: bool = False) -> str:
        inner: str = self.inner.identity(of_draws)
        return inner

    def width(self) -> int:
        inner: int = self.inner.width()
        return inner

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_") or attribute == "inner":
            return super().__getattr__(attribute)  # type: ignore[misc]
        return getattr(self.inner, attribute)


class OverseerWrapper(Wrapper, Overseer):
    """A wrapper of an overseer that, as it stands, changes nothing."""

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        verdicts: Verdicts = self.inner.assess(claims, evidence)
        return verdicts

    def reliability(self, node: int) -> float:
        reliability: float = self.inner.reliability(node)
        return reliability


class Known(OverseerWrapper):
    """A prepared overseer and what it said of some claims: who asks again is told the same."""

    _claims: Claims | None = None
    _verdicts: Verdicts | None = None

    @staticmethod
    def of(prepared: Overseer, claims: Claims, verdicts: Verdicts) -> Known:
        known = Known(inner=prepared)
        known._claims, known._verdicts = claims, verdicts
        return known

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        return self

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if claims is self._claims and evidence is None and self._verdicts is not None:
            return self._verdicts
        return super().assess(claims, evidence)


def roles_of(component: Component) -> set[str]:
    """The roles that are played anywhere in a protocol, "people" among them where there are any."""
    found = {"people"} if component.name == "human" else set()
    for role, part in component.slots():
        found |= {role} | roles_of(part)
    return found


def rewrite(
    component: Component, role: str, wrapper: Callable[[Component], Component]
) -> Component:
    """The protocol with `wrapper` applied to every component that plays `role`, through any
    nesting, inside out.

    The role "people" is every person, whatever slot they sit in; the whole protocol plays the role
    "protocol".
    """
    return _rewritten("protocol", component, role, wrapper)


def _rewritten(
    plays: str, component: Component, role: str, wrapper: Callable[[Component], Component]
) -> Component:
    inside = component.mapped(lambda r, part: _rewritten(r, part, role, wrapper))
    matches = role == plays or (role == "people" and component.name == "human")
    return wrapper(inside) if matches else inside
