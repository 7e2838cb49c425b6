"""A protocol as a tree of text: who plays which role."""

from __future__ import annotations

from collections.abc import Iterator

from oversight.components.component import Component
from oversight.core.config import default_of


def draw(component: Component) -> str:
    """Lines of text: a component, and below it those that it holds, each after its role.

    A knob is shown where it differs from its default. Identical siblings stand on one line.

    >>> import oversight
    >>> print(draw(oversight.load("quickstart").cells["debate at the leaves"]))
    decomposition
    ├── checker: debate (turns 2)
    │   ├── judge: human
    │   └── debater: model
    └── aggregator: soft
    """
    return "\n".join([_headline(component), *_below(component, "")])


def _headline(component: Component) -> str:
    """A component's name, and its knobs that differ from their defaults."""
    knobs = []
    for key in component.file_keys():
        value = getattr(component, key)
        if value != default_of(component, key) and not _holds_components(value):
            knobs.append(f"{key} {_plain(value)}")
    name = component.name.replace("_", " ")
    return f"{name} ({', '.join(knobs)})" if knobs else name


def _below(component: Component, indent: str) -> Iterator[str]:
    """Lines of what a component holds."""
    parts = list(_grouped(component))
    for place, (role, part, count) in enumerate(parts):
        last = place == len(parts) - 1
        times = f"{count} x " if count > 1 else ""
        yield f"{indent}{'└── ' if last else '├── '}{role}: {times}{_headline(part)}"
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


def _holds_components(value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return any(isinstance(part, Component) for part in parts)


def _plain(value: object) -> str:
    """A knob's value as in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
