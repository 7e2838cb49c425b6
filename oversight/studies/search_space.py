"""The protocols that a search may come up with: mechanisms, nested, with knobs to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.overseers.agent import Agent
from oversight.overseers.human import Human
from oversight.worlds.base import World

Choose = Callable[[str, int], int]
"""Choose one of so many options, under a name that says what for."""

MEMBERS = (3, 5)
"""How many overseers stand where any number may."""


@dataclass(frozen=True)
class Space:
    """Protocols at most `depth` mechanisms deep, of these kinds.

    kinds  mechanisms by name
    knobs  values to try, by mechanism and knob; the others stay at their defaults
    world  what they must fit
    """

    kinds: Mapping[str, type[Overseer]]
    knobs: Mapping[str, Mapping[str, tuple[object, ...]]]
    depth: int
    world: World

    def draw(self, choose: Choose) -> Overseer | None:
        """A protocol, or None where what was chosen does not go together."""
        protocol = self._mechanism(choose, "protocol", self.depth, sorted(self.kinds))
        if protocol is None or any(self._refuses(part) for part in _parts(protocol)):
            return None
        return protocol

    def _refuses(self, part: Component) -> bool:
        """Whether the world lacks what a part needs, or does not fit it."""
        return bool(part.unmet(self.world) or part.problems(self.world))

    def _mechanism(
        self, choose: Choose, path: str, depth: int, names: list[str]
    ) -> Overseer | None:
        name = names[choose(path, len(names))]
        kind, path = self.kinds[name], f"{path}.{name}"
        knobs: dict[str, object] = {}
        for knob, values in self.knobs.get(name, {}).items():
            knobs[knob] = values[choose(f"{path}.{knob}", len(values))]
        for role, field in kind.model_fields.items():
            default = field.get_default(call_default_factory=False)
            many = isinstance(default, tuple) and any(isinstance(p, Overseer) for p in default)
            if not many and (not isinstance(default, Overseer) or isinstance(default, Agent)):
                continue
            # Direct judgment by a mechanism is that mechanism.
            below = 0 if name == "direct" else depth - 1
            held = self._overseer(choose, f"{path}.{role}", below, default)
            if held is None:
                return None
            if many:
                count = MEMBERS[choose(f"{path}.{role}.count", len(MEMBERS))]
                knobs[role] = (held,) * count
            else:
                knobs[role] = held
        try:
            return kind.model_validate(knobs)
        except ValidationError:  # who are to be different are the same, for one
            return None

    def _overseer(self, choose: Choose, path: str, depth: int, default: object) -> Overseer | None:
        """A person, the slot's own where it has one, or a mechanism."""
        person = default if isinstance(default, Human) else Human()
        names = sorted(name for name in self.kinds if name != "direct")  # that is just a person
        if depth <= 0 or not names or choose(path, 2) == 0:
            return person
        return self._mechanism(choose, f"{path}.mechanism", depth, names)

    def enumerated(self, most: int) -> list[Overseer] | None:
        """Every different protocol, or None if there are more than `most`."""
        different: dict[str, Overseer] = {}
        for count, protocol in enumerate(self._all()):
            if protocol is not None:
                different.setdefault(protocol.identity(), protocol)
            if len(different) > most or count > 50 * most:
                return None
        return list(different.values())

    def _all(self) -> Iterator[Overseer | None]:
        """Every way of choosing, like an odometer whose wheels depend on those before."""
        wheels: list[tuple[int, int]] = []  # chosen, out of so many
        while True:
            chosen = iter(list(wheels))
            turned: list[tuple[int, int]] = []

            def choose(name: str, options: int) -> int:
                at, _ = next(chosen, (0, options))  # noqa: B023 -- used up within the turn
                turned.append((at, options))  # noqa: B023
                return at

            yield self.draw(choose)
            while turned and turned[-1][0] == turned[-1][1] - 1:
                turned.pop()
            if not turned:
                return
            last, options = turned[-1]
            wheels = [*turned[:-1], (last + 1, options)]


def _parts(component: Component) -> Iterator[Component]:
    yield component
    for _, part in component.slots():
        yield from _parts(part)
