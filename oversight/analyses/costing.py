"""What protocols cost in human minutes, known before a search runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oversight.components.overseer import Overseer
from oversight.core.errors import DesignError
from oversight.core.streams import stream
from oversight.running.labeling import Labeler
from oversight.studies.cases import Case
from oversight.studies.design import Design
from oversight.studies.search_space import Space
from oversight.studies.study import Study

PROBES = 64
"""Protocols of a large space that are looked at, besides those without others in them."""
SURE, GUESSED = 0.9, 0.5
"""A budget is refused below this share of the cheapest protocol's cost: where all were looked at,
in one replicate, and where only some were."""


def refuse_small_budget(study: Study, design: Design, space: Space) -> None:
    """Raises DesignError where no protocol of a space can keep to the budget of minutes. Looks at
    what the protocols cost in one replicate, trains no student and writes nothing."""
    if design.minutes is None:
        return
    every = space.enumerated(design.evaluations)
    known = _some(study, design, space) if every is None else every
    share = GUESSED if every is None else SURE
    least, cheapest = float("inf"), ""
    for minutes, protocol in _costs(study, known):
        if minutes * share <= design.minutes:
            return
        if minutes < least:
            least, cheapest = minutes, protocol.identity()
    if cheapest:
        raise DesignError(
            f"no protocol of {len(known)} looked at costs at most {design.minutes:g} human "
            f"minutes an item; the cheapest, {cheapest}, costs {least:.3g}"
        )


def _some(study: Study, design: Design, space: Space) -> list[Overseer]:
    """Protocols without others in them, and some at random."""
    some = {p.identity(): p for p in replace(space, depth=1).enumerated(10 * PROBES) or ()}
    generator = stream(study.seed, "costs", design.seed)
    for _ in range(PROBES):
        protocol = space.draw(lambda _, options: int(generator.integers(options)))
        if protocol is not None:
            some.setdefault(protocol.identity(), protocol)
    return list(some.values())


def _costs(study: Study, protocols: Iterable[Overseer]) -> Iterable[tuple[float, Overseer]]:
    """Human minutes an item of each protocol, but for those that fail."""
    pool = study.pool(0, "train")
    for protocol in protocols:
        try:
            one = study.still.changed(protocols={"looked at": protocol}, failures={}, design=None)
            given = Labeler(one, pool).label(Case("looked at"))
        except Exception:  # reported where it is tried
            continue
        yield given.minutes / pool.draws.items, protocol
