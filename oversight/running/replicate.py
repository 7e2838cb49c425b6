"""One replicate: every protocol labels the same items, one student each is trained, everything is
measured; with failures or without."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from oversight.components.component import Known, Overseer
from oversight.core.claims import BoolArray, FloatArray, Verdicts
from oversight.core.columns import names
from oversight.desk.metrics import COLUMNS as DESK
from oversight.desk.metrics import measures as of_desk
from oversight.desk.staffed import Staffed
from oversight.metrics import labels as measures
from oversight.metrics.agent_score import Defended, differences, recorded
from oversight.metrics.columns import MEASURES
from oversight.studies.study import Case, Study
from oversight.worlds.base import Pool

COLUMNS = (*names(MEASURES), *names(DESK))
"""What a replicate stores of a protocol, in this order; NaN where there is nothing to measure."""


@dataclass(frozen=True)
class Failed:
    """A case that raised in a replicate: what, and where it came from."""

    case: Case
    replicate: int
    error: str
    origin: str
    traceback: str = ""


@dataclass(frozen=True)
class Replicate:
    """The results of one replicate: numbers by case in the order of COLUMNS, and what failed."""

    number: int
    rows: dict[Case, tuple[float, ...]]
    failed: tuple[Failed, ...] = ()


@dataclass(frozen=True)
class _Labels:
    belief: FloatArray
    answer: BoolArray
    labeled: BoolArray
    minutes: float
    calls: float
    scores: tuple[float, float]
    student: Any
    desk: dict[str, float]


TOGETHER = 48
"""Cases whose labels are held at once: their students are fitted together."""


def run_replicate(study: Study, number: int, cases: Iterable[Case] | None = None) -> Replicate:
    """Run cases of one replicate of a study, by default every protocol without failures. Depends on
    the study and the number alone."""
    asked = [Case(name) for name in study.cells] if cases is None else list(cases)
    try:
        train = study.world.pool(study.seed, number, "train")
        test = study.world.pool(study.seed, number, "test")
        labelers = _Labelers(study, train)
        unaided = labelers.unaided()
    except Exception as error:  # without it nothing can be measured
        lost = [Case(study.baseline), *(case for case in asked if case != Case(study.baseline))]
        return Replicate(number, {}, tuple(_failed(case, number, error) for case in lost))
    weak = float(np.mean(unaided == train.gold))
    rows: dict[Case, tuple[float, ...]] = {}
    failed = []
    for start in range(0, len(asked), TOGETHER):
        labels: dict[Case, _Labels] = {}
        for case in asked[start : start + TOGETHER]:
            try:
                labels[case] = labelers.label(case)
            except Exception as error:  # one protocol's bug must not cost the others their results
                failed.append(_failed(case, number, error))
        try:
            rows |= _taught(study, number, train, test, labels, weak)
        except Exception as error:
            failed += [_failed(case, number, error) for case in labels]
    return Replicate(number, rows, tuple(failed))


class _Labelers:
    """The protocols of a study at work on one pool. What comes before a failure is done once: a
    failure of the labels or of the student is given the labels that there are."""

    def __init__(self, study: Study, pool: Pool) -> None:
        self.study, self.pool, self.protocols = study, pool, study.cells
        if (desk := study.desk) is not None:
            at_desk = self.protocols.items()
            self.protocols = {name: Staffed(inner=made, desk=desk) for name, made in at_desk}
        self._known: dict[str, tuple[Known, Defended]] = {}

    def unaided(self) -> BoolArray:
        """Answers of the unaided overseer, healthy and rested: what "weak" is measured on."""
        if self.study.desk is None:
            return self.label(Case(self.study.baseline)).answer
        rested = self.study.cells[self.study.baseline].prepare(self.pool, self.study.setting)
        return rested.assess(self.pool.roots).answer

    def label(self, case: Case) -> _Labels:
        protocol, student = self.protocols[case.protocol], self.study.student
        if not case.failure:
            return self._labels(*self._healthy(case.protocol), student)
        injected = self.study.failures[case.failure]
        if injected.roles_in(protocol) <= {"labels", "student"}:
            known, said = self._healthy(case.protocol)
            failing, student = injected.into(known, student, case.severity)
            return self._labels(failing.prepare(self.pool, self.study.setting), said, student)
        failing, student = injected.into(protocol, student, case.severity)
        return self._labels(*self._prepared(failing), student)

    def _healthy(self, name: str) -> tuple[Known, Defended]:
        if name not in self._known:
            prepared, said = self._prepared(self.protocols[name])
            verdicts = prepared.assess(self.pool.roots)
            said.listening = False
            self._known[name] = (Known.of(prepared, self.pool.roots, verdicts), said)
        return self._known[name]

    def _prepared(self, protocol: Overseer) -> tuple[Overseer, Defended]:
        said = Defended(self.pool.draws.items)
        prepared = recorded(protocol, said).prepare(self.pool, self.study.setting)
        said.listening = True
        return prepared, said

    def _labels(self, prepared: Overseer, said: Defended, student: Any) -> _Labels:
        verdicts: Verdicts = prepared.assess(self.pool.roots)
        minutes, calls = prepared.fixed_cost()
        minutes += float(verdicts.minutes.sum())
        desk: dict[str, float] = dict.fromkeys(names(DESK), float("nan"))
        if (settings := self.study.desk) is not None:
            # A failure of the labels passes on what it does not know.
            timetable = prepared.timetable  # type: ignore[attr-defined]
            desk = of_desk(settings, timetable, minutes, verdicts.labeled)
        return _Labels(
            belief=verdicts.belief,
            answer=verdicts.answer,
            labeled=verdicts.labeled,
            minutes=minutes,
            calls=float(verdicts.calls.sum()) + calls,
            scores=differences(verdicts, self.pool.intended, said),
            student=student,
            desk=desk,
        )


def _taught(
    study: Study, number: int, train: Pool, test: Pool, labels: dict[Case, _Labels], weak: float
) -> dict[Case, tuple[float, ...]]:
    """Rows of cases: students that are the same are fitted together, with the ceiling's."""
    by_student: dict[int, dict[Case, _Labels]] = {id(study.student): {}}
    for case, given in labels.items():
        by_student.setdefault(id(given.student), {})[case] = given
    rows = {}
    ceiling = float("nan")
    for alike in by_student.values():  # the study's own student first: the ceiling is its
        student = next((given.student for given in alike.values()), study.student)
        learned, tested, top = _teach(study, student, number, train, test, alike)
        ceiling = top if student is study.student else ceiling
        for case, given in alike.items():
            answers = (learned[case], tested[case])
            rows[case] = _row(given, *answers, train, test, weak, ceiling)
    return {case: rows[case] for case in labels}


