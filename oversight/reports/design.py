"""A search for protocols as a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from oversight.core.columns import names
from oversight.findings.columns import DESIGN
from oversight.findings.design import Designed, Origin
from oversight.findings.rows import Row
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import cell, headline, interval

HEADS = ("protocol", "min/item", "PGR", "95 % interval", "in search", "by", "what it is")


def document(designed: Designed) -> Document:
    """The confirmed front beside what was written by hand."""
    return Document(
        headline(designed.study),
        partial(_parts, designed),
        partial(_data, designed),
        names(DESIGN),
        designed.rows,
    )


def _parts(designed: Designed) -> Iterator[Part]:
    """The table and notes."""
    yield Table(HEADS, rows(designed), words=(0, -1))
    yield from map(Paragraph, notes(designed))


def _data(designed: Designed) -> dict[str, object]:
    """What JSON holds."""
    return {
        "scenario": designed.study.name,
        "how": designed.how,
        "rows": designed.rows(),
        "hypervolume": designed.hypervolumes(),
        "budget": designed.budget,
    }


def rows(designed: Designed) -> list[list[str]]:
    """The front and what was written by hand, cheapest first; a note sums up random search."""
    return [_cells(row) for row in designed.rows() if row["origin"] != Origin.RANDOM]


def _cells(row: Row) -> list[str]:
    by_hand = row["origin"] == Origin.HAND
    beaten = " (beaten)" if by_hand and row["beaten_by_the_front"] else ""
    return [
        row["protocol"],
        cell(row, "human_minutes_per_item"),
        cell(row, "pgr"),
        interval(row["pgr_low"], row["pgr_high"]),
        cell(row, "searched_pgr"),
        "hand" + beaten if by_hand else "search",
        row["what"],
    ]


def notes(designed: Designed) -> list[str]:
    """What was searched, and whether the search bought anything."""
    volumes = designed.hypervolumes()
    best = ", ".join(f"{name} {volume:.3f}" for name, volume in volumes.items())
    constraints = []
    if designed.design.minutes is not None:
        constraints.append(f"at most {designed.design.minutes:g} minutes an item")
    for name, severity in designed.design.survive.items():
        constraints.append(
            f"PGR above the unaided overseer's under {name} at severity {severity:g}"
        )
    lines = [
        f"Searched {designed.how}, {designed.design.replicates} replicates each, on a seed of "
        f"their own; confirmed on {designed.study.replicates} fresh replicates."
    ]
    if constraints:
        lines.append("Every protocol found keeps, as searched: " + "; ".join(constraints) + ".")
    lines.append(
        f"Best PGR for a budget, averaged over budgets up to {designed.budget:.3g} minutes an item "
        f"(hypervolume), as confirmed: {best}."
    )
    if not designed.written:
        lines.append("With --out DIR, each point of the front is written as a scenario file.")
    by_hand, blind = (
        volumes[Origin.SEARCH] - volumes[name] for name in (Origin.HAND, Origin.RANDOM)
    )
    lines.append(
        f"The search is worth {by_hand:+.3f} over what was written by hand and {blind:+.3f} over "
        "random search with as many evaluations."
    )
    return lines
