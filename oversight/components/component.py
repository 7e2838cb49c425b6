"""Parts of a protocol: knobs, the slots that hold other parts, and what they are once prepared.

Every mechanism takes an overseer and is an overseer. What it takes is held in fields (*slots*)
named after the role they play: judge, checker, evaluator, debater, assistant, aggregator. A slot
of another name counts as what it takes can do, or as what its class declares in `does`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self, get_args

from pydantic import Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from oversight.components.profiles import Setting
from oversight.core.config import Config, config_key, default_of
from oversight.worlds.base import THINGS, Pool, World


class Slot(NamedTuple):
    """A component that another one holds, and the role it plays there."""

    role: str
    part: Component


class Plays(NamedTuple):
    """What a slot counts as.

    slot      its name
    roles     the roles that failures know it by, its name among them
    declared  whether its name or its class says so; otherwise it is all that its kind can play
    """

    slot: str
    roles: frozenset[str]
    declared: bool = True


class Cost(NamedTuple):
    """Human minutes (>= 0) and model calls (>= 0)."""

    minutes: float = 0.0
    calls: float = 0.0


NOTHING = Cost()


@dataclass(frozen=True)
class Prepared:
    """What a component is bound to by `prepare`; subclasses add what was fitted or looked up.

    pool, setting  the items it works on, and who works there
    cost           what its own preparation cost, the parts in its slots apart
    """

    pool: Pool
    setting: Setting
    cost: Cost = NOTHING

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Held by components as it is; never read from a file."""
        return core_schema.is_instance_schema(cls)


