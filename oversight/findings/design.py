"""What a search for protocols came to: the front of human minutes per item and PGR, confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from oversight.components.overseer import Overseer
from oversight.findings.results import Results
from oversight.findings.rows import Row
from oversight.studies.cases import Case
from oversight.studies.design import Design
from oversight.studies.study import Study


class Origin(StrEnum):
    """Whose a protocol is that was confirmed."""

    SEARCH = "search"
    RANDOM = "random search"
    HAND = "by hand"


@dataclass(frozen=True)
class Point:
    """A protocol that was tried: what it costs and gains, and by how much it breaks a constraint
    (0 where it keeps them all)."""

    protocol: Overseer
    minutes: float
    pgr: float
    breaks: float = 0.0


def front(points: Iterable[Point]) -> list[Point]:
    """Points that keep the constraints and of which no other is as cheap and as good, and better in
    one; cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.minutes, -p.pgr)):
        if point.breaks == 0 and (not best or point.pgr > best[-1].pgr):
            best.append(point)
    return best


def hypervolume(points: Iterable[Point], minutes: float) -> float:
    """The best PGR that some budget buys (at least 0), averaged over budgets from 0 to so many
    minutes an item."""
    area = at = height = 0.0
    for point in front(points):
        if point.minutes >= minutes:
            break
        area += height * (point.minutes - at)
        at, height = point.minutes, max(point.pgr, 0.0)
    return (area + height * (minutes - at)) / minutes


@dataclass(frozen=True)
class Designed:
    """What a search came to.

    how        what was searched, in words
    front      by name (f1, f2, ...) the points of the search's front as searched, cheapest first
    random     the same of random search (r1, ...)
    confirmed  results of both fronts and of the hand-written protocols on the scenario's own
               replicates
    tried      how many protocols were tried
    written    whether the front was written as scenario files
    """

    study: Study
    design: Design
    how: str
    front: dict[str, Point]
    random: dict[str, Point]
    confirmed: Results
    tried: int
    written: bool = False

    def point(self, name: str, protocol: Overseer) -> Point:
        """A protocol as confirmed."""
        minutes = float(np.nanmean(self.confirmed.column(name, "human_minutes_per_item")))
        return Point(protocol, minutes, self.confirmed.pgr(name).value)

    @property
    def budget(self) -> float:
        """Minutes up to which fronts are compared: the constraint, or the dearest hand-written
        protocol's."""
        if self.design.minutes is not None:
            return self.design.minutes
        columns = (
            self.confirmed.column(name, "human_minutes_per_item") for name in self.study.cells
        )
        return float(max(np.nanmean(column) for column in columns))

    def hypervolumes(self) -> dict[str, float]:
        """Mean best PGR over budgets, as confirmed: of the search, of random search, by hand."""
        fronts = {
            Origin.SEARCH: [self.point(name, p.protocol) for name, p in self.front.items()],
            Origin.RANDOM: [self.point(name, p.protocol) for name, p in self.random.items()],
            Origin.HAND: [self.point(name, p) for name, p in self.study.cells.items()],
        }
        return {str(name): hypervolume(points, self.budget) for name, points in fronts.items()}

    def rows(self) -> list[Row]:
        """A row a protocol that was confirmed: whose it is, what it is, and its summary."""
        origin = {
            **{name: (Origin.SEARCH, p) for name, p in self.front.items()},
            **{name: (Origin.RANDOM, p) for name, p in self.random.items()},
            **dict.fromkeys(self.study.cells, (Origin.HAND, None)),
        }
        protocols = {
            **{n: p.protocol for n, p in {**self.front, **self.random}.items()},
            **self.study.cells,
        }
        points = {name: self.point(name, protocols[name]) for name in origin}
        rows = []
        for name, (whose, thought) in origin.items():
            mine = points[name]
            beaten = any(
                other.minutes <= mine.minutes
                and other.pgr >= mine.pgr
                and (other.minutes, other.pgr) != (mine.minutes, mine.pgr)
                for n, other in points.items()
                if origin[n][0] is Origin.SEARCH
            )
            rows.append(
                {
                    **self.confirmed.summary_row(Case(name)),
                    "origin": str(whose),
                    "what": protocols[name].identity(),
                    "searched_pgr": None if thought is None else thought.pgr,
                    "beaten_by_the_front": beaten,
                }
            )
        return sorted(rows, key=lambda row: row["human_minutes_per_item"])
