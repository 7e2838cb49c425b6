"""A protocol drawn as a tree of who plays which role."""

from __future__ import annotations

from collections.abc import Iterator

from oversight.components.component import Component
from oversight.core.config import default_of


def draw(component: Component) -> str:
    """Lines of text: what it is, and below it the components it holds, each after its role.

    Knobs are shown where they differ from the default. Identical siblings stand on one line.
    """
    return "\n".join([_told(component), *_below(component, "")])


def _told(component: Component) -> str:
    knobs = []
    for key in component.file_keys():
        value, default = getattr(component, key), default_of(component, key)
        if value == default or _holds(value):
            continue
        knobs.append(f"{key} {_plain(value)}")
    name = component.name.replace("_", " ")
    return f"{name} ({', '.join(knobs)})" if knobs else name


def _below(component: Component, indent: str) -> Iterator[str]:
    parts = list(_grouped(component))
    for i, (role, part, count) in enumerate(parts):
        last = i == len(parts) - 1
        many = f"{count} x " if count > 1 else ""
        yield f"{indent}{'└── ' if last else '├── '}{role}: {many}{_told(part)}"
        yield from _below(part, indent + ("    " if last else "│   "))


def _grouped(component: Component) -> Iterator[tuple[str, Component, int]]:
    """The components held, with their role; equal neighbors once, with their number."""
    held = list(component.slots())
    while held:
        role, part = held[0]
        count = 1
        while count < len(held) and held[count] == (role, part):
            count += 1
        yield role.replace("_", " "), part, count
        held = held[count:]


def _holds(value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return any(isinstance(part, Component) for part in parts)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(_plain(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
