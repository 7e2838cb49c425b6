"""A sensitivity analysis as people read it."""

from __future__ import annotations

from oversight.findings.sensitivity import NOISE, Analysis, Index
from oversight.reports.tables import two

NAMED = {NOISE: "replicate noise"}


def table(found: Analysis) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: knobs down, protocols across, total index (first-order index)."""
    protocols = found.protocols
    rows = [
        [NAMED.get(knob, knob), *(_cell(found.of(protocol, knob)) for protocol in protocols)]
        for knob in found.knobs
    ]
    rows.append(["sd of PGR", *(two(found.variance[name] ** 0.5) for name in protocols)])
    return ["knob", *protocols], rows


def _cell(index: Index) -> str:
    if index.total is None:
        return "undefined" if index.status != "ok" else "0.00"
    return f"{two(index.total)} ({two(index.first)})"


def notes(found: Analysis) -> list[str]:
    """How to read it, and how far it can be trusted."""
    halves = [i.total_half for i in found.indices if i.total_half is not None]
    said = [
        "Total Sobol index (first-order index in brackets): the share of the variance of PGR, over "
        "the ranges, that a knob has a part in (makes alone)."
    ]
    ranges = ", ".join(f"{k} {low:g} to {high:g}" for k, (low, high) in found.asked.knobs.items())
    said.append(f"Ranges: {ranges}; {found.runs:,} runs of every protocol.")
    if halves:
        said.append(
            f"Half-widths of the total indices (95 %) are up to {max(halves):.2f}; --samples "
            f"{4 * found.asked.samples} halves them, about."
        )
    reasons = {i.protocol: i.status for i in found.indices if i.status != "ok"}
    said += [f"{protocol}: {status}" for protocol, status in reasons.items()]
    return said
