"""Types of slots: how a protocol is read from a scenario file and checked in Python."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, SkipValidation, WithJsonSchema

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.wrappers import inner_of
from oversight.core.config import Config
from oversight.core.kinds import by_name
from oversight.core.plugins import Plugins, plugins
from oversight.overseers.agent import Agent
from oversight.overseers.aggregation import Aggregator
from oversight.overseers.human import Human
from oversight.overseers.model import Model
from oversight.overseers.reward_model import RewardModel

PLAIN: dict[str, type[Overseer]] = {"human": Human, "model": Model}
"""Overseers that are not mechanisms: a person and the strong model."""

AGENTS = Plugins("agents", {"model": Model}, {}, ("model_validate", "believe"))
"""Whoever can argue, by name."""


@cache
def overseers() -> Plugins:
    """Every kind of component that can stand where a slot takes an overseer, by name."""
    return plugins("mechanisms").including(PLAIN)


def _overseer(value: object) -> object:
    if isinstance(value, Component):
        if inner_of(value, Overseer) is not None:
            return value
        name = value.name or type(value).__name__
        raise ValueError(f"{name} is no overseer; expected one that assesses claims")
    return by_name(value, overseers(), "an overseer, like {debate: {turns: 2}} or human")


def _agent(value: object) -> object:
    if isinstance(value, Component):
        if inner_of(value, Agent) is not None:
            return value
        raise ValueError(f"{value.name or type(value).__name__} is no agent; expected a model")
    return by_name(value, AGENTS, "an agent, like {model: {shared_bias: 0}}")


def _instance(kind: type[Component], method: str) -> BeforeValidator:
    def check(value: object) -> object:
        if not isinstance(value, Config) or inner_of(value, kind) is None:
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
