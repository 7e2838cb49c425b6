"""Dose-response of every protocol to every failure, and where each protocol breaks (MODEL 8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from oversight.core.claims import FloatArray
from oversight.core.columns import names
from oversight.core.files import writing
from oversight.findings import columns
from oversight.findings.ranking import ranking
from oversight.findings.results import Results
from oversight.findings.rows import Row, write_csv
from oversight.studies.cases import Case
from oversight.studies.study import Study

Measure = Literal["label accuracy", "PGR"]
SILENT = 0.05
"""How far confidence may fall while a break is still silent."""


class Outcome(StrEnum):
    """What became of a protocol under a failure."""

    BREAKS = "breaks"
    NEVER = "never"
    """Better than the unaided overseer up to the highest severity tried."""
    START = "from the start"
    """No better even without the failure."""
    NOT_APPLICABLE = "not applicable"
    UNDEFINED = "undefined"


@dataclass(frozen=True)
class Break:
    """Where a protocol under a failure is no better than the unaided, healthy overseer.

    outcome     whether it breaks, or why that cannot be said
    text        the reason, where the outcome has one
    severity    the break point, within the tolerance; None unless it breaks (0 from the start)
    low, high   where the 95 % bounds of the difference cross zero; None beyond what was tried
    knob        what severity stands for there, in the failure's own unit
    confidence  mean stated confidence of the labels there, and how far it fell from health
    excess      that confidence less the labels' accuracy there
    silent      whether confidence fell by at most .05 on the way; None unless it breaks
    """

    protocol: str
    failure: str
    measure: Measure
    outcome: Outcome
    text: str = ""
    severity: float | None = None
    low: float | None = None
    high: float | None = None
    knob: float | None = None
    confidence: float | None = None
    fall: float | None = None
    excess: float | None = None
    silent: bool | None = None

    @property
    def status(self) -> str:
        """The outcome as a column has it, with its reason.

        >>> Break("debate", "noise", "PGR", Outcome.NOT_APPLICABLE, "no aggregator in it").status
        'not applicable: no aggregator in it'
        """
        return f"{self.outcome}: {self.text}" if self.text else str(self.outcome)

    def row(self) -> Row:
        """The break as a row of breaks.csv."""
        return {name: getattr(self, name) for name in names(columns.BREAK)}


class Stress:
    """What `stress` measured: every protocol under every failure, at the severities that were run.

    tolerance  how finely break points are known, in severity
    """

    def __init__(self, study: Study, results: Results, tolerance: float) -> None:
        self.study, self.results, self.tolerance = study, results, tolerance

    def severities(self, protocol: str, failure: str) -> list[float]:
        """Severities that were run, ascending, health at 0 first."""
        struck = {
            case.severity
            for case in self.results.cases
            if case.protocol == protocol and case.failure == failure
        }
        return sorted({0.0} | struck)

    def case(self, protocol: str, failure: str, severity: float) -> Case:
        """The case of a protocol under a failure; without it at severity 0."""
        return Case(protocol, failure, severity) if severity else Case(protocol)

    def margin(self, case: Case, measure: Measure) -> FloatArray:
        """How much better than the healthy baseline, by replicate: labels, or students."""
        if measure == "PGR":  # both are divided by the same gap, so that the sign is the students'
            unaided = Case(self.study.weak_protocol)
            ours, theirs = (self.results.column(c, "student_accuracy") for c in (case, unaided))
            return ours - theirs
        weak = self.results.column(case, "weak_accuracy")
        return self.results.column(case, "label_accuracy") - weak

    def applies(self, protocol: str, failure: str) -> bool:
        """Whether the failure changed anything about the protocol, at any severity."""
        return any(
            not self.results.untouched(self.case(protocol, failure, severity))
            for severity in self.severities(protocol, failure)
            if severity
        )

    def bracket(self, protocol: str, failure: str, measure: Measure) -> tuple[float, float] | None:
        """The two neighboring severities between which the protocol breaks, or None."""
        tried = self.severities(protocol, failure)
        means = [self._mean(protocol, failure, severity, measure) for severity in tried]
        for i in range(1, len(tried)):
            if means[i - 1] > 0 >= means[i]:
                return tried[i - 1], tried[i]
        return None

    def _mean(self, protocol: str, failure: str, severity: float, measure: Measure) -> float:
        margins = self.margin(self.case(protocol, failure, severity), measure)
        return float(np.mean(margins[~np.isnan(margins)])) if not np.isnan(margins).all() else 0.0

    def breaks(self) -> list[Break]:
        """A row a failure, protocol and measure."""
        measures: tuple[Measure, ...] = ("label accuracy", "PGR")
        return [
            self._break(protocol, failure, measure)
            for failure in self.study.failures
            for protocol in self.study.cells
            for measure in measures
        ]

    def _break(self, protocol: str, failure: str, measure: Measure) -> Break:
        def ended(outcome: Outcome, text: str = "", severity: float | None = None) -> Break:
            """A break without a point on the way."""
            return Break(protocol, failure, measure, outcome, text, severity)

        no = Outcome.NOT_APPLICABLE
        injected, cells = self.study.failures[failure], self.study.cells
        if why := injected.refusal(cells[protocol], self.study.world):
            return ended(no, why)
        if self._failed(protocol, failure):
            return ended(Outcome.UNDEFINED, "it failed to run")
        if not self.applies(protocol, failure):
            return ended(no, "there is nothing for it to change")
        if protocol == self.study.weak_protocol:
            return ended(no, f"it is {self.study.weak_title}")
        if measure == "label accuracy" and injected.roles_in(cells[protocol]) == {"student"}:
            return ended(no, "it comes after the labels")
        gap = self.results.pgr(protocol)
        if measure == "PGR" and not gap.defined:
            return ended(Outcome.UNDEFINED, gap.text)
        if self._mean(protocol, failure, 0.0, measure) <= 0:
            return ended(Outcome.START, severity=0.0)
        between = self.bracket(protocol, failure, measure)
        if between is None:
            return ended(Outcome.NEVER)
        return self._broken(protocol, failure, measure, *between)

    def _failed(self, protocol: str, failure: str) -> bool:
        tried = [self.case(protocol, failure, s) for s in self.severities(protocol, failure)]
        weak = (self.results.column(case, "weak_accuracy") for case in tried)
        return any(np.isnan(values).all() for values in weak)

    def _broken(
        self, protocol: str, failure: str, measure: Measure, low: float, high: float
    ) -> Break:
        ends = (low, high)
        cases = [self.case(protocol, failure, severity) for severity in ends]
        severity = _crossing(*ends, *(self._mean(protocol, failure, s, measure) for s in ends))

        def there(column: str) -> float:
            """The mean of a column at the break point, by interpolation."""
            values = [float(np.nanmean(self.results.column(case, column))) for case in cases]
            return float(np.interp(severity, ends, values))

        confidence, right = there("label_confidence"), there("label_accuracy")
        fall = float(np.nanmean(self.results.column(protocol, "label_confidence"))) - confidence
        worst, best = self._bounds(protocol, failure, measure)
        parts = self.study.failures[failure].together
        return Break(
            protocol=protocol,
            failure=failure,
            measure=measure,
            outcome=Outcome.BREAKS,
            severity=severity,
            low=worst,
            high=best,
            knob=severity * parts[0].most if len(parts) == 1 else None,
            confidence=confidence,
            fall=fall,
            excess=confidence - right,
            silent=fall <= SILENT,
        )

    def _bounds(
        self, protocol: str, failure: str, measure: Measure
    ) -> tuple[float | None, float | None]:
        """Where the lower and the upper 95 % bound of the margin first fall to zero."""
        tried = self.severities(protocol, failure)
        margins = [self.margin(self.case(protocol, failure, s), measure) for s in tried]
        kept = [margin[~np.isnan(margin)] for margin in margins]
        if min(margin.size for margin in kept) < 2:
            return None, None
        half = [stdtrit(m.size - 1, 0.975) * m.std(ddof=1) / np.sqrt(m.size) for m in kept]
        bounds = []
        for sign in (-1.0, 1.0):
            edge = [float(m.mean() + sign * h) for m, h in zip(kept, half, strict=True)]
            bounds.append(_first_crossing(tried, edge))
        return bounds[0], bounds[1]

    def ranking(self) -> list[Row]:
        """Protocols by their worst case over the failures; see `oversight.findings.ranking`."""
        return ranking(self.study, self.results)

    def rows(self) -> list[Row]:
        """Dose-response: a summary row a protocol, failure and severity, without what does not
        apply."""
        return [
            self.results.summary_row(case)
            for case in self.results.cases
            if not case.failure or self.applies(case.protocol, case.failure)
        ]

    def export(self, folder: Path) -> None:
        """Write breaks.csv and ranking.csv. Raises StoreError where one cannot be written."""
        for name, keys, rows in (
            ("breaks", columns.BREAK, [broken.row() for broken in self.breaks()]),
            ("ranking", columns.RANKING, self.ranking()),
        ):
            with writing(folder / f"{name}.csv") as file:
                write_csv(file, names(keys), rows)


def _crossing(low: float, high: float, at_low: float, at_high: float) -> float:
    """Where a line through two points crosses zero."""
    return low + (high - low) * at_low / (at_low - at_high)


def _first_crossing(tried: list[float], values: list[float]) -> float | None:
    if values[0] <= 0:
        return 0.0
    for i in range(1, len(tried)):
        if values[i] <= 0:
            return _crossing(tried[i - 1], tried[i], values[i - 1], values[i])
    return None
