"""One replicate: every protocol labels the same items, one student each is trained, everything is
measured."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import numpy as np

from oversight import measures
from oversight.claims import BoolArray, FloatArray, Verdicts
from oversight.component import Overseer
from oversight.pool import Pool
from oversight.study import Study

COLUMNS = (
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
    "label_right_student_right",
    "label_right_student_wrong",
    "label_wrong_student_right",
    "label_wrong_student_wrong",
    "label_confidence",
    "label_accuracy_intended",
    "label_positive",
    "share_beta",
    "share_square",
    "human_minutes_per_item",
    "model_calls_per_item",
)
"""What a replicate stores of a protocol, in this order; NaN where there is nothing to measure."""


@dataclass(frozen=True)
class Failure:
    """A protocol that raised in a replicate: what, and where it came from."""

    protocol: str
    replicate: int
    error: str
    origin: str


@dataclass(frozen=True)
class Replicate:
    """The results of one replicate: numbers by protocol in the order of COLUMNS, and what
    failed."""

    number: int
    rows: dict[str, tuple[float, ...]]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class _Labels:
    belief: FloatArray
    answer: BoolArray
    labeled: BoolArray
    minutes: float
    calls: float


def run_replicate(study: Study, number: int) -> Replicate:
    """Run one replicate of a study. Depends on the study and the number alone."""
    train = study.world.pool(study.seed, number, "train")
    test = study.world.pool(study.seed, number, "test")
    labels: dict[str, _Labels] = {}
    failures = []
    for name, protocol in study.cells.items():
        try:
            labels[name] = _label(protocol, train, study)
        except Exception as error:  # one protocol's bug must not cost the others their results
            failures.append(_failure(name, number, error))
    if study.baseline not in labels:
        return Replicate(number, {}, tuple(failures))
    weak = float(np.mean(labels[study.baseline].answer == train.gold))
    learned, tested, ceiling = _teach(study, number, train, test, labels)
    rows = {
        name: _row(given, learned[name], tested[name], train, test, weak, ceiling)
        for name, given in labels.items()
    }
    return Replicate(number, rows, tuple(failures))


def _label(protocol: Overseer, pool: Pool, study: Study) -> _Labels:
    prepared = protocol.prepare(pool, study.setting)
    verdicts: Verdicts = prepared.assess(pool.roots)
    minutes, calls = prepared.fixed_cost()
    return _Labels(
        belief=verdicts.belief,
        answer=verdicts.answer,
        labeled=verdicts.labeled,
        minutes=float(verdicts.minutes.sum()) + minutes,
        calls=float(verdicts.calls.sum()) + calls,
    )


def _teach(
    study: Study, number: int, train: Pool, test: Pool, labels: dict[str, _Labels]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], float]:
    """Students' log-odds on training and on test items by protocol, and the ceiling's accuracy; all
    fitted together."""
    x, x_test = study.student.views(study.seed, number, train.x, test.x)
    targets = [study.student.targets(given.belief, given.answer) for given in labels.values()]
    gold = train.gold
    stacked = np.stack([*targets, gold.astype(np.float64)], axis=1)
    weights = None
    if not all(given.labeled.all() for given in labels.values()):
        marks = [given.labeled for given in labels.values()]
        weights = np.stack([*marks, np.ones_like(gold)], axis=1).astype(np.float64)
    w, intercept = study.student.fit(x, stacked, weights)
    # A column at a time: the last bits of a product depend on how many columns it has.
    learned = {name: x @ w[:, i].copy() + intercept[i] for i, name in enumerate(labels)}
    tested = {name: x_test @ w[:, i].copy() + intercept[i] for i, name in enumerate(labels)}
    top = x_test @ w[:, -1].copy() + intercept[-1]
    return learned, tested, float(np.mean((top > 0) == test.gold))


def _row(
    given: _Labels,
    learned: FloatArray,
    tested: FloatArray,
    train: Pool,
    test: Pool,
    weak: float,
    ceiling: float,
) -> tuple[float, ...]:
    marked = given.labeled
    answer, gold = given.answer[marked], train.gold[marked]
    intended, x = train.intended[marked], train.x[marked]
    belief, some = given.belief[marked], bool(marked.any())
    beta, square = (
        measures.share_sums(answer, train.root_margin[marked], x) if some else (np.nan, np.nan)
    )
    row = {
        "label_accuracy": float(np.mean(answer == gold)) if some else np.nan,
        "coverage": float(marked.mean()),
        "weak_accuracy": weak,
        "ceiling_accuracy": ceiling,
        **measures.of_student(tested, test.gold),
        **measures.quadrants(learned[marked] > 0, answer, gold),
        "label_confidence": float(np.maximum(belief, 1 - belief).mean()) if some else np.nan,
        "label_accuracy_intended": float(np.mean(answer == intended)) if some else np.nan,
        "label_positive": float(np.mean(answer)) if some else np.nan,
        "share_beta": beta,
        "share_square": square,
        "human_minutes_per_item": given.minutes / len(marked),
        "model_calls_per_item": given.calls / len(marked),
    }
    if not some:  # nothing was learned from no labels
        row.update(dict.fromkeys(("student_accuracy", "auc", "brier", "calibration_error"), np.nan))
    return tuple(float(row[column]) for column in COLUMNS)


def _failure(name: str, number: int, error: Exception) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    origin = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
    return Failure(name, number, f"{type(error).__name__}: {error}", origin)
