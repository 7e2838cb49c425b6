"""What a strategy comes to in a protocol. Where what it knows, states or does with its copies
decides nothing there, a plainer strategy gives the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from oversight.components.component import Component
from oversight.components.overseer import Mechanism, Overseer
from oversight.components.profiles import Setting, Strategy
from oversight.overseers.agent import Agent
from oversight.overseers.model import Model
from oversight.worlds.base import World


class Place(NamedTuple):
    """A copy of the strong model in a protocol, and what it does there.

    argues    whether it is asked for arguments, announcements or disputes
    states    whether it is asked for verdicts
    assigned  whether all that it does is to argue for sides that are assigned to it
    """

    model: Model
    argues: bool
    states: bool
    assigned: bool


def meaning(strategy: Strategy, protocol: Overseer, world: World) -> Strategy | None:
    """The plainest strategy that gives the same numbers in a protocol; None where nobody plays it
    there: it attacks nothing, the world lacks what it needs, or no copy of the strong model is free
    to (a copy's own strategy is never replaced)."""
    places = [place for place in places_of(protocol) if place.model.strategy is None]
    if not places or not strategy.share or strategy.problem(world):
        return None
    same: dict[str, str] = {"picks": strategy.picks, "knows": strategy.knows}
    if strategy.picks == "unwatched":  # all that is known beside the coins is not used
        same["knows"] = "coins"
        if not _looked_at(protocol):  # ties go by the draw that `random` goes by
            same = {"picks": "random", "knows": "rate"}
    elif strategy.picks != "judge_weak" or strategy.knows != "everything":
        same["knows"] = "rate"
    if not any(place.states for place in places):
        same["states"] = "belief"
    if not any(place.argues for place in places):
        same["copies"] = "together"
    return strategy.changed(**same)


def moves(protocol: Overseer, setting: Setting) -> bool:
    """Whether strategies may change a label of a protocol. Where copies do nothing but argue for
    sides that are assigned to them, rivals do what honest copies do."""
    for place in places_of(protocol):
        strategy = place.model.strategy_in(setting)
        if strategy is None or not strategy.share:
            continue
        if strategy.copies == "together" or not place.assigned:
            return True
    return False


def places_of(protocol: Overseer) -> list[Place]:
    """The copies of the strong model in a protocol, each with what it does there."""
    if isinstance(protocol, Model):
        return [Place(protocol, argues=False, states=True, assigned=False)]
    return list(_below(protocol))


def _below(component: Component) -> Iterator[Place]:
    for slot, part in component.slots():
        if isinstance(part, Model):
            roles = component.plays(slot).roles
            argues = not roles.isdisjoint(Agent.can_play)
            states = not argues or not roles.isdisjoint(Overseer.can_play)
            assigned = isinstance(component, Mechanism) and component.assigns_sides
            yield Place(part, argues, states, assigned and not states)
        yield from _below(part)


def _looked_at(component: Component) -> bool:
    """Whether somebody may judge again what a part of a protocol answered."""
    own = type(component).looks_again if isinstance(component, Mechanism) else None
    again = own not in (None, Mechanism.looks_again)
    return again or any(_looked_at(part) for _, part in component.slots())
