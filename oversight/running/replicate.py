"""One replicate: every protocol labels the same items, one student each is trained, everything is
measured; with failures or without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from oversight.core.claims import FloatArray, Verdicts
from oversight.core.columns import names
from oversight.desk.metrics import COLUMNS as DESK
from oversight.metrics import labels as metrics
from oversight.metrics.columns import MEASURES, PREDICTABLE
from oversight.metrics.predictable_share import Forecasts
from oversight.metrics.representable_share import Axes, share_measures
from oversight.running.failed import Failed
from oversight.running.labeling import Labeler, Labels
from oversight.running.teaching import teach
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.worlds.base import MARGINS, Pool

COLUMNS = (*names(MEASURES), *names(DESK), PREDICTABLE.name)
"""What a replicate stores of a protocol, in this order; NaN where there is nothing to measure."""

TOGETHER = 48
"""Cases whose labels are held at once: their students are fitted together."""


@dataclass(frozen=True)
class Replicate:
    """The results of one replicate: numbers by case in the order of COLUMNS, then, where curves
    were wanted, those of CURVE at the start and after every epoch; and what failed."""

    number: int
    rows: dict[Case, tuple[float, ...]]
    failed: tuple[Failed, ...] = ()


@dataclass(frozen=True)
class _Measuring:
    """What every row of a replicate is measured against.

    weak       accuracy of the baseline's labels
    axes       where training items lie; None in a world without margins
    forecasts  of label errors; None where nobody wants to know the predictable share
    curves     whether students are measured after every epoch
    """

    train: Pool
    test: Pool
    weak: float
    axes: Axes | None
    forecasts: Forecasts | None
    curves: bool


def run_replicate(
    study: Study,
    number: int,
    cases: Iterable[Case] | None = None,
    predictable: bool = False,
    curves: bool = False,
) -> Replicate:
    """Run cases of one replicate of a study, by default every protocol without failures; with
    `predictable`, measure their predictable share too; with `curves`, their students after every
    epoch. Depends on its arguments alone."""
    todo = [Case(name) for name in study.cells] if cases is None else list(cases)
    try:
        train, test = study.pool(number, "train"), study.pool(number, "test")
        labeler = Labeler(study, train)
        weak = labeler.weak()
        axes = Axes.of(train) if MARGINS in study.world.has else None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # without it nothing can be measured
        weak_case = Case(study.weak_protocol)
        every = [weak_case, *(case for case in todo if case != weak_case)]
        return Replicate(number, {}, tuple(Failed.of(case, number, error) for case in every))
    forecasts = Forecasts(train.x, study.seed) if predictable else None
    measuring = _Measuring(train, test, weak, axes, forecasts, curves)
    rows: dict[Case, tuple[float, ...]] = {}
    failed: list[Failed] = []
    for start in range(0, len(todo), TOGETHER):
        labels: dict[Case, Labels] = {}
        for case in todo[start : start + TOGETHER]:
            try:
                labels[case] = labeler.label(case)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a bug must not cost the others their results
                failed.append(Failed.of(case, number, error))
        measured, lost = _measured(study, number, labels, measuring)
        rows |= measured
        failed += lost
    return Replicate(number, rows, tuple(failed))


def _measured(
    study: Study, number: int, labels: Mapping[Case, Labels], measuring: _Measuring
) -> tuple[dict[Case, tuple[float, ...]], list[Failed]]:
    """The numbers of all these cases, and what failed: together if that works, else each alone,
    with the same numbers."""
    try:
        return _rows(study, number, labels, measuring), []
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if len(labels) == 1:
            return {}, [Failed.of(case, number, error) for case in labels]
    rows: dict[Case, tuple[float, ...]] = {}
    failed: list[Failed] = []
    for case, given in labels.items():
        measured, lost = _measured(study, number, {case: given}, measuring)
        rows |= measured
        failed += lost
    return rows, failed


def _rows(
    study: Study, number: int, labels: Mapping[Case, Labels], measuring: _Measuring
) -> dict[Case, tuple[float, ...]]:
    """Train a student on the labels of every case, and measure both."""
    taught = teach(study, number, measuring.train, measuring.test, labels, measuring.curves)
    return {
        case: (
            *_row(given, taught.learned[case], taught.tested[case], taught.ceiling, measuring),
            *chain.from_iterable(taught.curves.get(case, ())),
        )
        for case, given in labels.items()
    }


def _row(
    given: Labels,
    learned: FloatArray,
    tested: FloatArray,
    ceiling: float,
    measuring: _Measuring,
) -> tuple[float, ...]:
    """A case's numbers in the order of COLUMNS, from its labels and its student's log-odds on
    training items and on test items."""
    train, marked, answers = measuring.train, given.verdicts.labeled, given.verdicts.answer
    answer, gold = answers[marked], train.gold[marked]
    row = {
        **_of_labels(given.verdicts, train),
        "coverage": float(marked.mean()),
        "harm": float(np.mean(given.attacked & marked & (answers != train.gold))),
        "weak_accuracy": measuring.weak,
        "ceiling_accuracy": ceiling,
        **metrics.of_student(tested, measuring.test.gold),
        **metrics.quadrants(learned[marked] > 0, answer, gold),
        **share_measures(answers, marked, measuring.axes),
        "human_minutes_per_item": given.minutes / len(marked),
        "model_calls_per_item": given.calls / len(marked),
        "agent_score_difference": given.scores[0],
        "agent_score_difference_log": given.scores[1],
        **given.desk,
        PREDICTABLE.name: np.nan,
    }
    if measuring.forecasts is not None:
        wrong = answer != train.intended[marked]
        row[PREDICTABLE.name] = measuring.forecasts.share(marked, wrong)
    if not marked.any():  # nothing was learned from no labels
        row.update(dict.fromkeys(("student_accuracy", "auc", "brier", "calibration_error"), np.nan))
    return tuple(float(row[column]) for column in COLUMNS)


def _of_labels(given: Verdicts, train: Pool) -> dict[str, float]:
    """What is measured of the labels alone, over labeled items; NaN where there are none."""
    marked, belief = given.labeled, given.belief
    confidence = np.maximum(belief, 1 - belief)
    means = {
        "label_accuracy": given.answer == train.gold,
        "label_confidence": confidence,
        "override_rate": given.overridden,
        "disagreement_rate": given.disagreement > 0,
        "label_accuracy_intended": given.answer == train.intended,
        "label_positive": given.answer,
    }
    if not marked.any():
        return dict.fromkeys((*means, "label_confidence_sd"), np.nan)
    row = {name: float(np.mean(values[marked])) for name, values in means.items()}
    return {**row, "label_confidence_sd": float(np.std(confidence[marked]))}
