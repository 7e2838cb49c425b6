"""The sections of a scenario file, and how each is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SkipValidation,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from oversight.components.overseer import Overseer
from oversight.components.profiles import HONEST, ModelSettings, PeopleSettings, Strategy
from oversight.core.config import Config, Count, Seed, error_at, expecting, raise_all
from oversight.core.kinds import by_kind
from oversight.core.plugins import plugins
from oversight.desk.settings import Desk
from oversight.failures.injection import Injection, InjectionField
from oversight.overseers.slots import OverseerSlot
from oversight.students.base import Student
from oversight.studies.design import Design
from oversight.studies.play import Play
from oversight.studies.sensitivity import Sensitivity
from oversight.studies.sweep import Sweep
from oversight.worlds.base import World

SCHEMA = 1
"""The version of the file format that this program reads and writes."""


def _plugin(group: str, default: str) -> BeforeValidator:
    """Read a section whose `kind` names a plugin."""

    def read(value: object, info: ValidationInfo) -> Any:
        return by_kind(value, plugins(group), default, context=info.context)

    return BeforeValidator(read)


WorldSection = Annotated[
    SkipValidation[World], _plugin("worlds", "concept"), WithJsonSchema({"x-ref": "world"})
]
StudentSection = Annotated[
    SkipValidation[Student], _plugin("students", "linear"), WithJsonSchema({"x-ref": "student"})
]


def future(version: int) -> str:
    """What to say of a file written for a later program."""
    return f"version {version} is from the future of this program, which reads {SCHEMA}; upgrade it"


def _readable(version: int) -> int:
    if version > SCHEMA:
        raise ValueError(future(version))
    return version


Schema = Annotated[
    Count, expecting(f"expected the schema version, {SCHEMA}"), AfterValidator(_readable)
]


class Scenario(Config):
    """The sections of a scenario file, each checked by itself.

    oversight    version of the file format
    name, about  what it is called, and in a line what it asks
    seed         what all random draws start from
    replicates   how often everything is simulated, with new items, people and luck
    world        where items come from
    overseer     the people, unless a protocol has its own
    model        the strong model, unless a protocol has its own
    student      who learns from the labels
    protocols    what is compared, by name
    baseline     the protocol whose labels are "weak"; None for the unaided overseer
    failures     what can go wrong, by name
    strategies   what a strong model that plays to win may do, by name; None for the standard ones
    desk         the people's hours; None where time costs nothing
    sweep, design, sensitivity, play  what is varied by the commands of these names
    """

    oversight: Schema = SCHEMA
    name: Annotated[str, Field(min_length=1, max_length=80)] = "study"
    about: str = ""
    seed: Seed = 0
    replicates: Annotated[Count, Field(le=1_000_000)] = 20
    world: WorldSection = Field(default_factory=lambda: plugins("worlds").get("concept")())
    overseer: PeopleSettings = PeopleSettings()
    model: ModelSettings = ModelSettings()
    student: StudentSection = Field(default_factory=lambda: plugins("students").get("linear")())
    protocols: dict[str, OverseerSlot]
    baseline: str | None = Field(
        None, description='the protocol whose labels are "weak"; the unaided overseer if left out'
    )
    failures: dict[str, InjectionField] = Field(default_factory=dict)
    strategies: dict[str, Strategy] | None = Field(
        None, description="what `play` lets the strong model try, by name; left out: a standard set"
    )
    desk: Desk | None = None
    sweep: Sweep = Field(default_factory=dict)
    design: Design | None = None
    sensitivity: Sensitivity | None = None
    play: Play | None = None

    @field_validator("protocols")
    @classmethod
    def _protocols_named(cls, protocols: dict[str, Overseer]) -> dict[str, Overseer]:
        if not protocols:
            raise ValueError(
                "no protocols to compare; expected at least one, like `debate: {debate: {}}`"
            )
        _named("protocols", protocols)
        return protocols

    @field_validator("failures", "sweep", mode="before")
    @classmethod
    def _none_or_some(cls, section: object) -> object:
        return {} if section is None else section

    @field_validator("failures")
    @classmethod
    def _failures_named(cls, failures: dict[str, Injection]) -> dict[str, Injection]:
        _named("failures", failures)
        return failures

    @field_validator("strategies")
    @classmethod
    def _strategies_named(cls, named: dict[str, Strategy] | None) -> dict[str, Strategy] | None:
        if named is None:
            return None
        if not named:
            raise ValueError(
                "no strategies to play; expected at least one, like `liar: {share: 0.2}`, or leave "
                "the section out for the standard ones"
            )
        _named("strategies", named)
        reserved = [name for name in named if looks(name) == HONEST]
        message = "is always played, without a strategy; call this one something else"
        raise_all("strategies", [error_at(message, (name,)) for name in reserved])
        return named

    def changed(self, **fields: Any) -> Self:
        """The same with other values in these fields, checked as a file is: the fields themselves,
        and whatever hangs on them in other sections. (Only a file, or a new study, is refused where
        a failure finds no role to strike: stress tests and searches try failures that strike some.)

        Raises pydantic's ValidationError with every error.

        >>> Scenario(protocols={"asking": "direct"}).changed(replicates=3).replicates
        3
        """
        whole = {key: getattr(self, key) for key in type(self).model_fields}
        context = {"changed": frozenset(fields)}
        return type(self).model_validate({**whole, **fields}, context=context)

    @property
    def still(self) -> Self:
        """The same with nothing about how to vary it."""
        if not self.sweep and self.sensitivity is None:
            return self
        return self.changed(sweep={}, sensitivity=None)


def _named(section: str, names: Iterable[str]) -> None:
    """Refuse names that do not fit into a table."""
    bad = [n for n in names if not n.strip() or len(n) > 60 or not n.isprintable()]
    message = "expected a name of 1 to 60 printable characters"
    errors = [error_at(message, (name,)) for name in bad]
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(looks(name), name)
        if other != name:
            errors.append(error_at(f"looks like {other!r} in a table; rename one", (name,)))
    raise_all(section, errors)


def looks(name: str) -> str:
    """A name as a reader sees it: without the blanks around it, accents composed.

    >>> looks("cafe\u0301 ") == looks("caf\u00e9")
    True
    """
    return unicodedata.normalize("NFC", name.strip())
