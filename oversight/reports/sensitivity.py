"""A sensitivity analysis as a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from oversight.core.columns import names
from oversight.findings.columns import INDEX
from oversight.findings.rows import Row
from oversight.findings.sensitivity import NOISE, Analysis, Index
from oversight.metrics.pgr import Status
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import headline, two

NAMED = {NOISE: "replicate noise"}


def document(analysis: Analysis) -> Document:
    """The indices of every protocol and knob."""
    return Document(
        headline(analysis.study),
        partial(_parts, analysis),
        partial(_data, analysis),
        names(INDEX),
        partial(_rows, analysis),
    )


def _parts(analysis: Analysis) -> Iterator[Part]:
    """The table and notes."""
    yield _indices(analysis)
    yield from map(Paragraph, notes(analysis))


def _rows(analysis: Analysis) -> list[Row]:
    """A row a protocol and knob."""
    return [index.row() for index in analysis.indices]


def _data(analysis: Analysis) -> dict[str, object]:
    """What JSON holds."""
    return {"scenario": analysis.study.name, "runs": analysis.runs, "rows": _rows(analysis)}


def _indices(analysis: Analysis) -> Table:
    """Knobs down, protocols across: total index (first-order index)."""
    protocols = analysis.protocols
    rows = [
        [NAMED.get(knob, knob), *(_cell(analysis.of(protocol, knob)) for protocol in protocols)]
        for knob in analysis.knobs
    ]
    rows.append(["sd of PGR", *(two(analysis.variance[name] ** 0.5) for name in protocols)])
    return Table(["knob", *protocols], rows)


def _cell(index: Index) -> str:
    if index.total is None:
        return "undefined" if index.state is not Status.OK else "0.00"
    return f"{two(index.total)} ({two(index.first)})"


def notes(analysis: Analysis) -> list[str]:
    """How to read the table, and how precise it is."""
    lines = [
        "Total Sobol index (first-order index in brackets): the share of the variance of PGR, over "
        "the ranges, that a knob has a part in (makes alone)."
    ]
    ranges = ", ".join(
        f"{knob} {low:g} to {high:g}" for knob, (low, high) in analysis.settings.knobs.items()
    )
    lines.append(f"Ranges: {ranges}; {analysis.runs:,} runs of every protocol.")
    halves = [index.total_half for index in analysis.indices if index.total_half is not None]
    if halves:
        lines.append(
            f"Half-widths of the total indices (95 %) are up to {max(halves):.2f}; --samples "
            f"{4 * analysis.settings.samples} halves them, about."
        )
    reasons = {
        index.protocol: index.status for index in analysis.indices if index.state is not Status.OK
    }
    return lines + [f"{protocol}: {status}" for protocol, status in reasons.items()]
