"""Protocols ranked by their worst case over the failures of a run (MODEL 10).

A mean over the failures that apply can be padded: a part that is never consulted brings failures
that cannot matter, and each counts as borne. So every failure of the run counts, for every
protocol: one that does not apply, or that changes nothing, leaves the protocol its healthy PGR.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oversight.findings.results import Results
from oversight.findings.rows import Row, number
from oversight.metrics.pgr import Ratio
from oversight.studies.cases import Case
from oversight.studies.study import Study

NOTHING = "no failure"
"""What gives the worst case where no failure changes PGR."""


class _Counted(NamedTuple):
    """What a protocol is worth under a failure at one severity: its PGR, its label accuracy, and
    the failure in words."""

    pgr: Ratio
    labels: float
    words: str


def ranking(study: Study, results: Results) -> list[Row]:
    """A row a protocol: by the lowest PGR over the failures of a study, each at the severities at
    which it counts (`Injection.counted`), then by the mean, each failure having one vote. A PGR
    that is undefined anywhere leaves the whole row without one, last, with the reason."""
    ran = frozenset(results.cases)
    rows = [_row(study, results, ran, protocol) for protocol in study.cells]
    return sorted(rows, key=_place)


def _place(row: Row) -> tuple[bool, float, float, str]:
    worst, mean = row["worst_pgr"], row["mean_pgr"]
    return worst is None, -(worst or 0.0), -(mean or 0.0), row["protocol"]


def _row(study: Study, results: Results, ran: frozenset[Case], protocol: str) -> Row:
    by_failure = [
        [_counted(results, ran, Case(protocol, failure, at)) for at in injected.counted]
        for failure, injected in study.failures.items()
    ]
    every = [one for counted in by_failure for one in counted]
    labels = float(np.min([one.labels for one in every]))
    row: Row = {
        "protocol": protocol,
        **dict.fromkeys(("worst_pgr", "worst_pgr_low", "worst_pgr_high", "worst", "mean_pgr")),
        "healthy_pgr": None,
        "worst_label_accuracy": number(labels),
    }
    unknown = next((one for one in every if not one.pgr.defined), None)
    if unknown is not None:
        return {**row, "status": f"{unknown.pgr.status}{unknown.words and f' ({unknown.words})'}"}
    worst = min(every, key=lambda one: one.pgr.value)
    means = [np.mean([one.pgr.value for one in counted]) for counted in by_failure]
    return {
        **row,
        "worst_pgr": worst.pgr.value,
        "worst_pgr_low": number(worst.pgr.low),
        "worst_pgr_high": number(worst.pgr.high),
        "worst": worst.words or NOTHING,
        "mean_pgr": float(np.mean(means)),
        "healthy_pgr": results.pgr(protocol).value,
        "status": "ok",
    }


def _counted(results: Results, ran: frozenset[Case], case: Case) -> _Counted:
    """A case as it counts: where the failure does not apply, or changes nothing, as health."""
    healthy = results.pgr(case.protocol)
    if case not in ran or results.untouched(case):
        case = Case(case.protocol)
    pgr, labels = results.pgr(case), results.column(case, "label_accuracy")
    given = labels[~np.isnan(labels)]
    same = healthy.defined and pgr.value == healthy.value
    words = f"{case.failure} {case.severity:g}" if case.failure and not same else ""
    return _Counted(pgr, float(given.mean()) if given.size else np.nan, words)
