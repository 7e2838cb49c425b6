"""A comparison of protocols as a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from oversight.core.columns import names
from oversight.findings.results import Results
from oversight.findings.rows import Row
from oversight.metrics.pgr import LEAST_GAP, Difference, Status
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import cell, headline, interval, listed, subject

HEADS = {
    "protocol": "protocol",
    "PGR": "PGR",
    "95 % interval": "95 %\ninterval",
    "oversight gain": "over-\nsight\ngain",
    "generalization": "gener-\naliza-\ntion",
    "label accuracy": "label\naccu-\nracy",
    "representable": "repre-\nsent-\nable",
    "student": "stu-\ndent",
    "min/item": "min/\nitem",
    "calls/item": "calls/\nitem",
}
"""Heads of the table; after each, the same for a terminal in which they do not fit on one line."""

DESK = {
    "hours": "hours_used",
    "labeled": "coverage",
    "labels/hour": "labels_per_hour",
    "effort": "effort",
    "waiting, h": "waiting_hours",
    "makespan, h": "makespan_hours",
    "utilization": "utilization",
}
"""Heads of the desk's table, and the columns below them."""


def document(results: Results, precision: float | None = None) -> Document:
    """The comparison; `precision` is the half-width of intervals that was wanted."""
    return Document(
        headline(results.study),
        partial(_parts, results, precision),
        partial(_data, results),
        names(results.summary_columns),
        results.summary,
    )


def _parts(results: Results, precision: float | None) -> Iterator[Part]:
    """Tables and notes."""
    summary = results.summary()
    yield _protocols(results, summary)
    if results.study.desk:
        yield _desk(summary)
    lines = notes(results)
    if precision is not None:
        lines.append(precision_note(summary, precision, results.gap_is_absent))
    yield from map(Paragraph, lines)


def _data(results: Results) -> dict[str, object]:
    """What JSON holds."""
    return {
        "scenario": results.study.name,
        "rows": results.summary(),
        "differences": results.differences_rows(),
    }


def _protocols(results: Results, summary: list[Row]) -> Table:
    """PGR and its parts; a star marks a representable share to be read with care."""
    flags = [results.representable_share(case).state is Status.FLAGGED for case in results.cases]
    rows = [_cells(row, "*" * flagged) for row, flagged in zip(summary, flags, strict=True)]
    return Table(list(HEADS), rows, narrow=list(HEADS.values()))


def _cells(row: Row, star: str) -> list[str]:
    """A summary row in the order of HEADS."""
    return [
        subject(row),
        cell(row, "pgr"),
        "undefined" if row["pgr"] is None else interval(row["pgr_low"], row["pgr_high"]),
        cell(row, "oversight_gain"),
        cell(row, "generalization_gain"),
        cell(row, "label_accuracy"),
        cell(row, "representable_share") + star,
        cell(row, "student_accuracy"),
        cell(row, "human_minutes_per_item"),
        cell(row, "model_calls_per_item"),
    ]


def _desk(summary: list[Row]) -> Table:
    """What a desk's people did."""
    rows = [[subject(row), *(cell(row, name) for name in DESK.values())] for row in summary]
    return Table(["protocol", *DESK], rows, title="At the desk")


def precision_note(rows: list[Row], wanted: float, absent: bool = False) -> str:
    """Whether every PGR is known as precisely as was wanted; `absent` where there is no gap that it
    could be a share of."""
    wide = [
        f"{subject(row)} ±{(row['pgr_high'] - row['pgr_low']) / 2:.3f}"
        for row in rows
        if row["pgr_low"] is not None and (row["pgr_high"] - row["pgr_low"]) / 2 > wanted
    ]
    unclear = sum(row["pgr"] is None for row in rows)
    runs = max((row["replicates"] for row in rows), default=0)
    if not wide and not unclear:
        return f"Precision: every PGR within ±{wanted:g} after {runs} replicates."
    missed = (listed(wide, 8, "; "), f"{unclear} undefined" if unclear else "")
    why = ", ".join(part for part in missed if part)
    futile = f" More would not help where ceiling - weak is below {LEAST_GAP:g}." if absent else ""
    return f"Precision: ±{wanted:g} was not reached after {runs} replicates: {why}.{futile}"


def notes(results: Results) -> list[str]:
    """What a reader of the table must know: weak and ceiling, what is undefined and why, which
    differences stand."""
    rows = results.summary()
    lines = []
    first = next((row for row in rows if row["replicates"]), None)
    if first:
        lines.append(
            f"weak {first['weak_accuracy']:.3f} ({results.study.weak_title}'s labels), ceiling "
            f"{first['ceiling_accuracy']:.3f} (the same student on gold); {first['replicates']} "
            "replicates. "
            "PGR = oversight gain + generalization."
        )
    missing = [(subject(row), row["pgr_status"]) for row in rows if row["pgr"] is None]
    lines += _by_reason("PGR", missing)
    lines += _share_notes(results)
    if "predictable_share" in rows[0]:
        lines.append(
            "Predictable share of the label error, from the features: "
            + ", ".join(f"{subject(row)} {cell(row, 'predictable_share')}" for row in rows)
            + "."
        )
    argued = [
        f"{subject(row)} {cell(row, 'agent_score_difference')}"
        for row in rows
        if row["agent_score_difference"] is not None and not row["failure"]
    ]
    if argued:
        scores = ", ".join(argued)
        lines.append(f"Agent score difference, truth over falsehood (Brier, -2 to 2): {scores}.")
    if results.replicates == 1 and len(results.protocols) > 1:
        return [*lines, "One replicate: no intervals and no comparisons."]
    return lines + _difference_notes(results.differences())


def _share_notes(results: Results) -> list[str]:
    """Where the representable share is to be read with care, and where it is undefined."""
    shares = [(case.protocol, results.representable_share(case)) for case in results.cases]
    flagged = [f"{name} ({share.text})" for name, share in shares if share.state is Status.FLAGGED]
    lines = []
    if results.other_student and any(share.defined for _, share in shares):
        lines.append(f"The representable share {results.other_student}.")
    if flagged:
        lines.append("* representable share to be read with care: " + "; ".join(flagged))
    missing = [(name, share.status) for name, share in shares if share.state is Status.UNDEFINED]
    return lines + _by_reason("representable share", missing)


def _by_reason(quantity: str, missing: list[tuple[str, str]]) -> list[str]:
    """Why a quantity is missing of some protocols, the protocols of one reason in one line."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in missing:
        by_reason.setdefault(reason, []).append(name)
    return [f"{quantity} {reason} ({', '.join(names)})" for reason, names in by_reason.items()]


def _difference_notes(pairs: list[Difference]) -> list[str]:
    """Which protocols cannot be told apart."""
    known = [pair for pair in pairs if pair.p_value == pair.p_value]
    if not known:
        return ["No two protocols can be compared."] if pairs else []
    same = [f"{pair.first} / {pair.second}" for pair in known if pair.p_value > 0.05]
    if not same:
        return [f"All {len(known)} pairs of protocols differ (paired over replicates, Holm, 5 %)."]
    pairs_note = f"of {len(known)} pairs (paired over replicates, Holm, 5 %)"
    return [f"Not told apart, {pairs_note}: {listed(same, 12)}."]
