"""Students of one replicate: trained on labels, tested against gold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from oversight.components.wrappers import as_role
from oversight.core.claims import FloatArray, read_only
from oversight.core.config import Config
from oversight.core.errors import VerdictError
from oversight.running.labeling import Labels, Teacher
from oversight.students.base import Lesson, Student
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.worlds.base import Pool


@dataclass(frozen=True)
class Taught:
    """Students' log-odds on training items and on test items, by case, and the accuracy on test
    items of the study's own student taught by gold."""

    learned: Mapping[Case, FloatArray]
    tested: Mapping[Case, FloatArray]
    ceiling: float


def teach(
    study: Study, number: int, train: Pool, test: Pool, labels: Mapping[Case, Labels]
) -> Taught:
    """Train a student on the labels of every case. Students that are the same are fitted
    together, with the one that is taught by gold if that is the same too."""
    groups: dict[Hashable, dict[Case, Labels]] = {None: {}}  # the study's own student comes first
    for case, given in labels.items():
        healthy = given.student is study.student
        groups.setdefault(None if healthy else case[1:], {})[case] = given
    learned: dict[Case, FloatArray] = {}
    tested: dict[Case, FloatArray] = {}
    own = study.student
    alone = own.on_gold is not own
    ceiling = _teach(study, own.on_gold, number, train, test, {}).ceiling if alone else np.nan
    for group, alike in groups.items():
        student = next((given.student for given in alike.values()), study.student)
        taught = _teach(study, student, number, train, test, alike, group is None and not alone)
        learned |= taught.learned
        tested |= taught.tested
        if group is None and not alone:
            ceiling = taught.ceiling
    return Taught(learned, tested, ceiling)


def _teach(
    study: Study,
    part: Config,
    number: int,
    train: Pool,
    test: Pool,
    labels: Mapping[Case, Labels],
    gold: bool = True,
) -> Taught:
    """The same for one student, all of its label sets together, and gold's if that is wanted."""
    student = as_role(part, Student).attending(Lesson(study.seed, number))
    x, x_test = student.views(study.seed, number, train.x, test.x)
    targets = [student.targets(given.belief, given.answer) for given in labels.values()]
    for target in targets:
        _check(target, student, len(train.gold), "targets")
    marks = [given.labeled for given in labels.values()]
    if gold:  # the ceiling is that of a student who does not fail
        targets, marks = [*targets, train.gold.astype(np.float64)], [*marks, train.everyone >= 0]
    if not targets:
        return Taught({}, {}, float("nan"))
    stacked = read_only(np.stack(targets, axis=1))
    weights = None
    if not all(mark.all() for mark in marks):
        weights = np.stack(marks, axis=1).astype(np.float64)
    fitted = student.fit(x, stacked, weights)

    def respond(
        column: int, features: FloatArray, pool: Pool, teacher: Teacher | None = None
    ) -> FloatArray:
        setting = replace(study.setting, teacher=teacher)
        answers = student.respond(fitted.log_odds(column, features), pool, setting)
        _check(answers, student, len(pool.gold), "answers")
        return answers

    given = list(enumerate(labels.items()))
    return Taught(
        {case: respond(i, x, train, each.teacher) for i, (case, each) in given},
        {case: respond(i, x_test, test, each.teacher) for i, (case, each) in given},
        float(np.mean((respond(len(labels), x_test, test) > 0) == test.gold))
        if gold
        else float("nan"),
    )


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
