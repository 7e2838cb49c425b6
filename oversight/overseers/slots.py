"""Types of slots: how a protocol is read from a scenario file and checked in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SkipValidation, ValidationError, WithJsonSchema

from oversight.components.component import Component, Overseer
from oversight.core.config import error_at, errors_of, raise_all
from oversight.core.errors import PluginError
from oversight.core.plugins import plugins
from oversight.overseers.aggregation import Aggregator
from oversight.overseers.human import Human
from oversight.overseers.model import Agent, Model
from oversight.overseers.reward_model import RewardModel

PLAIN: dict[str, type[Overseer]] = {"human": Human, "model": Model}
"""Overseers that are not mechanisms: a person and the strong model."""


def overseers() -> dict[str, Any]:
    """Everything that can stand where an overseer is asked for, by name."""
    return {**PLAIN, **plugins("mechanisms").loaded}


def _overseer(value: Any) -> Component:
    if isinstance(value, Component):
        if not hasattr(value, "assess"):
            raise ValueError(
                f"{value.name or type(value).__name__} is no overseer; expected one that "
                "assesses claims"
            )
        return value
    name, knobs = _named(value, "an overseer, like {debate: {turns: 2}} or human")
    if name in PLAIN:
        return _made(PLAIN[name], name, knobs)
    try:
        kind = plugins("mechanisms").get(name, besides=PLAIN)
    except PluginError as error:
        raise_all("overseer", [error_at(str(error), (name,))])
    return _made(kind, name, knobs)


def _agent(value: Any) -> Component:
    if isinstance(value, Component):
        if not hasattr(value, "believe"):
            raise ValueError(f"{value.name or type(value).__name__} is no agent; expected a model")
        return value
    name, knobs = _named(value, "an agent, like {model: {shared_bias: 0}}")
    if name != "model":
        raise ValueError(f"unknown agent {name!r}; expected model")
    return _made(Model, name, knobs)


def _named(value: Any, expected: str) -> tuple[str, Any]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        name, knobs = next(iter(value.items()))
        return str(name), knobs
    what = f"{len(value)} names" if isinstance(value, Mapping) else repr(value)
    raise ValueError(f"{what} where one is needed; expected {expected}")


def _made(kind: Any, name: str, knobs: Any) -> Component:
    given = knobs if isinstance(knobs, Mapping) else {}
    inside_only = [key for key in given if key in kind.model_fields and key not in kind.file_keys()]
    if inside_only:
        says = (
            "is set from Python or by a failure, not in a file; keys: "
            f"{', '.join(kind.file_keys())}"
        )
        raise_all(name, [error_at(says, (name, key)) for key in inside_only])
    try:
        made: Component = kind.model_validate({} if knobs is None else knobs)
    except ValidationError as error:
        raise_all(name, errors_of(error, (name,)))
    return made


def _instance(kind: type[Component], method: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if not hasattr(value, method):
            raise ValueError(
                f"{value!r} is no {kind.__name__}; expected something that can {method}"
            )
        return value

    return BeforeValidator(check)


OverseerSlot = Annotated[
    SkipValidation[Overseer],
    BeforeValidator(_overseer),
    WithJsonSchema({"x-ref": "overseer"}),
]
AgentSlot = Annotated[
    SkipValidation[Agent], BeforeValidator(_agent), WithJsonSchema({"x-ref": "agent"})
]
AggregatorSlot = Annotated[
    SkipValidation[Aggregator], _instance(Aggregator, "combine"), WithJsonSchema({})
]
RewardModelSlot = Annotated[
    SkipValidation[RewardModel], _instance(RewardModel, "fit"), WithJsonSchema({})
]