class Component(Config):
    """A part of a protocol: knobs, and slots that hold other components. Frozen; `prepare` returns
    a bound copy."""

    name: ClassVar[str] = ""
    draws_alike: ClassVar[tuple[str, ...]] = ()
    """Knobs that change what is paid and no draw, so that results can be compared bit for bit."""

    can_play: ClassVar[tuple[str, ...]] = ()
    """The roles of its kind: what a slot for it counts as, where nothing says more."""
    does: ClassVar[Mapping[str, str]] = {}
    """The role that a slot plays, by slot, where its name says nothing: `{"prover": "debater"}`."""

    STATE: ClassVar[frozenset[str]] = frozenset({"copy_number", "prepared"})
    """Fields that hold what it is bound to, and nothing of what it is."""

    copy_number: int = Field(0, exclude=True)
    """Which of several identical siblings this is; people and draws of different copies differ
    (MODEL 9)."""

    prepared: Annotated[Prepared | None, WithJsonSchema({})] = Field(None, exclude=True, repr=False)
    """What it is bound to; None before `prepare`."""

    _fixed: tuple[float, float] = (0.0, 0.0)  # plugins of the first version state their cost here

    @property
    def needs(self) -> frozenset[str]:
        """What the world must have (`World.has`) for this component, its slots apart."""
        return frozenset()

    def unmet(self, world: World) -> str:
        """What this component needs and the world does not have, in words; empty if it has all."""
        missing = [THINGS.get(thing, thing) for thing in sorted(self.needs - world.has)]
        if not missing:
            return ""
        return (
            f"needs {' and '.join(missing)}, and the world {world.kind} has none; expected a world "
            "that has, such as concept, or another part here"
        )

    def slots(self) -> Iterator[Slot]:
        """The components held, with the role each plays; a list of them plays one role."""
        for role in type(self).model_fields:
            value = getattr(self, role)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Component):
                    yield Slot(role, part)

    def plays(self, slot: str) -> Plays:
        """What one of its slots counts as: the role that `does` declares, else its name where that
        is a role of what it takes, else every role of that kind."""
        return _plays(type(self), slot)

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
        """Name and non-default knobs, nested, as text; not where it stands or which copy it is.

        of_draws  leaves out the knobs that change no draw
        """
        skipped = self.STATE.union(self.draws_alike if of_draws else ())
        knobs = {}
        for key in sorted(set(type(self).model_fields) - skipped):
            own, default = getattr(self, key), default_of(self, key)
            if own is not default and (text := _key(own, of_draws)) != _key(default, of_draws):
                knobs[key] = text
        return f"{self.name}({', '.join(f'{key}={text}' for key, text in knobs.items())})"

    def __eq__(self, other: object) -> bool:
        """Whether the other is the same in kind and knobs, made of the same people; what either was
        prepared for does not matter."""
        if type(self) is not type(other):
            return False
        assert isinstance(other, Component)
        return self.identity() == other.identity() and self.copy_numbers() == other.copy_numbers()

    def __hash__(self) -> int:
        return hash(self.identity())

    def copy_numbers(self) -> tuple[Any, ...]:
        """The copy numbers of this component and of all that it holds, nested."""
        return (self.copy_number, *(part.copy_numbers() for _, part in self.slots()))

    def width(self) -> int:
        """How many copies of a person, or of its own draws, one of these uses up."""
        return max((part.width() for _, part in self.slots()), default=1)

    def sibling(self, number: int) -> Self:
        """The `number`-th identical sibling: the same protocol with other people and other luck."""
        return self if number == 0 else self.shifted(number * self.width())

    def shifted(self, by: int) -> Self:
        """A copy whose copy numbers, and those of all that it holds, are higher by so much."""
        moved = self.mapped(lambda _, part: part.shifted(by))
        return moved.model_copy(update={"copy_number": self.copy_number + by})

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        """A copy bound to a pool, its slots first; override to do what must see the whole pool
        (fitting)."""
        bound = self.mapped(lambda _, part: part.prepare(pool, setting))
        return bound.with_prepared(Prepared(pool, setting))

    def with_prepared(self, prepared: Prepared) -> Self:
        """A copy that is bound to this."""
        return self.model_copy(update={"prepared": prepared})

    def spending(self, minutes: float, calls: float) -> Self:
        """A prepared copy whose preparation cost so many human minutes and model calls, the parts
        apart that it holds in slots or keeps elsewhere. What a part cost that is prepared, used and
        not kept belongs in here."""
        assert self.prepared is not None, "call prepare(pool, setting) first"
        return self.with_prepared(replace(self.prepared, cost=Cost(minutes, calls)))

    def problems(self, world: World) -> list[tuple[str, str]]:
        """What does not fit the world it is to work in: (knob, what is wrong)."""
        return []

    def fixed_cost(self) -> Cost:
        """What `prepare` spent, here, in every slot, and in the parts that it keeps elsewhere: in
        its prepared state, or in private attributes."""
        parts = [part for _, part in self.slots()]
        held = set(map(id, parts))
        parts += [part for part in self._kept() if id(part) not in held]
        spent = [self._fixed, *(part.fixed_cost() for part in parts)]
        if self.prepared is not None:
            spent.insert(0, self.prepared.cost)
        return Cost(sum(minutes for minutes, _ in spent), sum(calls for _, calls in spent))

    def _kept(self) -> Iterator[Component]:
        """Parts that it prepared itself and holds in no slot."""
        state = {} if self.prepared is None else vars(self.prepared)
        for value in (*state.values(), *(self.__pydantic_private__ or {}).values()):
            several = value.values() if isinstance(value, Mapping) else value
            for part in several if isinstance(several, ValuesView | tuple | list) else (value,):
                if isinstance(part, Component):
                    yield part


@cache
def _plays(holder: type[Component], slot: str) -> Plays:
    if slot in holder.does:
        return Plays(slot, frozenset({slot, holder.does[slot]}))
    roles = frozenset(_can_play(holder.model_fields[slot].annotation))
    if slot in roles or not roles:
        return Plays(slot, frozenset({slot}))
    return Plays(slot, roles | {slot}, declared=False)


def _can_play(annotation: object) -> Iterator[str]:
    """The roles of the kinds of component that an annotation names, through lists and options."""
    if isinstance(annotation, type) and issubclass(annotation, Component):
        for base in annotation.__mro__:
            yield from vars(base).get("can_play", ())
    for inner in get_args(annotation):
        yield from _can_play(inner)


def _key(value: object, of_draws: bool) -> str:
    if isinstance(value, Component):
        return value.identity(of_draws)
    if isinstance(value, tuple):
        return f"[{', '.join(_key(part, of_draws) for part in value)}]"
    return config_key(value)
