"""Failures as a scenario file gives them, and how they enter a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    SkipValidation,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails

from oversight.components.component import Component, Plays
from oversight.components.overseer import Overseer
from oversight.components.wrappers import rewrite_all, roles_of
from oversight.core.config import (
    Config,
    Place,
    Share,
    checked,
    error_at,
    errors_of,
    expecting,
    raise_all,
)
from oversight.core.kinds import by_kind
from oversight.core.plugins import Kind, plugins
from oversight.failures.base import LAST, Failure
from oversight.worlds.base import World

SEVERITIES = (0.25, 0.5, 0.75, 1.0)
"""The severities that are tried where a scenario names none."""
RENAMED = dict.fromkeys((("sycophancy", "judge"), ("sycophancy", "evaluator")), "credulity")
"""What a failure is called now, by its name in older scenarios and the role that it struck."""
Severity = Annotated[Share, expecting("{value!r} is no severity; expected numbers from 0 to 1")]
"""How strongly a failure strikes: 0 not at all, 1 as strongly as its knob `most`."""


class Injection(Config):
    """Failures that strike together, and the severities to try; None for the usual ones."""

    together: tuple[Failure, ...]
    severity: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _one_strategy(self) -> Self:
        deciding = [failure.name for failure in self.together if failure.decides]
        if len(deciding) > 1:
            what = " and ".join(deciding)
            raise ValueError(f"{what} each decide what the model does; expected one of them")
        return self

    @property
    def counted(self) -> tuple[float, ...]:
        """The severities at which rankings count it: its own, or else the stated one, the highest
        of those that strike together."""
        return self.severity or (max(failure.stated for failure in self.together),)

    @property
    def tried(self) -> tuple[float, ...]:
        """The severities to try, ascending."""
        return self.severity or tuple(sorted({*SEVERITIES, *self.counted}))

    def into(self, protocol: Overseer, student: Any, severity: float) -> tuple[Overseer, Any]:
        """The protocol and the student with every failure in place.

        Roles inside the protocol come first, then its tree, then its labels. So the order in the
        file does not matter for failures that strike different roles.
        """
        failing: Component = protocol
        for failure in self.together:
            slots = set(failure.roles_in(protocol)).difference(LAST)
            if slots:
                failing = rewrite_all(failing, slots, _around(failure, severity))
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
        """The roles of a protocol that these failures strike; none if they do not apply."""
        return {role for failure in self.together for role in failure.roles_in(protocol)}

    def refusal(self, protocol: Overseer, world: World) -> str:
        """Why they do not strike a protocol in a world, in words; empty where they do."""
        if not self.roles_in(protocol):
            wanted = {role for failure in self.together for role in failure.aims}
            return f"no {' or '.join(sorted(wanted))} in it"
        struck = [failure for failure in self.together if failure.roles_in(protocol)]
        return next((why for one in struck if (why := one.refusal(protocol, world))), "")

    def described(self) -> str:
        """These failures as text, without severities, in order: it matters within a role."""
        return " + ".join(failure.described() for failure in self.together)

    def written(self) -> dict[str, object]:
        """These failures as a scenario file writes them."""
        parts = [_written(failure) for failure in self.together]
        whole: dict[str, object] = parts[0] if len(parts) == 1 else {"together": parts}
        return whole if self.severity is None else {**whole, "severity": list(self.severity)}

    def misses(self, protocols: Iterable[Overseer]) -> list[tuple[Place, str]]:
        """Which of the failures strike nothing, since no protocol has a role for them; each with
        where it stands."""
        roles = set(LAST).union(*(roles_of(protocol) for protocol in protocols))
        present = ", ".join(sorted(roles))
        return [
            (
                (*place, "on" if failure.on else "kind"),
                f"no protocol here has a role {' or '.join(sorted(failure.aims))}; "
                f"there are {present}",
            )
            for place, failure in self._placed()
            if not roles.intersection(failure.aims)
        ]

    def problems(self, items: int, height: int) -> list[tuple[Place, str]]:
        """Which of the failures never come, each with where it stands.

        items   how many there are to learn from
        height  of the task tree; 0 for a lone question
        """
        problems: list[tuple[Place, str]] = []
        for place, failure in self._placed():
            if problem := failure.items.problem(items):
                problems.append(((*place, "items"), problem))
            if problem := failure.onset.problem(items, height):
                problems.append(((*place, "onset"), problem))
        return problems

    def _placed(self) -> list[tuple[Place, Failure]]:
        """Every failure with where it stands in the section."""
        if len(self.together) == 1:
            return [((), self.together[0])]
        return [(("together", i), failure) for i, failure in enumerate(self.together)]


def _around(failure: Failure, severity: float) -> Callable[[Component, Plays], Component]:
    """What puts a failure around a part."""

    def around(part: Component, plays: Plays) -> Component:
        failing = failure.around(part, plays.slot, severity)
        # Whoever may be a judge or a checker is a checker of claims below an item's own question.
        below = not plays.declared and "checker" in failure.can_strike
        return failing.model_copy(update={"below_root": True}) if below else failing

    return around


def _written(failure: Failure) -> dict[str, object]:
    written: dict[str, object] = {"kind": failure.name}
    for key in failure.file_keys():
        if key in ("items", "onset") and not failure.partial:
            continue
        value = getattr(failure, key)
        if isinstance(value, Config):
            value = {k: v for k, v in value.model_dump().items() if v is not None}
        if value is not None and value != {}:
            written[key] = value
    return written


def injection(value: object) -> Injection:
    """An injection from what a scenario file holds: one failure, or several `together`, each with
    its kind; and the severities to try.

    Raises ValidationError with every error, or ValueError for what has no keys.
    """
    if isinstance(value, Injection):
        return value
    if isinstance(value, Failure):
        return Injection(together=(value,))
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no failure; expected keys and values, with a kind")
    rest = dict(value)
    severity: tuple[float, ...] | None = None
    errors: list[InitErrorDetails] = []
    if "severity" in rest:
        try:
            severity = _severities(rest.pop("severity"))
        except ValidationError as error:
            errors += errors_of(error, ("severity",))
        except ValueError as error:
            errors.append(error_at(str(error), ("severity",)))
    places, misplaced = _described(rest)
    errors += misplaced
    together: list[Failure] = []
    for place, described in places:
        try:
            together.append(_failure(described))
        except ValidationError as error:
            errors += errors_of(error, place)
        except ValueError as error:
            errors.append(error_at(str(error), place))
    raise_all("failure", errors)
    return Injection(together=tuple(together), severity=severity)


def _described(
    keys: dict[str, object],
) -> tuple[list[tuple[Place, object]], list[InitErrorDetails]]:
    """The failures that the keys of a section describe, each with where it stands; and what is
    wrong with a section that describes several."""
    if "together" not in keys:
        return [((), keys)], []
    message = "unknown key; expected together and severity"
    errors = [error_at(message, (str(key),)) for key in keys if key != "together"]
    listed = keys["together"]
    if not isinstance(listed, list | tuple) or not listed:
        errors.append(error_at("expected a list of failures, each with a kind", ("together",)))
        return [], errors
    return [(("together", i), described) for i, described in enumerate(listed)], errors


def _severities(value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        return (checked(Severity, value),)
    if not value:
        raise ValueError("no severity to try; expected numbers from 0 to 1")
    return tuple(sorted(set(checked(tuple[Severity, ...], tuple(value)))))


def _failure(value: object) -> Failure:
    failure: Failure = by_kind(value, plugins("failures"), check=_misused)
    return failure


def _misused(kind: Kind, settings: Mapping[str, object]) -> list[InitErrorDetails]:
    """What does not go together with the kind of failure: items that it cannot choose among, a role
    that it cannot strike."""
    errors = [
        error_at(f"{kind.name} strikes all items alike; leave this out", (key,))
        for key in ("items", "onset")
        if settings.get(key) and not kind.partial
    ]
    on = settings.get("on")
    if isinstance(on, str) and (role := on.replace(" ", "_")) not in kind.can_strike:
        message = f"{kind.name} cannot strike {role!r}; expected {' or '.join(kind.can_strike)}"
        if (kind.name, role) in RENAMED:
            message += f"; what struck it under this name is now {RENAMED[kind.name, role]!r}"
        errors.append(error_at(message, ("on",)))
    return errors


def catalogue() -> dict[str, Injection]:
    """Every registered failure with its defaults, by name."""
    loaded = plugins("failures").loaded
    return {name: Injection(together=(loaded[name](),)) for name in sorted(loaded)}


InjectionField = Annotated[
    SkipValidation[Injection], BeforeValidator(injection), WithJsonSchema({"x-ref": "failure"})
]
