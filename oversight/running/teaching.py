"""Students of one replicate: trained on labels, tested against gold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from oversight.components.wrappers import as_role
from oversight.core.claims import BoolArray, FloatArray, Verdicts, read_only
from oversight.core.config import Config
from oversight.core.errors import VerdictError
from oversight.metrics import labels as metrics
from oversight.running.labeling import Labels
from oversight.students.base import Fitted, Lesson, Student
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.worlds.base import Pool


@dataclass
class Taught:
    """Students' log-odds on training items and on test items, by case; the accuracy on test items
    of the study's own student taught by gold; by case, what CURVE measures of every epoch."""

    learned: dict[Case, FloatArray] = field(default_factory=dict)
    tested: dict[Case, FloatArray] = field(default_factory=dict)
    ceiling: float = float("nan")
    curves: dict[Case, list[tuple[float, ...]]] = field(default_factory=dict)


def teach(
    study: Study,
    number: int,
    train: Pool,
    test: Pool,
    labels: Mapping[Case, Labels],
    curves: bool = False,
) -> Taught:
    """Train a student on the labels of every case. Students that are the same are fitted
    together, with the one that is taught by gold if that is the same too.

    curves  whether every epoch is measured, of students that have some
    """
    groups: dict[Hashable, dict[Case, Labels]] = {None: {}}  # the study's own student comes first
    for case, given in labels.items():
        healthy = given.student is study.student
        groups.setdefault(None if healthy else case[1:], {})[case] = given
    own, top = study.student, study.student.on_gold
    desk = _Classroom(study, number, train, test, curves)
    if top is not own:
        desk.teach(top, {}, gold=True)
    for group, alike in groups.items():
        student = next((given.student for given in alike.values()), own)
        desk.teach(student, alike, gold=group is None and top is own)
    return desk.taught


@dataclass(frozen=True)
class _Classroom:
    """Where students of one replicate are taught: the items, and what comes of it."""

    study: Study
    number: int
    train: Pool
    test: Pool
    curves: bool
    taught: Taught = field(default_factory=Taught)

    def teach(self, part: Config, labels: Mapping[Case, Labels], gold: bool) -> None:
        """Teach one student, all of its label sets together, and gold's if that is wanted."""
        study, train, test, cases = self.study, self.train, self.test, list(labels)
        teachers = [cache(given.teacher) for given in labels.values()]

        def respond(fitted: Fitted, column: int) -> tuple[FloatArray, FloatArray]:
            """Answers on training items and on test items."""
            teacher = teachers[column] if column < len(cases) else None
            setting = replace(study.setting, teacher=teacher)
            answers = [
                student.respond(fitted.log_odds(column, seen), pool, setting)
                for seen, pool in ((x, train), (x_test, test))
            ]
            for values, pool in zip(answers, (train, test), strict=True):
                _check(values, student, len(pool.gold), "answers")
            return answers[0], answers[1]

        def watch(epoch: int, columns: Sequence[int], fitted: Fitted, losses: FloatArray) -> None:
            for column, loss in zip(columns, losses.tolist(), strict=True):
                if column < len(cases):
                    given, answers = labels[cases[column]].verdicts, respond(fitted, column)
                    row = _point(given, *answers, train.gold, test.gold)
                    self.taught.curves.setdefault(cases[column], []).append((*row, loss))

        lesson = Lesson(study.seed, self.number, watch if self.curves else None)
        student = as_role(part, Student).attending(lesson)
        x, x_test = student.views(study.seed, self.number, train.x, test.x)
        verdicts = [given.verdicts for given in labels.values()]
        targets = [student.targets(given.belief, given.answer) for given in verdicts]
        for target in targets:
            _check(target, student, len(train.gold), "targets")
        marks = [given.labeled for given in verdicts]
        if gold:  # the ceiling is that of a student who does not fail
            targets.append(train.gold.astype(np.float64))
            marks.append(np.ones_like(train.gold))
        if not targets:
            return
        weights = None
        if not all(mark.all() for mark in marks):
            weights = np.stack(marks, axis=1).astype(np.float64)
        fitted = student.fit(x, read_only(np.stack(targets, axis=1)), weights)
        for column, case in enumerate(cases):
            self.taught.learned[case], self.taught.tested[case] = respond(fitted, column)
        if gold:
            _, tested = respond(fitted, len(cases))
            self.taught.ceiling = float(np.mean((tested > 0) == test.gold))


def _point(
    given: Verdicts, learned: FloatArray, tested: FloatArray, gold: BoolArray, new: BoolArray
) -> tuple[float, ...]:
    """What CURVE measures of an epoch, but for the loss."""
    marked = given.labeled
    shares = metrics.quadrants(learned[marked] > 0, given.answer[marked], gold[marked])
    agreement = (shares[f"agreement_when_{labels}"] for labels in ("right", "wrong"))
    return (float(np.mean((tested > 0) == new)), *agreement)


def _check(values: FloatArray, student: Student, items: int, name: str) -> None:
    """Raises VerdictError where a student's numbers are none."""
    array = np.asarray(values)
    if array.shape == (items,) and np.isfinite(array).all():
        return
    code = getattr(type(student), "respond" if name == "answers" else "targets").__code__
    wrong = f"shape {array.shape}" if array.shape != (items,) else "NaN or infinity among them"
    raise VerdictError(
        f"the student {type(student).__name__} gives {name} of {items} items with {wrong}; "
        f"expected one finite number an item",
        f"{code.co_filename}:{code.co_firstlineno}",
    )
