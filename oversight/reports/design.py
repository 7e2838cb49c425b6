"""Searches for protocols as people read them."""

from __future__ import annotations

from oversight.findings.design import Designed
from oversight.findings.results import Row
from oversight.reports.tables import interval, plain, two

HEADS = ("protocol", "min/item", "PGR", "95 % interval", "in search", "by", "what it is")


def rows(done: Designed) -> list[list[str]]:
    """The front and what was written by hand, cheapest first; random search is summed up below."""
    return [_row(row) for row in done.rows() if row["origin"] != "random search"]


def _row(row: Row) -> list[str]:
    by_hand = row["origin"] == "by hand"
    beaten = " (beaten)" if by_hand and row["beaten_by_the_front"] else ""
    return [
        row["protocol"],
        plain(row["human_minutes_per_item"]),
        two(row["pgr"]),
        interval(row["pgr_low"], row["pgr_high"]),
        two(row["searched_pgr"]),
        "hand" + beaten if by_hand else "search",
        row["what"],
    ]


def notes(done: Designed) -> list[str]:
    """What was searched, and whether it bought anything."""
    volumes = done.hypervolumes()
    told = ", ".join(f"{name} {volume:.3f}" for name, volume in volumes.items())
    kept = []
    if done.design.minutes is not None:
        kept.append(f"at most {done.design.minutes:g} minutes an item")
    for name, severity in done.design.survive.items():
        kept.append(f"PGR above the unaided overseer's under {name} at severity {severity:g}")
    said = [
        f"Searched {done.how}, {done.design.replicates} replicates each, on a seed of their own; "
        f"confirmed on {done.study.replicates} fresh replicates.",
        f"Best PGR for a budget, averaged over budgets up to {done.budget:.3g} minutes an item "
        f"(hypervolume), as confirmed: {told}.",
    ]
    if kept:
        said.insert(1, "Every protocol found keeps, as searched: " + "; ".join(kept) + ".")
    by_hand, blind = (volumes["search"] - volumes[name] for name in ("by hand", "random search"))
    if not done.written:
        said.append("With --out DIR, each point of the front is written as a scenario file.")
    said.append(
        f"The search is worth {by_hand:+.3f} over what was written by hand and {blind:+.3f} over "
        "random search with as many evaluations."
    )
    return said
