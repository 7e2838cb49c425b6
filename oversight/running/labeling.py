"""The protocols of a study at work on the items of one replicate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from oversight.components.assessing import assessed, paid_before
from oversight.components.overseer import Overseer
from oversight.components.wrappers import MODELS_ROLE, Known, as_role, inner_of
from oversight.core.claims import BoolArray, FloatArray, Verdicts
from oversight.core.columns import names
from oversight.core.config import Config
from oversight.desk.metrics import COLUMNS as DESK
from oversight.desk.metrics import measures as of_desk
from oversight.desk.staffed import Staffed
from oversight.metrics.agent_score import Defended, differences
from oversight.overseers.attack import attacked, honest, prepared, strategies
from oversight.overseers.meaning import moves
from oversight.overseers.recording import Tape, recorded
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.worlds.base import Pool

Teacher = Callable[[Pool], FloatArray]
"""What a protocol, rested and under the failures of its case, states about the items of a pool."""


@dataclass(frozen=True)
class Labels:
    """A case's labels of all training items, and what they cost.

    verdicts        the labels, by item
    minutes, calls  human minutes and model calls in all, >= 0
    scores          agent score difference by Brier's rule and by log score; NaN for none
    student         who learns from them: the study's own student, or one that fails
    desk            the desk's measures by column; NaN without a desk
    teacher         who gave them
    attacked        the items that the strong model attacked, bool by item
    """

    verdicts: Verdicts
    minutes: float
    calls: float
    scores: tuple[float, float]
    student: Config
    desk: dict[str, float]
    teacher: Teacher
    attacked: BoolArray


@dataclass(frozen=True)
class Working:
    """A prepared protocol, what its agents argued for while it gave its verdicts, and the items
    that they attacked."""

    protocol: Overseer
    defended: Defended
    attacked: BoolArray


class Labeler:
    """The protocols of a study at work on one pool.

    What comes before a failure is done once: a failure of the labels or of the student gets the
    labels that there are, and so does a strategy that changes none of them.
    """

    def __init__(self, study: Study, pool: Pool) -> None:
        self.study, self.pool, self._rested = study, pool, study.cells
        self.protocols: dict[str, Overseer] = self._rested
        if (desk := study.desk) is not None:
            cells = self._rested.items()
            self.protocols = {name: Staffed(inner=part, desk=desk) for name, part in cells}
        self._healthy: dict[str, Working] = {}
        self._stated: dict[tuple[str, int], FloatArray] = {}

    def weak(self) -> float:
        """Accuracy of the baseline's labels against gold: healthy and rested, with a strong model
        that is honest, on all items that it labels. Raises ValueError where it labels none."""
        name = self.study.weak_protocol
        cell, setting = self.study.cells[name], self.study.setting
        if self.study.desk is None and not strategies(cell, setting):
            given = self.label(Case(name)).verdicts
        else:
            given = assessed(honest(cell).prepare(self.pool, setting), self.pool.roots)
        if not given.labeled.any():
            raise ValueError(f"the baseline {name!r} labels nothing, so that nothing is weak")
        right: BoolArray = given.answer == self.pool.gold
        return float(np.mean(right[given.labeled]))

    def label(self, case: Case) -> Labels:
        """The labels of a case: of a protocol, under a failure or without one."""
        protocol, student = self.protocols[case.protocol], self.study.student
        rested = self._rested[case.protocol]
        if not case.failure:
            return self._labels(self._known(case.protocol), student, rested)
        injected = self.study.failures[case.failure]
        rested, _ = injected.into(rested, student, case.severity)
        if injected.roles_in(protocol) <= {"labels", "student"}:
            known = self._known(case.protocol)
            failing, student = injected.into(known.protocol, student, case.severity)
            ready = as_role(failing.prepare(self.pool, self.study.setting), Overseer)
            return self._labels(replace(known, protocol=ready), student, rested)
        failing, student = injected.into(protocol, student, case.severity)
        setting = self.study.setting
        alone = injected.roles_in(protocol) == {MODELS_ROLE}
        if alone and not moves(failing, setting) and not moves(protocol, setting):
            known = replace(
                self._known(case.protocol), attacked=attacked(failing, self.pool, setting)
            )
            return self._labels(known, student, rested)
        return self._labels(self._work(failing), student, rested)

    def _known(self, name: str) -> Working:
        """A protocol without a failure; it works once for all who want its labels."""
        if name not in self._healthy:
            self._healthy[name] = self._work(self.protocols[name])
        return self._healthy[name]

    def _work(self, protocol: Overseer) -> Working:
        """Prepare a protocol, let it judge every item, and record who argues for what."""
        setting, tape = self.study.setting, Tape(self.pool)
        ready = prepared(protocol, self.pool, setting)
        working, staffed = ready.protocol, inner_of(ready.protocol, Staffed)
        if staffed is None:
            working = recorded(working, tape)
        verdicts = assessed(working, self.pool.roots)
        defended = tape.defended if staffed is None else staffed.worked.defended
        known = Known.of(working, self.pool, setting, verdicts)
        return Working(known, defended, ready.attacked)

    def _teacher(self, rested: Overseer, given: Verdicts) -> Teacher:
        """Who gave these verdicts on the items at hand. A protocol without a failure is asked about
        a pool once."""
        healthy = next((name for name, cell in self._rested.items() if cell is rested), None)

        def stated(pool: Pool) -> FloatArray:
            if pool is self.pool and self.study.desk is None:
                return given.evidence
            if healthy is not None and (healthy, id(pool)) in self._stated:
                return self._stated[healthy, id(pool)]
            ready = prepared(rested, pool, self.study.setting)
            evidence = assessed(ready.protocol, pool.roots).evidence
            if healthy is not None:
                self._stated[healthy, id(pool)] = evidence
            return evidence

        return stated

    def _labels(self, working: Working, student: Config, rested: Overseer) -> Labels:
        protocol = working.protocol
        verdicts = assessed(protocol, self.pool.roots)
        fixed = paid_before(protocol)
        minutes = fixed.minutes + float(verdicts.minutes.sum())
        desk = dict.fromkeys(names(DESK), float("nan"))
        if (settings := self.study.desk) is not None:
            staffed = inner_of(protocol, Staffed)
            assert staffed is not None
            desk = of_desk(settings, staffed.timetable, minutes, verdicts.labeled)
        return Labels(
            verdicts=verdicts,
            minutes=minutes,
            calls=float(verdicts.calls.sum()) + fixed.calls,
            scores=differences(verdicts, self.pool.intended, working.defended),
            student=student,
            desk=desk,
            teacher=self._teacher(rested, verdicts),
            attacked=working.attacked,
        )
