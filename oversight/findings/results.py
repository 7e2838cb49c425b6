"""Results of a study: numbers per replicate, the summary that is reported, and comparisons between
protocols."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from oversight.core.claims import FloatArray
from oversight.core.columns import Column, names
from oversight.core.files import writing
from oversight.findings import columns
from oversight.findings.rows import ROWS, Row, number, write_csv
from oversight.metrics.columns import CURVE, PREDICTABLE
from oversight.metrics.pgr import (
    Difference,
    Ratio,
    Reason,
    differences,
    fieller,
    gap_is_absent,
    undefined,
)
from oversight.metrics.representable_share import MADE_OF, representable_share
from oversight.running.failed import Failed
from oversight.running.keys import Keys
from oversight.running.replicate import COLUMNS
from oversight.running.store import Store
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.worlds.base import MARGINS


class Results:
    """The results of a study. Numbers stay in the store and are read when they are needed, so that
    many replicates need no more memory than few.

    study       what was run
    scenario    its name
    baseline    the protocol whose labels are "weak"
    items       training items a replicate
    replicates  how many there are, those that failed among them
    """

    def __init__(
        self, study: Study, cases: Iterable[Case], store: Store, keys: Keys | None = None
    ) -> None:
        self.study, self._store = study, store
        self._keys = Keys(study) if keys is None else keys
        self.scenario, self.baseline = study.name, study.weak_protocol
        self.items, self.replicates = study.world.items("train"), study.replicates
        self._cases = dict.fromkeys(cases)

    @property
    def summary_columns(self) -> tuple[Column, ...]:
        """Columns of a summary row."""
        return columns.SUMMARY + self.on_request

    @property
    def run_columns(self) -> tuple[Column, ...]:
        """Columns of a row a replicate."""
        return columns.RUNS + self.on_request

    @property
    def on_request(self) -> tuple[Column, ...]:
        """Columns that are there because somebody wanted to know them."""
        return (PREDICTABLE,) if self._keys.predictable else ()

    def expect(self, cases: Iterable[Case]) -> None:
        """Take more cases in, after those that are here."""
        self._cases |= dict.fromkeys(cases)

    @property
    def cases(self) -> list[Case]:
        """What the rows are about, in order."""
        return list(self._cases)

    @property
    def failed(self) -> list[Failed]:
        """What failed, in order of replicates; with a traceback where it is the first of its
        kind."""
        cells = ((case, self._keys.of(case)) for case in self.cases)
        return list(self._store.failed(cells, self.replicates))

    @property
    def protocols(self) -> list[str]:
        """The protocols that were run without a failure."""
        return [case.protocol for case in self.cases if not case.failure]

    def column(self, case: Case | str, name: str) -> FloatArray:
        """One measure of a case, or of a protocol without failures, (replicates,); NaN where it
        failed. Raises KeyError for a case that was not run, ValueError for an unknown measure."""
        return self._numbers(_case(case))[:, COLUMNS.index(name)].copy()  # alone, and no more

    def _numbers(self, case: Case) -> FloatArray:
        """(replicates, columns)."""
        if case not in self._cases:
            raise KeyError(f"no results of {case.protocol!r} here")
        return self._store.array(self._keys.of(case), self.replicates)

    def untouched(self, case: Case) -> bool:
        """Whether a failure changed no number of its protocol, in any replicate."""
        healthy = Case(case.protocol)
        if not case.failure or not case.severity or healthy not in self._cases:
            return False
        return np.array_equal(self._numbers(case), self._numbers(healthy), equal_nan=True)

    @property
    def rows(self) -> list[Row]:
        """One row a protocol and replicate, in order of replicates."""
        return list(self._rows())

    def _rows(self) -> Iterator[Row]:
        return (row for block in self.row_blocks() for row in block)

    def row_blocks(self) -> Iterator[list[Row]]:
        """The same rows, ROWS replicates at a time; a block may be empty, where all failed."""
        for start in range(0, self.replicates, ROWS):
            stop = min(start + ROWS, self.replicates)
            block = [(case, self._numbers(case)[start:stop].tolist()) for case in self.cases]
            rows = [
                self._row(case, number, values[number - start])
                for number in range(start, stop)
                for case, values in block
            ]
            yield [row for row in rows if row["weak_accuracy"] is not None]  # which failed

    def _row(self, case: Case, number: int, values: list[float]) -> Row:
        numbers = zip(COLUMNS, values, strict=True)
        row = {
            "scenario": self.scenario,
            **_about(case),
            "replicate": number,
            **{key: None if math.isnan(value) else value for key, value in numbers},
        }
        return {key: row[key] for key in names(self.run_columns)}

    def curves(self) -> Iterator[Row]:
        """One row a protocol, replicate and epoch, in order of replicates: how the student changed
        as it was trained. There is none unless the results were kept in a folder, and the student
        has epochs."""
        for replicate in range(self.replicates):
            for case in self.cases:
                points = self._store.curve(self._keys.of(case), replicate).tolist()
                for epoch, values in enumerate(points):
                    measured = zip(names(CURVE), map(number, values), strict=True)
                    yield {**_about(case), "replicate": replicate, "epoch": epoch, **dict(measured)}

    def gap(self) -> FloatArray:
        """ceiling - weak, (replicates,); NaN where the baseline failed."""
        return self.column(self.baseline, "ceiling_accuracy") - self.column(
            self.baseline, "weak_accuracy"
        )

    @property
    def gap_is_absent(self) -> bool:
        """Whether PGR is undefined, and more replicates will hardly ever define it."""
        return gap_is_absent(self.gap())

    def pgr(self, case: Case | str) -> Ratio:
        """Performance gap recovered, with Fieller's interval over replicates."""
        return self._ratio(case, "student_accuracy", "weak_accuracy")

    def oversight_gain(self, case: Case | str) -> Ratio:
        """(label accuracy - weak) / (ceiling - weak): what better labels brought."""
        return self._ratio(case, "label_accuracy", "weak_accuracy")

    def generalization_gain(self, case: Case | str) -> Ratio:
        """(student - label accuracy) / (ceiling - weak): what the student added."""
        return self._ratio(case, "student_accuracy", "label_accuracy")

    def _ratio(self, case: Case | str, over: str, less: str) -> Ratio:
        if self.untouched(_case(case)):
            text = "the failure does not apply: there is nothing for it to change"
            return undefined(Reason.NOT_APPLICABLE, text)
        done = ~np.isnan(self.column(case, "weak_accuracy"))
        blank = int(np.sum(self.column(case, "coverage")[done] == 0))
        if blank:
            where = "" if blank == done.sum() else f" in {blank} of {done.sum()} replicates"
            return undefined(Reason.NO_LABELS, f"nothing was labeled{where}")
        top = (self.column(case, over) - self.column(case, less))[done]
        return fieller(top, self.gap()[done])

    def representable_share(self, case: Case | str) -> Ratio:
        """Share of the labels' error that a linear student can represent, with its jackknife
        interval; where the study's student is no linear one, the text says so."""
        coverage = self.column(case, "coverage")
        if np.isnan(coverage).all():
            return undefined(Reason.NO_REPLICATE)
        if MARGINS not in self.study.world.has:
            return undefined(Reason.NO_MARGINS)
        labeled = round(self.items * float(np.nanmean(coverage)))
        linear, margin, shift, right, positive = (self.column(case, name) for name in MADE_OF)
        share = representable_share(linear, margin, shift, right, positive, labeled)
        if not share.defined or not (other := self.other_student):
            return share
        return replace(share, text="; ".join(filter(None, (share.text, other))))

    @property
    def other_student(self) -> str:
        """That the representable share predicts another student than this one; empty where it
        predicts this one."""
        kind = self.study.student.kind
        return "" if kind == "linear" else f"predicts a linear student, and this one is {kind!r}"

    def differences(self) -> list[Difference]:
        """Every pair of protocols: difference in PGR, paired over replicates, corrected for the
        number of pairs."""
        students = {name: self.column(name, "student_accuracy") for name in self.protocols}
        return differences(students, self.gap())

    def differences_rows(self) -> list[Row]:
        """The differences as plain rows; what is undefined is None and its status says why."""
        return [_difference_row(pair) for pair in self.differences()]

    def summary(self) -> list[Row]:
        """One row a case; what is undefined is None and its status says why."""
        return [self.summary_row(case) for case in self.cases]

    def summary_row(self, case: Case) -> Row:
        """A case's row."""
        done = ~np.isnan(self.column(case, "weak_accuracy"))
        means = {
            key: _mean(self.column(case, key)[done])
            for key in names(columns.MEANS + self.on_request)
        }
        pgr, share = self.pgr(case), self.representable_share(case)
        row = {
            "scenario": self.scenario,
            **_about(case),
            **dict(zip(names(columns.STRATEGY), self.study.strategy_of(case), strict=True)),
            "replicates": int(done.sum()),
            **means,
            "pgr": number(pgr.value),
            "pgr_low": number(pgr.low),
            "pgr_high": number(pgr.high),
            "pgr_status": pgr.status,
            "oversight_gain": number(self.oversight_gain(case).value),
            "generalization_gain": number(self.generalization_gain(case).value),
            "representable_share": number(share.value),
            "representable_share_low": number(share.low),
            "representable_share_high": number(share.high),
            "representable_share_status": share.status,
        }
        return {key: row[key] for key in names(self.summary_columns)}

    def to_csv(self, path: str | Path, runs: bool = False) -> None:
        """Write the summary, or with `runs` one row a replicate. Raises StoreError where the file
        cannot be written."""
        rows = self._rows() if runs else self.summary()
        keys = names(self.run_columns if runs else self.summary_columns)
        with writing(Path(path)) as file:
            write_csv(file, keys, rows)

    def csv(self) -> str:
        """The summary as CSV text."""
        text = io.StringIO()
        write_csv(text, names(self.summary_columns), self.summary())
        return text.getvalue()


def _case(case: Case | str) -> Case:
    return Case(case) if isinstance(case, str) else case


def _about(case: Case) -> Row:
    return {
        "protocol": case.protocol,
        "failure": case.failure,
        "severity": case.severity if case.failure else 0,
    }


def _difference_row(pair: Difference) -> Row:
    apart = pair.difference
    unbounded = apart.defined and math.isinf(apart.high)
    return {
        "first": pair.first,
        "second": pair.second,
        "difference": number(apart.value),
        "low": number(apart.low),
        "high": number(apart.high),
        "status": "ok, but its corrected interval has no bounds" if unbounded else apart.status,
        "p_value": number(pair.p_value),
    }


def _mean(values: FloatArray) -> float | None:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else None
