"""Failures as a scenario file says them, and how they get into a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SkipValidation, ValidationError, WithJsonSchema

from oversight.components.component import Component, Overseer, rewrite, roles_of
from oversight.core.config import Config, error_at, errors_of, nearest, raise_all
from oversight.core.errors import PluginError
from oversight.core.plugins import plugins
from oversight.failures.base import LAST, Failure

SEVERITIES = (0.25, 0.5, 0.75, 1.0)


class Injection(Config):
    """Failures that strike together, and the severities at which they are tried."""

    together: tuple[Failure, ...]
    severity: tuple[float, ...] = SEVERITIES

    def into(self, protocol: Overseer, student: Any, severity: float) -> tuple[Overseer, Any]:
        """The protocol and the student with every failure in place. Roles inside the protocol come
        first, then its tree and its labels, so that the order they are written in does not matter
        where they differ in role."""
        failing: Component = protocol
        for failure in self.together:
            for role in failure.roles_in(protocol):
                if role not in LAST:
                    failing = rewrite(failing, role, _around(failure, role, severity))
        for last in LAST:
            for failure in self.together:
                if last in failure.roles_in(protocol):
                    if last == "student":
                        student = failure.around(student, last, severity)
                    else:
                        failing = failure.around(failing, last, severity)
        assert isinstance(failing, Overseer)
        return failing, student

    def roles_in(self, protocol: Overseer) -> set[str]:
        """The roles of a protocol that this strikes; none where it does not apply."""
        return {role for failure in self.together for role in failure.roles_in(protocol)}

    def described(self) -> str:
        """What this is, as text, without severities."""
        return " + ".join(sorted(failure.described() for failure in self.together))

    def written(self) -> dict[str, Any]:
        """As a scenario file writes it."""
        parts = [_written(failure) for failure in self.together]
        whole = parts[0] if len(parts) == 1 else {"together": parts}
        return {**whole, "severity": list(self.severity)}

    def problems(
        self, protocols: Iterable[Overseer], items: int, height: int
    ) -> list[tuple[tuple[str | int, ...], str]]:
        """What does not fit the scenario, each with where."""
        found: list[tuple[tuple[str | int, ...], str]] = []
        has = set(LAST).union(*(roles_of(protocol) for protocol in protocols))
        for i, failure in enumerate(self.together):
            at: tuple[str | int, ...] = () if len(self.together) == 1 else ("together", i)
            wanted = set(failure.aims)
            if not wanted & has:
                one = " or ".join(sorted(wanted))
                says = f"no protocol here has a role {one}; there are {', '.join(sorted(has))}"
                found.append(((*at, "on" if failure.on else "kind"), says))
            if problem := failure.items.problem(items):
                found.append(((*at, "items"), problem))
            if problem := failure.onset.problem(items, height):
                found.append(((*at, "onset"), problem))
        return found


def _around(failure: Failure, role: str, severity: float) -> Any:
    return lambda part: failure.around(part, role, severity)


def _written(failure: Failure) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": failure.name}
    for key in failure.file_keys():
        if key in ("items", "onset") and not failure.partial:
            continue
        value = getattr(failure, key)
        if isinstance(value, Config):
            value = {k: v for k, v in value.model_dump().items() if v is not None}
        if value is not None and value != {}:
            told[key] = value
    return told


def injection(value: Any) -> Injection:
    """An injection from what a scenario file says."""
    if isinstance(value, Injection):
        return value
    if isinstance(value, Failure):
        return Injection(together=(value,))
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no failure; expected keys and values, with a kind")
    rest, errors = dict(value), []
    try:
        severity = _severities(rest.pop("severity", list(SEVERITIES)))
    except ValueError as error:
        errors.append(error_at(str(error), ("severity",)))
    parts: list[Failure] = []
    if "together" in rest:
        listed = rest.pop("together")
        for key in rest:
            errors.append(error_at("unknown key; expected together and severity", (str(key),)))
        if not isinstance(listed, list | tuple) or not listed:
            errors.append(error_at("expected a list of failures, each with a kind", ("together",)))
            listed = []
        places: list[tuple[tuple[str | int, ...], Any]] = [
            (("together", i), part) for i, part in enumerate(listed)
        ]
    else:
        places = [((), rest)]
    for place, part in places:
        try:
            parts.append(_failure(part))
        except ValidationError as error:
            errors += errors_of(error, place)
        except ValueError as error:
            errors.append(error_at(str(error), place))
    raise_all("failure", errors)
    return Injection(together=tuple(parts), severity=severity)


def _severities(value: Any) -> tuple[float, ...]:
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        raise ValueError("no severity to try; expected numbers from 0 to 1")
    for one in listed:
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one <= 1:
            raise ValueError(f"{one!r} is no severity; expected numbers from 0 to 1")
    return tuple(sorted({float(one) for one in listed}))


def _failure(value: Any) -> Failure:
    if isinstance(value, Failure):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no failure; expected keys and values, with a kind")
    rest = dict(value)
    kinds = plugins("failures")
    if "kind" not in rest:
        raise_all("failure", [error_at(f"missing; {nearest('', sorted(kinds.loaded))}", ("kind",))])
    try:
        kind = kinds.get(str(rest.pop("kind")))
    except PluginError as error:
        raise_all("failure", [error_at(str(error), ("kind",))])
    errors = []
    for key in ("items", "onset"):
        if rest.get(key) and not kind.partial:
            errors.append(error_at(f"{kind.name} strikes all items alike; leave this out", (key,)))
    hidden = [key for key in ("inner", "copy_number") if key in rest]
    errors += [
        error_at(f"unknown key; expected one of: {', '.join(kind.file_keys())}", (key,))
        for key in hidden
    ]
    try:
        made: Failure = kind.model_validate({k: v for k, v in rest.items() if k not in hidden})
    except ValidationError as error:
        errors += errors_of(error)
    else:
        if made.on is not None and made.on not in made.can_strike:
            says = f"{made.name} cannot strike {made.on!r}; expected {' or '.join(made.can_strike)}"
            errors.append(error_at(says, ("on",)))
    raise_all("failure", errors)
    return made


def catalogue() -> dict[str, Injection]:
    """Every registered failure as it stands, by name."""
    loaded = plugins("failures").loaded
    return {name: Injection(together=(loaded[name](),)) for name in sorted(loaded)}


InjectionField = Annotated[
    SkipValidation[Injection], BeforeValidator(injection), WithJsonSchema({"x-ref": "failure"})
]
