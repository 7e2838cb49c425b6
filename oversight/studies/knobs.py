"""Knobs by their path in a scenario file, as sweeps and sensitivity analyses name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from oversight.components.component import Component
from oversight.core.config import Config, nearest
from oversight.core.errors import KnobError
from oversight.core.messages import message_of
from oversight.desk.settings import Desk
from oversight.failures.injection import Injection
from oversight.studies.sections import Scenario

Study = TypeVar("Study", bound=Scenario)

NOT_VARIED = (
    *("oversight", "name", "about", "replicates"),
    *("sweep", "design", "sensitivity", "strategies", "play"),
)
"""Keys that say how a study is run, and nothing of what is simulated."""
HOURS = "desk.hours"


def varied(study: Study, path: str, value: object) -> Study:
    """A study with one knob set to a value, checked again. A budget of hours needs no desk.

    path  the keys that lead to the knob in a scenario file, joined by dots

    Raises KnobError where there is no such knob, or where the value does not fit.

    >>> study = Scenario(protocols={"d": {"debate": {"turns": 3}}})
    >>> varied(study, "protocols.d.debate.turns", 5).protocols["d"].turns
    5
    """
    if path.split(".")[0] in NOT_VARIED:
        raise KnobError(f"{path}: cannot be varied; expected a knob of what is simulated")
    if path == HOURS and study.desk is None:
        study = study.changed(desk=Desk.plain())
    try:
        changed = _assigned(study, path.split("."), value)
    except KnobError as error:
        raise KnobError(f"{path}: {error}") from None
    assert isinstance(changed, type(study))
    return changed


def _assigned(holder: object, steps: list[str], value: object) -> object:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(holder, Component) and step == holder.name:  # as in {debate: {turns: 3}}
        return _assigned(holder, rest, value)
    if isinstance(holder, Injection) and len(holder.together) == 1 and step != "severity":
        alone = _assigned(holder.together[0], steps, value)
        return holder.changed(together=(alone,))
    if isinstance(holder, Mapping):
        below = _known(step, {str(key): part for key, part in holder.items()})
        return {**holder, step: _assigned(below, rest, value)}
    if isinstance(holder, tuple | list):
        parts = {str(i): part for i, part in enumerate(holder)}
        parts[step] = _assigned(_known(step, parts), rest, value)
        return tuple(parts.values())
    if isinstance(holder, Config):
        parts = {key: getattr(holder, key) for key in type(holder).file_keys()}
        below = _known(step, parts)
        if below is None and rest:
            raise KnobError(f"{step!r} is left out here, so that nothing below it can be varied")
        return _changed(holder, parts, step, _assigned(below, rest, value))
    raise KnobError(f"there is no key {step!r} below {holder!r}")


def _known(step: str, parts: Mapping[str, object]) -> object:
    if step not in parts:
        raise KnobError(f"unknown key {step!r}; {nearest(step, list(parts))}")
    return parts[step]


def _changed(holder: Config, parts: dict[str, object], key: str, value: object) -> object:
    """A copy with one key changed, checked like a file."""
    if isinstance(parts[key], int) and isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return holder.changed(**{key: value})
    except ValidationError as error:
        messages = (message_of(line) for line in error.errors(include_url=False))
        raise KnobError("; ".join(dict.fromkeys(messages))) from None
