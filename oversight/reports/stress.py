"""Stress tests as people read them."""

from __future__ import annotations

from oversight.findings.stress import BREAKS, NEVER, START, Break, Measure, Stress
from oversight.reports.tables import first_sentence, interval, three, two

MEASURES: tuple[tuple[Measure, str], ...] = (
    ("label accuracy", "Severity at which label accuracy falls to the unaided overseer's"),
    ("PGR", "Severity at which PGR falls to the unaided overseer's"),
)
KEY = (
    "! silent: at that point the labels' mean stated confidence is at most .05 below what it is "
    "without the failure. never: better than the unaided overseer up to the highest severity. "
    "start: no better even without the failure. –: the failure does not apply. Break points are "
    "found to {tolerance:g} in severity."
)


def cell(found: Break) -> str:
    """A break point in few letters."""
    if found.status == BREAKS:
        return f"{two(found.severity)}{'!' if found.silent else ' '}"
    if found.status.startswith("undefined"):
        return "undefined "
    return {NEVER: "never ", START: "start "}.get(found.status, "– ")


def undefined(stress: Stress) -> list[str]:
    """Why break points are undefined, each reason once."""
    reasons: dict[str, dict[str, None]] = {}
    for found in stress.breaks():
        if found.status.startswith("undefined"):
            reasons.setdefault(f"{found.measure} {found.status}", {})[found.protocol] = None
    return [f"{reason} ({', '.join(names)})" for reason, names in reasons.items()]


def grid(stress: Stress, measure: Measure) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the break points by one measure: failures down, protocols across."""
    found = {(b.failure, b.protocol): b for b in stress.breaks() if b.measure == measure}
    protocols = [name for name in stress.study.cells if name != stress.study.baseline]
    rows = [
        [failure, *(cell(found[failure, protocol]) for protocol in protocols)]
        for failure in stress.study.failures
    ]
    return ["failure", *protocols], rows


def ranking(stress: Stress) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the ranking."""
    each = ("never", "silent")
    heads = ["protocol", "failures", "labels bear", *each, "PGR bears", *each]
    rows = [
        [
            row["protocol"],
            str(row["applicable"]),
            two(row["label_robustness"]),
            str(row["label_survived"]),
            str(row["label_silent"]),
            two(row["pgr_robustness"]),
            str(row["pgr_survived"]),
            str(row["pgr_silent"]),
        ]
        for row in stress.ranking()
    ]
    return heads, rows


RANKED = (
    "Ranking by robustness: the mean severity borne over the failures that apply to the protocol "
    "and its roles, 1 where it never breaks"
)


def doses(stress: Stress, failure: str) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of one failure's dose-response: four lines a protocol, a column a severity."""
    asked = sorted({0.0, *stress.study.failures[failure].severity})
    rows = []
    for protocol in stress.study.cells:
        if not stress.applies(protocol, failure):
            continue
        told = [
            stress.results.summary_row(stress.case(protocol, failure, severity))
            for severity in asked
        ]
        lines = (
            ("label accuracy", [three(row["label_accuracy"]) for row in told]),
            ("confidence", [three(row["label_confidence"]) for row in told]),
            ("student", [three(row["student_accuracy"]) for row in told]),
            ("PGR", [two(row["pgr"]) for row in told]),
            ("95 %", [interval(row["pgr_low"], row["pgr_high"]) for row in told]),
        )
        rows += [[protocol if i == 0 else "", name, *n] for i, (name, n) in enumerate(lines)]
    return ["protocol", "", *(f"{severity:g}" for severity in asked)], rows


def title(stress: Stress, failure: str) -> str:
    """What a failure does, in a few lines."""
    injected = stress.study.failures[failure]
    parts = []
    for part in injected.together:
        roles = " or ".join(role.replace("_", " ") for role in part.aims)
        parts.append(
            f"{first_sentence(part)} On the {roles}; severity 1 is {part.most:g}, in {part.knob}."
        )
    return f"{failure}: " + " ".join(parts)
