"""Results as people read them: a table in a terminal, Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oversight.findings.results import Results, Row
from oversight.metrics.pgr import Difference
from oversight.reports import tables as pieces
from oversight.reports.tables import interval, plain, signed, three, two

if TYPE_CHECKING:
    from rich.table import Table

HEADS = (
    "protocol",
    "PGR",
    "95 % interval",
    "oversight gain",
    "generalization",
    "label accuracy",
    "structured",
    "student",
    "min/item",
    "calls/item",
)

NARROW = (
    "protocol",
    "PGR",
    "95 %\ninterval",
    "over-\nsight\ngain",
    "gener-\naliza-\ntion",
    "label\naccu-\nracy",
    "struc-\ntured",
    "stu-\ndent",
    "min/\nitem",
    "calls/\nitem",
)
"""The same heads for a terminal in which they would not fit on one line."""
ROOMY = 120


def cells(row: Row) -> list[str]:
    """A summary row as text, in the order of HEADS."""
    pgr = row["pgr"]
    between = "undefined" if pgr is None else interval(row["pgr_low"], row["pgr_high"])
    return [
        about(row),
        two(pgr),
        between,
        signed(row["oversight_gain"]),
        signed(row["generalization_gain"]),
        three(row["label_accuracy"]),
        two(row["structured_share"])
        + ("*" if row["structured_share_status"].startswith("flagged") else ""),
        three(row["student_accuracy"]),
        plain(row["human_minutes_per_item"]),
        plain(row["model_calls_per_item"]),
    ]


def about(row: Row) -> str:
    """What a row is about: a protocol, and what it suffers."""
    if not row["failure"]:
        return str(row["protocol"])
    return f"{row['protocol']}, {row['failure']} {row['severity']:g}"


def table(results: Results, width: int = ROOMY) -> Table:
    """The comparison as a rich table for a terminal of some width."""
    from rich.table import Table

    roomy = width >= ROOMY
    made = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    made.padding = (0, 2 if roomy else 1, 0, 0)
    for i, head in enumerate(HEADS if roomy else NARROW):
        # Only names may be folded; a broken number misleads.
        made.add_column(head, justify="left" if i == 0 else "right", overflow="fold", no_wrap=i > 0)
    for row in results.summary():
        made.add_row(*cells(row))
    return made


DESK = (
    "protocol",
    "hours",
    "labeled",
    "labels/hour",
    "effort",
    "waiting, h",
    "makespan, h",
    "utilization",
)


def desk(results: Results) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what a desk's people did."""

    def percent(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.3g} %"

    rows = [
        [
            about(row),
            plain(row["hours_used"]),
            percent(row["coverage"]),
            two(row["labels_per_hour"]),
            two(row["effort"]),
            plain(row["waiting_hours"]),
            plain(row["makespan_hours"]),
            percent(row["utilization"]),
        ]
        for row in results.summary()
    ]
    return [*DESK], rows


def precise(rows: list[Row], wanted: float) -> list[str]:
    """Whether every PGR came to be known as well as was wanted."""
    wide = [
        f"{about(row)} ±{(row['pgr_high'] - row['pgr_low']) / 2:.3f}"
        for row in rows
        if row["pgr_low"] is not None and (row["pgr_high"] - row["pgr_low"]) / 2 > wanted
    ]
    unclear = sum(row["pgr"] is None for row in rows)
    runs = max((row["replicates"] for row in rows), default=0)
    if not wide and not unclear:
        return [f"Precision: every PGR within ±{wanted:g} after {runs} replicates."]
    told = "; ".join(wide[:8]) + (f" and {len(wide) - 8} more" if len(wide) > 8 else "")
    also = f"{unclear} undefined" if unclear else ""
    says = ", ".join(part for part in (told, also) if part)
    return [f"Precision: ±{wanted:g} was not reached after {runs} replicates: {says}."]


def markdown(results: Results) -> str:
    """The comparison as a Markdown table."""
    return pieces.markdown(list(HEADS), [cells(row) for row in results.summary()])


def notes(results: Results) -> list[str]:
    """What a reader of the table must know: baselines, what is undefined and why, which differences
    stand."""
    rows = results.summary()
    said = []
    first = next((row for row in rows if row["replicates"]), None)
    if first:
        said.append(
            f"weak {first['weak_accuracy']:.3f} (the unaided overseer's labels), ceiling "
            f"{first['ceiling_accuracy']:.3f} (the same student on gold); {first['replicates']} "
            "replicates. "
            "PGR = oversight gain + generalization."
        )
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        if row["pgr_status"] != "ok":
            by_reason.setdefault(row["pgr_status"], []).append(about(row))
    said += [f"PGR {reason} ({', '.join(names)})" for reason, names in by_reason.items()]
    flagged = [
        f"{row['protocol']} ({row['structured_share_status'].removeprefix('flagged: ')})"
        for row in rows
        if row["structured_share_status"].startswith("flagged")
    ]
    if flagged:
        said.append("* structured share to be read with care: " + "; ".join(flagged))
    said += [
        f"structured share of {row['protocol']} {row['structured_share_status']}"
        for row in rows
        if row["structured_share_status"].startswith("undefined")
    ]
    argued = [
        f"{about(row)} {two(row['agent_score_difference'])}"
        for row in rows
        if row["agent_score_difference"] is not None and not row["failure"]
    ]
    if argued:
        told = ", ".join(argued)
        said.append(f"Agent score difference, truth over falsehood (Brier, -2 to 2): {told}.")
    said += compared(results.differences())
    return said


def compared(pairs: list[Difference]) -> list[str]:
    """Which protocols cannot be told apart."""
    known = [pair for pair in pairs if pair.p_value == pair.p_value]
    if not known:
        return ["one replicate: no intervals and no comparisons"] if pairs else []
    same = [f"{pair.first} / {pair.second}" for pair in known if pair.p_value > 0.05]
    if not same:
        return [f"All {len(known)} pairs of protocols differ (paired over replicates, Holm, 5 %)."]
    told = ", ".join(same[:12]) + (f" and {len(same) - 12} more" if len(same) > 12 else "")
    return [f"Not told apart, of {len(known)} pairs (paired over replicates, Holm, 5 %): {told}."]