def _teach(
    study: Study, student: Any, number: int, train: Pool, test: Pool, labels: dict[Case, _Labels]
) -> tuple[dict[Case, FloatArray], dict[Case, FloatArray], float]:
    """A student's log-odds on training and on test items by case, and the accuracy that gold gives
    it; all fitted together."""
    x, x_test = student.views(study.seed, number, train.x, test.x)
    targets = [student.targets(given.belief, given.answer) for given in labels.values()]
    gold = train.gold
    stacked = np.stack([*targets, gold.astype(np.float64)], axis=1)
    weights = None
    if not all(given.labeled.all() for given in labels.values()):
        marks = [given.labeled for given in labels.values()]
        weights = np.stack([*marks, np.ones_like(gold)], axis=1).astype(np.float64)
    w, intercept = student.fit(x, stacked, weights)

    def says(i: int, features: FloatArray, pool: Pool) -> FloatArray:
        # A column at a time: the last bits of a product depend on how many columns it has.
        log_odds = features @ w[:, i].copy() + intercept[i]
        return np.asarray(student.says(log_odds, pool, study.setting))

    learned = {case: says(i, x, train) for i, case in enumerate(labels)}
    tested = {case: says(i, x_test, test) for i, case in enumerate(labels)}
    top = says(-1, x_test, test)
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
        "agent_score_difference": given.scores[0],
        "agent_score_difference_log": given.scores[1],
        **given.desk,
    }
    if not some:  # nothing was learned from no labels
        row.update(dict.fromkeys(("student_accuracy", "auc", "brier", "calibration_error"), np.nan))
    return tuple(float(row[column]) for column in COLUMNS)


def _failed(case: Case, number: int, error: Exception) -> Failed:
    frames = traceback.extract_tb(error.__traceback__)
    origin = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"
    told = "".join(traceback.format_exception(error))
    return Failed(case, number, f"{type(error).__name__}: {error}", origin, told)
