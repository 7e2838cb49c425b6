"""Results of a study: numbers per replicate, the summary that is reported, and comparisons between
protocols."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from oversight.claims import FloatArray
from oversight.pgr import Difference, Ratio, differences, fieller, structured_share, undefined
from oversight.replicate import COLUMNS, Failure, Replicate

Row = dict[str, Any]
MEANS = (
    "label_accuracy",
    "coverage",
    "weak_accuracy",
    "student_accuracy",
    "ceiling_accuracy",
    "auc",
    "brier",
    "calibration_error",
    "agreement_when_right",
    "agreement_when_wrong",
    "label_confidence",
    "human_minutes_per_item",
    "model_calls_per_item",
)
SUMMARY = (
    "scenario",
    "protocol",
    "failure",
    "severity",
    "replicates",
    "label_accuracy",
    "coverage",
    "structured_share",
    "weak_accuracy",
    "student_accuracy",
    "ceiling_accuracy",
    "pgr",
    "pgr_low",
    "pgr_high",
    "pgr_status",
    "oversight_gain",
    "generalization_gain",
    "auc",
    "brier",
    "calibration_error",
    "agreement_when_right",
    "agreement_when_wrong",
    "human_minutes_per_item",
    "model_calls_per_item",
    "structured_share_low",
    "structured_share_high",
    "structured_share_status",
    "label_confidence",
)
"""Columns of a summary row, in order."""

DIFFERENCE = ("first", "second", "difference", "low", "high", "status", "p_value")
"""Columns of a difference in PGR: intervals hold together, p-values by Holm."""


class Results:
    """What `compare` found. Numbers are kept as one array a protocol, so that many replicates stay
    small."""

    def __init__(
        self, scenario: str, protocols: Iterable[str], baseline: str, items: int, replicates: int
    ) -> None:
        self.scenario, self.baseline, self.items = scenario, baseline, items
        self.failures: list[Failure] = []
        self._values = {name: np.full((replicates, len(COLUMNS)), np.nan) for name in protocols}

    def add(self, replicate: Replicate) -> None:
        """Put a replicate in its place, whatever the order they come in."""
        for name, row in replicate.rows.items():
            self._values[name][replicate.number] = row
        self.failures += replicate.failures
        self.failures.sort(key=lambda failure: (failure.replicate, failure.protocol))

    @property
    def protocols(self) -> list[str]:
        return list(self._values)

    def column(self, protocol: str, name: str) -> FloatArray:
        """One measure of one protocol by replicate; NaN where it failed."""
        return self._values[protocol][:, COLUMNS.index(name)]

    @property
    def rows(self) -> list[Row]:
        """One row a protocol and replicate, in order of replicates."""
        return list(self._rows())

    def _rows(self) -> Iterator[Row]:
        replicates = len(next(iter(self._values.values())))
        for number in range(replicates):
            for name, values in self._values.items():
                if np.isnan(values[number, COLUMNS.index("weak_accuracy")]):
                    continue  # failed
                numbers = zip(COLUMNS, values[number].tolist(), strict=True)
                yield {
                    "scenario": self.scenario,
                    "protocol": name,
                    "failure": "",
                    "severity": 0,
                    "replicate": number,
                    **{key: None if math.isnan(value) else value for key, value in numbers},
                }

    def gap(self) -> FloatArray:
        """ceiling - weak by replicate."""
        return self.column(self.baseline, "ceiling_accuracy") - self.column(
            self.baseline, "weak_accuracy"
        )

    def pgr(self, protocol: str) -> Ratio:
        """Performance gap recovered, with Fieller's interval over replicates."""
        return self._ratio(protocol, "student_accuracy", "weak_accuracy")

    def oversight_gain(self, protocol: str) -> Ratio:
        """(label accuracy - weak) / (ceiling - weak): what better labels brought."""
        return self._ratio(protocol, "label_accuracy", "weak_accuracy")

    def generalization_gain(self, protocol: str) -> Ratio:
        """(student - label accuracy) / (ceiling - weak): what the student added."""
        return self._ratio(protocol, "student_accuracy", "label_accuracy")

    def _ratio(self, protocol: str, over: str, less: str) -> Ratio:
        done = ~np.isnan(self.column(protocol, "weak_accuracy"))
        if done.any() and not np.nanmax(self.column(protocol, "coverage")):
            return undefined("nothing was labeled")
        top = (self.column(protocol, over) - self.column(protocol, less))[done]
        return fieller(top, self.gap()[done])

    def structured_share(self, protocol: str) -> Ratio:
        """Share of the labels' error that a linear student can represent."""
        names = ("share_beta", "share_square", "label_accuracy_intended", "label_positive")
        coverage = self.column(protocol, "coverage")
        if np.isnan(coverage).all():
            return undefined("no replicate succeeded")
        labeled = round(self.items * float(np.nanmean(coverage)))
        beta, square, right, positive = (self.column(protocol, name) for name in names)
        return structured_share(beta, square, right, positive, labeled)

    def differences(self) -> list[Difference]:
        """Every pair of protocols: difference in PGR, paired over replicates, corrected for the
        number of pairs."""
        students = {name: self.column(name, "student_accuracy") for name in self.protocols}
        return differences(students, self.gap())

    def differences_rows(self) -> list[Row]:
        """The differences as plain rows; what is undefined is None and its status says why."""
        return [_difference_row(pair) for pair in self.differences()]

    def summary(self) -> list[Row]:
        """One row a protocol; what is undefined is None and its status says why."""
        return [self._summary_row(name) for name in self.protocols]

    def _summary_row(self, name: str) -> Row:
        done = ~np.isnan(self.column(name, "weak_accuracy"))
        means = {key: _mean(self.column(name, key)[done]) for key in MEANS}
        pgr, share = self.pgr(name), self.structured_share(name)
        row = {
            "scenario": self.scenario,
            "protocol": name,
            "failure": "",
            "severity": 0,
            "replicates": int(done.sum()),
            **means,
            "pgr": _number(pgr.value),
            "pgr_low": _number(pgr.low),
            "pgr_high": _number(pgr.high),
            "pgr_status": pgr.status,
            "oversight_gain": _number(self.oversight_gain(name).value),
            "generalization_gain": _number(self.generalization_gain(name).value),
            "structured_share": _number(share.value),
            "structured_share_low": _number(share.low),
            "structured_share_high": _number(share.high),
            "structured_share_status": share.status,
        }
        return {key: row[key] for key in SUMMARY}

    def to_csv(self, path: str | Path, runs: bool = False) -> None:
        """Write the summary, or with `runs` one row a replicate."""
        rows = self._rows() if runs else self.summary()
        names = (
            [*SUMMARY]
            if not runs
            else ["scenario", "protocol", "failure", "severity", "replicate", *COLUMNS]
        )
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            write_csv(file, names, rows)

    def csv(self) -> str:
        """The summary as CSV text."""
        text = io.StringIO()
        write_csv(text, [*SUMMARY], self.summary())
        return text.getvalue()


def write_csv(file: Any, names: list[str], rows: Iterable[Row]) -> None:
    """Rows as CSV, None as an empty field, numbers as Python writes them."""
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _difference_row(pair: Difference) -> Row:
    found = pair.difference
    unbounded = found.defined and math.isinf(found.high)
    return {
        "first": pair.first,
        "second": pair.second,
        "difference": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "status": "ok, but its corrected interval has no bounds" if unbounded else found.status,
        "p_value": _number(pair.p_value),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _mean(values: FloatArray) -> float | None:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else None
