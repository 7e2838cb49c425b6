"""The one walk over a protocol's parts, and what stands in for a part.

`rewrite` reaches a role through any nesting: failures, desks and recorders are put in this way, and
no mechanism knows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Self, TypeVar, cast

from pydantic import Field, SkipValidation

from oversight.components.component import Component, Plays, Prepared
from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.core.claims import ROOT, Claims, Verdicts
from oversight.core.config import Config
from oversight.core.evidence import Evidence
from oversight.worlds.base import Pool

PEOPLE_ROLE, MODELS_ROLE, WHOLE_ROLE = "people", "models", "protocol"
"""Roles that are no slot: every person and every copy of the strong model, whatever slot they are
in; and the whole protocol."""

EVERYWHERE = {PEOPLE_ROLE: "human", MODELS_ROLE: "model"}
"""Who plays the roles that are found in any slot, by name."""

Kind = TypeVar("Kind", bound=Config)


class Wrapper(Component):
    """Stands in for another component, as a failure does; draws take it for the one inside."""

    inner: SkipValidation[Config | None] = Field(None, exclude=True)

    def identity(self, of_draws: bool = False) -> str:
        return as_role(self.inner, Component).identity(of_draws)

    def width(self) -> int:
        return as_role(self.inner, Component).width()


def inner_of(part: Config | None, kind: type[Kind]) -> Kind | None:
    """The part itself if it is of this kind, or the first such part behind its wrappers; None if
    there is none."""
    while not isinstance(part, kind):
        if not isinstance(part, Wrapper):
            return None
        part = part.inner
    return part


def as_role(part: Config | None, kind: type[Kind]) -> Kind:
    """The part, for callers that need one of this kind: it is one, or its wrappers pass every call
    on to one. Raises TypeError where it is neither."""
    if inner_of(part, kind) is None:
        raise TypeError(f"{type(part).__name__} stands in for no {kind.__name__}")
    return cast("Kind", part)


class OverseerWrapper(Wrapper, Overseer):
    """A wrapper of an overseer that, as it stands, changes nothing."""

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return as_role(self.inner, Overseer).assess(claims, evidence)

    def reliability(self, node: int) -> float:
        return as_role(self.inner, Overseer).reliability(node)


@dataclass(frozen=True, kw_only=True)
class PreparedKnown(Prepared):
    """The verdicts that are known, on the root claims of the whole pool."""

    verdicts: Verdicts


class Known(OverseerWrapper):
    """A prepared overseer whose verdicts on all root claims are known: they are not made again."""

    @staticmethod
    def of(overseer: Overseer, pool: Pool, setting: Setting, verdicts: Verdicts) -> Known:
        """An overseer prepared for a pool, with its verdicts on `pool.roots`."""
        return Known(inner=overseer, prepared=PreparedKnown(pool, setting, verdicts=verdicts))

    def prepare(self, pool: Pool, setting: Setting) -> Self:
        """Itself: what is inside is prepared already."""
        return self

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        assert isinstance(self.prepared, PreparedKnown)
        roots = claims.whole and claims.node.ndim == 0 and claims.node == ROOT
        if roots and evidence is None and not claims.traced:
            return self.prepared.verdicts
        return super().assess(claims, evidence)


def roles_of(component: Component) -> set[str]:
    """The roles that are played anywhere in a protocol, "people" and "models" among them where
    there are any."""
    roles = {role for role, name in EVERYWHERE.items() if component.name == name}
    for slot, part in component.slots():
        roles |= component.plays(slot).roles | roles_of(part)
    return roles


def rewrite(
    component: Component, role: str, wrapper: Callable[[Component], Component]
) -> Component:
    """The protocol with `wrapper` applied to every component that plays `role`, through any
    nesting, inside out.

    The role "people" is every person and "models" every copy of the strong model, whatever slot
    they are in; the whole protocol plays the role "protocol".
    """

    return rewrite_all(component, (role,), lambda part, _: wrapper(part))


def rewrite_all(
    component: Component, roles: Collection[str], wrapper: Callable[[Component, Plays], Component]
) -> Component:
    """The same for several roles: `wrapper` is applied once to every component that plays one of
    them, and once to every person if "people" is among them (likewise "models"), inside first."""
    slots = frozenset(roles) - EVERYWHERE.keys()
    anywhere = {role: name for role, name in EVERYWHERE.items() if role in roles}

    def rewritten(plays: Plays, part: Component) -> Component:
        inside = part.mapped(lambda slot, held: rewritten(part.plays(slot), held))
        for role, name in anywhere.items():
            if part.name == name or role in plays.roles:
                inside = wrapper(inside, _as(role))
        return wrapper(inside, plays) if slots & plays.roles else inside

    return rewritten(_as(WHOLE_ROLE), component)


def _as(role: str) -> Plays:
    return Plays(role, frozenset({role}))
