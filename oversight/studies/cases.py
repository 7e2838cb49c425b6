"""The cases of a study: every protocol as it is, and under every failure that it can suffer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from oversight.components.overseer import Overseer
from oversight.core.plugins import plugins
from oversight.failures.injection import Injection
from oversight.worlds.base import PEOPLE, World

UNAIDED = "unaided"
"""What the unaided overseer is called where the scenario has no protocol `direct: {}`."""


class Case(NamedTuple):
    """What a row of results is about.

    protocol  its name
    failure   the name of the failure that it suffers; empty for none
    severity  of that failure, from 0 to 1
    """

    protocol: str
    failure: str = ""
    severity: float = 0.0

    @property
    def label(self) -> str:
        """The case in a line.

        >>> Case("debate", "collusion", 0.5).label
        'debate under collusion 0.5'
        """
        struck = f" under {self.failure} {self.severity:g}" if self.failure else ""
        return self.protocol + struck


def written_unaided(protocols: Mapping[str, Overseer]) -> str | None:
    """The name of the protocol that is written `direct: {}`, the unaided overseer; None where there
    is none."""
    same = (
        name
        for name, protocol in protocols.items()
        if protocol.name == "direct" and protocol.identity() == "direct()"
    )
    return next(same, None)


def unaided_of(protocols: Mapping[str, Overseer]) -> str:
    """The name of the unaided overseer among the cells."""
    return written_unaided(protocols) or UNAIDED


def cells_of(protocols: Mapping[str, Overseer], world: World) -> dict[str, Overseer]:
    """Every protocol to run, by name: the unaided overseer is added, as the first, where it is not
    among them and the world has people."""
    if written_unaided(protocols) is not None or PEOPLE not in world.has:
        return dict(protocols)
    return {UNAIDED: plugins("mechanisms").get("direct")(), **protocols}


def cases_of(
    cells: Mapping[str, Overseer], failures: Mapping[str, Injection], world: World
) -> list[Case]:
    """Every protocol as it is, then under every failure that strikes it in this world, at each of
    the failure's severities."""
    cases = [Case(name) for name in cells]
    for failure, injected in failures.items():
        cases += [
            Case(name, failure, severity)
            for name, protocol in cells.items()
            if not injected.refusal(protocol, world)
            for severity in injected.tried
        ]
    return cases
