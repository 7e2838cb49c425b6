"""A study: what a scenario file says, checked. The unit that everything else runs, stores and
shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from math import prod
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SkipValidation,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.profiles import ModelSettings, PeopleSettings, Setting, accuracy_problem
from oversight.core.config import (
    Config,
    Count,
    default_of,
    error_at,
    expecting,
    raise_all,
)
from oversight.core.errors import KnobError, PluginError
from oversight.core.kinds import by_kind
from oversight.core.plugins import plugins
from oversight.desk.settings import Desk
from oversight.failures.injection import Injection, InjectionField
from oversight.overseers.slots import OverseerSlot
from oversight.studies.design import Design
from oversight.studies.knobs import varied
from oversight.studies.sensitivity import Sensitivity
from oversight.studies.sweep import MOST_POINTS, Sweep

SCHEMA = 1
UNAIDED = "unaided"
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**64)]


def _plugin(group: str, default: str) -> BeforeValidator:
    """Read a section whose `kind` names a plugin."""

    def read(value: Any, info: Any) -> Any:
        return by_kind(value, plugins(group), default, context=info.context)

    return BeforeValidator(read)


World = Annotated[
    SkipValidation[Any], _plugin("worlds", "concept"), WithJsonSchema({"x-ref": "world"})
]
Student = Annotated[
    SkipValidation[Any], _plugin("students", "linear"), WithJsonSchema({"x-ref": "student"})
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


class Case(NamedTuple):
    """What a row of results is about: a protocol, and the failure it suffers, if any."""

    protocol: str
    failure: str = ""
    severity: float = 0.0


class Study(Config):
    """A scenario with everything resolved.

    Python users build one from parts: `Study(protocols={"mine":
    Decomposition(checker=Debate(turns=2))})`.
    """

    oversight: Schema = SCHEMA
    name: Annotated[str, Field(min_length=1, max_length=80)] = "study"
    about: str = ""
    seed: Seed = 0
    replicates: Annotated[Count, Field(le=1_000_000)] = 20
    world: World = Field(default_factory=lambda: plugins("worlds").get("concept")())
    overseer: PeopleSettings = PeopleSettings()
    model: ModelSettings = ModelSettings()
    student: Student = Field(default_factory=lambda: plugins("students").get("linear")())
    protocols: dict[str, OverseerSlot]
    failures: dict[str, InjectionField] = Field(default_factory=dict)
    desk: Desk | None = None
    sweep: Sweep = Field(default_factory=dict)
    design: Design | None = None
    sensitivity: Sensitivity | None = None

    DECIDE: ClassVar[tuple[str, ...]] = ("seed", "world", "overseer", "model", "student")

    @field_validator("protocols")
    @classmethod
    def _named(cls, protocols: dict[str, Overseer]) -> dict[str, Overseer]:
        if not protocols:
            raise ValueError(
                "no protocols to compare; expected at least one, like `debate: {debate: {}}`"
            )
        bad = [
            name
            for name in protocols
            if not name.strip() or len(name) > 60 or not name.isprintable()
        ]
        raise_all(
            "protocols",
            [error_at("expected a name of 1 to 60 printable characters", (name,)) for name in bad],
        )
        return protocols

    @field_validator("failures", "sweep", mode="before")
    @classmethod
    def _none_or_some(cls, section: Any) -> Any:
        return {} if section is None else section

    @field_validator("failures")
    @classmethod
    def _failures_named(cls, failures: dict[str, Injection]) -> dict[str, Injection]:
        bad = [n for n in failures if not n.strip() or len(n) > 60 or not n.isprintable()]
        says = "expected a name of 1 to 60 printable characters"
        raise_all("failures", [error_at(says, (name,)) for name in bad])
        return failures

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        errors: list[InitErrorDetails] = []
        ceiling, tree = self.world.best_accuracy, self.world.task_tree
        for section, settings in (("overseer", self.overseer), ("model", self.model)):
            if problem := accuracy_problem(settings.accuracy, ceiling, tree.height):
                errors.append(error_at(problem, (section, "accuracy")))
        if problem := self.student.problem(self.world.width):
            errors.append(error_at(problem, ("student", "features")))
        for name, protocol in self.protocols.items():
            for path, part in _parts(protocol, ("protocols", name)):
                errors += [error_at(says, (*path, key)) for key, says in part.problems(self.world)]
                if unmet := part.unmet(self.world):
                    errors.append(error_at(unmet, path))
        try:
            plugins("mechanisms").get("direct")  # the baseline is always run
        except PluginError as error:
            errors.append(error_at(str(error), ("protocols",)))
        items, height = self.world.items("train"), tree.height
        for name, failure in self.failures.items():
            found = failure.problems(self.protocols.values(), items, height)
            errors += [error_at(says, ("failures", name, *path)) for path, says in found]
        if self.design is not None:
            found = self.design.problems(self.failures)
            errors += [error_at(says, ("design", *path)) for path, says in found]
        errors += self._misplaced()
        if UNAIDED in self.protocols and self.baseline_protocol is None:
            says = "names the baseline, which is `direct: {}`; call this protocol something else"
            errors.append(error_at(says, ("protocols", UNAIDED)))
        raise_all("study", errors)
        return self

    def _misplaced(self) -> list[InitErrorDetails]:
        """What is wrong with the sweep: every value must make a scenario that could be a file."""
        errors = []
        plain = self.still
        ranges = self.sensitivity.knobs if self.sensitivity else {}
        for where, knobs in ((("sweep",), self.sweep), (("sensitivity", "knobs"), ranges)):
            for path, values in knobs.items():
                for value in values:
                    try:
                        varied(plain, path, value)
                    except KnobError as error:
                        says = str(error).removeprefix(f"{path}: ")
                        errors.append(error_at(says, (*where, path)))
                        break
        points = prod(len(values) for values in self.sweep.values())
        if points > MOST_POINTS:
            says = f"{points:,} points; at most {MOST_POINTS:,} are run at once"
            errors.append(error_at(says, ("sweep",)))
        return errors

    @property
    def still(self) -> Study:
        """The study with nothing about how to vary it."""
        return self.model_copy(update={"sweep": {}, "sensitivity": None})

    @property
    def baseline_protocol(self) -> str | None:
        """The protocol that is written `direct: {}`, if any: the unaided overseer."""
        same = (
            name
            for name, p in self.protocols.items()
            if p.name == "direct" and p.identity() == "direct()"
        )
        return next(same, None)

    @property
    def cells(self) -> dict[str, Overseer]:
        """Every protocol to run, the unaided overseer among them, first where it was not asked
        for."""
        if self.baseline_protocol is not None:
            return dict(self.protocols)
        return {UNAIDED: plugins("mechanisms").get("direct")(), **self.protocols}

    def cases(self, failures: Mapping[str, Injection] | None = None) -> list[Case]:
        """Every protocol as it is, then under every failure that applies to it, at each of its
        severities."""
        found = [Case(name) for name in self.cells]
        for failure, injected in (failures or {}).items():
            found += [
                Case(name, failure, severity)
                for name, protocol in self.cells.items()
                if injected.roles_in(protocol)
                for severity in injected.severity
            ]
        return found

    @property
    def baseline(self) -> str:
        """The name of the unaided overseer among the cells."""
        return self.baseline_protocol or UNAIDED

    @property
    def setting(self) -> Setting:
        return Setting(self.overseer, self.model)

    def identity(self) -> str:
        """A digest of what decides the numbers of a replicate, apart from protocols: not name,
        about or replicates, and no option that is left at its default."""
        told = {key: _told(getattr(self, key)) for key in self.DECIDE}
        if self.desk is not None:
            told["desk"] = _told(self.desk)
        return self._digest(told)

    def _digest(self, told: dict[str, Any]) -> str:
        template = self.world.task_tree
        told["tree"] = [
            template.children,
            [g and (g.table, g.repeat) for g in template.gate],
            template.leaf_prior,
        ]
        text = json.dumps(told, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def resolved(self) -> dict[str, Any]:
        """The study as plain data, every default written out, in the order of the file format."""
        fields = type(self).model_fields
        return {key: _resolved(getattr(self, key)) for key in fields}


def _parts(
    component: Component, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Component]]:
    """Every component of a protocol with its path in the file."""
    path = (*path, component.name)
    yield path, component
    for role in type(component).model_fields:
        value = getattr(component, role)
        if isinstance(value, Component):
            yield from _parts(value, (*path, role))
        elif isinstance(value, tuple):
            for i, part in enumerate(value):
                if isinstance(part, Component):
                    yield from _parts(part, (*path, role, i))


def _told(value: Any) -> Any:
    """As `_resolved`, without what is left at its default."""
    if not isinstance(value, Config) or isinstance(value, Component):
        return _resolved(value)
    told = {}
    for key in type(value).file_keys():
        own, default = getattr(value, key), default_of(value, key)
        if key == "kind" or _resolved(own) != _resolved(default):
            told[key] = _told(own)
    return told


def _resolved(value: Any) -> Any:
    if isinstance(value, Injection):
        return _resolved(value.written())
    if isinstance(value, Component):
        knobs = {key: _resolved(getattr(value, key)) for key in type(value).file_keys()}
        return {value.name: {key: v for key, v in knobs.items() if v is not None}}
    if isinstance(value, Config):
        return {key: _resolved(getattr(value, key)) for key in type(value).file_keys()}
    if isinstance(value, Mapping):
        return {key: _resolved(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return [_resolved(v) for v in value]
    return value
