"""A stress test as a document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from oversight.core.columns import names
from oversight.findings.columns import SUMMARY
from oversight.findings.stress import Break, Measure, Outcome, Stress
from oversight.reports.document import Document, Paragraph, Part, Table
from oversight.reports.tables import cell, first_sentence, headline, interval, two

MEASURES: tuple[tuple[Measure, str], ...] = (
    ("label accuracy", "Severity at which label accuracy falls to {weak}'s"),
    ("PGR", "Severity at which PGR falls to {weak}'s"),
)
KEY = (
    "! silent: at that point the labels' mean stated confidence is at most .05 below what it is "
    "without the failure. never: better than {weak} up to the highest severity. "
    "start: no better even without the failure. –: the failure does not apply. Break points are "
    "found to {tolerance:g} in severity."
)
RANKED = (
    "Ranking by the worst case: the lowest PGR over all these failures, each as severe as it "
    "counts; one that does not apply leaves the healthy PGR"
)
WORDS = {
    Outcome.NEVER: "never ",
    Outcome.START: "start ",
    Outcome.UNDEFINED: "undefined ",
    Outcome.NOT_APPLICABLE: "– ",
}
FEW = 4
"""Of so many failures or fewer, the dose-response is shown unasked."""


def document(stress: Stress, doses: bool = False) -> Document:
    """Break points and ranking; with `doses`, the dose-response to every failure before them."""
    return Document(
        headline(stress.study),
        partial(_parts, stress, doses),
        partial(_data, stress),
        names(SUMMARY),
        stress.rows,
    )


def _parts(stress: Stress, doses: bool) -> Iterator[Part]:
    """Tables and notes."""
    if doses or len(stress.study.failures) <= FEW:
        for failure in stress.study.failures:
            yield _doses(stress, failure)
    for measure, title in MEASURES:
        yield _break_points(stress, measure, title)
    yield _ranking(stress)
    yield Paragraph(KEY.format(tolerance=stress.tolerance, weak=stress.study.weak_title))
    yield from map(Paragraph, _undefined(stress))


def _data(stress: Stress) -> dict[str, object]:
    """What JSON holds."""
    return {
        "scenario": stress.study.name,
        "rows": stress.rows(),
        "breaks": [point.row() for point in stress.breaks()],
        "ranking": stress.ranking(),
    }


def _doses(stress: Stress, failure: str) -> Table:
    """One failure's dose-response: five lines a protocol, a column a severity."""
    severities = sorted({0.0, *stress.study.failures[failure].tried})
    rows = []
    for protocol in stress.study.cells:
        if not stress.applies(protocol, failure):
            continue
        summary = [
            stress.results.summary_row(stress.case(protocol, failure, severity))
            for severity in severities
        ]
        lines = {
            "label accuracy": [cell(row, "label_accuracy") for row in summary],
            "confidence": [cell(row, "label_confidence") for row in summary],
            "student": [cell(row, "student_accuracy") for row in summary],
            "PGR": [cell(row, "pgr") for row in summary],
            "95 %": [interval(row["pgr_low"], row["pgr_high"]) for row in summary],
        }
        for place, (name, cells) in enumerate(lines.items()):
            rows.append([protocol if place == 0 else "", name, *cells])
    heads = ["protocol", "", *(f"{severity:g}" for severity in severities)]
    return Table(heads, rows, title=_about(stress, failure), words=(0, 1))


def _about(stress: Stress, failure: str) -> str:
    """What a failure does, in a few sentences."""
    sentences = []
    for part in stress.study.failures[failure].together:
        roles = " or ".join(role.replace("_", " ") for role in part.aims)
        sentences.append(
            f"{first_sentence(part)} On the {roles}; severity 1 is {part.most:g}, in {part.knob}."
        )
    return f"{failure}: " + " ".join(sentences)


def _break_points(stress: Stress, measure: Measure, title: str) -> Table:
    """Break points by one measure: failures down, protocols across."""
    points = {(b.failure, b.protocol): b for b in stress.breaks() if b.measure == measure}
    protocols = [name for name in stress.study.cells if name != stress.study.weak_protocol]
    rows = [
        [failure, *(_cell(points[failure, protocol]) for protocol in protocols)]
        for failure in stress.study.failures
    ]
    return Table(["failure", *protocols], rows, title=title.format(weak=stress.study.weak_title))


def _cell(point: Break) -> str:
    """A break point in few letters."""
    if point.outcome is Outcome.BREAKS:
        return f"{two(point.severity)}{'!' if point.silent else ' '}"
    return WORDS[point.outcome]


def _ranking(stress: Stress) -> Table:
    heads = ["protocol", "worst PGR", "95 %", "given by", "mean PGR", "healthy", "labels at worst"]
    rows = [
        [
            row["protocol"],
            cell(row, "worst_pgr"),
            interval(row["worst_pgr_low"], row["worst_pgr_high"]),
            row["worst"] or row["status"],
            cell(row, "mean_pgr"),
            cell(row, "healthy_pgr"),
            cell(row, "worst_label_accuracy"),
        ]
        for row in stress.ranking()
    ]
    return Table(heads, rows, title=RANKED, words=(0, 3))


def _undefined(stress: Stress) -> list[str]:
    """Why break points are undefined, each reason once."""
    reasons: dict[str, dict[str, None]] = {}
    for point in stress.breaks():
        if point.outcome is Outcome.UNDEFINED:
            reasons.setdefault(f"{point.measure} {point.status}", {})[point.protocol] = None
    return [f"{reason} ({', '.join(protocols)})" for reason, protocols in reasons.items()]
