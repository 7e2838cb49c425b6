"""Which knobs PGR depends on: Sobol indices (Saltelli 2010, through SALib), with the share that is
replicate noise.

The replicate is a factor like the knobs: which world, people and luck there are. Its total index is
the share of the variance of PGR that replicate noise has a part in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from oversight.analyses.exporting import told_of
from oversight.core.claims import FloatArray
from oversight.core.errors import KnobError, SensitivityError
from oversight.core.files import writing
from oversight.findings.results import write_csv
from oversight.metrics.pgr import LEAST_GAP, OK
from oversight.running.replicate import COLUMNS, Failed
from oversight.running.runner import Progress, opened
from oversight.running.store import Store
from oversight.running.workers import Crew, Task
from oversight.studies.knobs import varied
from oversight.studies.sensitivity import USUAL, Sensitivity
from oversight.studies.study import Study

NOISE = "replicate"
WORLDS = 2**20
"""Replicates that the noise is drawn from."""


@dataclass(frozen=True)
class Index:
    """How much of the variance of a protocol's PGR a knob makes.

    first, total  alone, and together with all others; None where PGR is undefined somewhere
    *_half        half of a 95 % interval (bootstrap)
    status        ok, or why there is none
    """

    protocol: str
    knob: str
    first: float | None
    first_half: float | None
    total: float | None
    total_half: float | None
    status: str = OK


@dataclass(frozen=True)
class Analysis:
    """What `analyze` found: indices, and by protocol the mean and variance of PGR over the
    ranges."""

    study: Study
    asked: Sensitivity
    indices: list[Index]
    mean: dict[str, float]
    variance: dict[str, float]
    runs: int
    failed: list[Failed]

    def of(self, protocol: str, knob: str) -> Index:
        """One index."""
        return next(i for i in self.indices if (i.protocol, i.knob) == (protocol, knob))

    @property
    def protocols(self) -> list[str]:
        """The protocols, in order."""
        return list(dict.fromkeys(index.protocol for index in self.indices))

    @property
    def knobs(self) -> list[str]:
        """The knobs by their mean total index, the noise last."""

        def weight(knob: str) -> float:
            found = [i.total for i in self.indices if i.knob == knob and i.total is not None]
            return -float(np.mean(found)) if found else 0.0

        return [*sorted(self.asked.knobs, key=weight), NOISE]


def analyze(
    study: Study,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    retry: bool = False,
    progress: Progress | None = None,
    found: Callable[[int], None] | None = None,
) -> Analysis:
    """Vary the knobs that the study's `sensitivity` names, or the usual ones that it has.

    Raises SensitivityError where no knob can be varied, or where ranges do not go together.
    """
    asked = resolved(study)
    with opened(out) as store, Crew(executor, jobs) as crew:
        plan = _Plan(study, asked)
        if retry:
            for at, _ in plan.runs():
                store.forget_failed(at, at.cases())
        for at, replicates in crew.run(plan.todo(store, found)):
            store.keep(at, replicates)
            for replicate in replicates if progress else ():
                assert progress is not None
                progress(replicate)
        analysis = plan.analyzed(store)
        if store.folder:
            told_of(study, analysis.failed, store.folder)
            with writing(store.folder / "sensitivity.csv") as file:
                names = [field.name for field in fields(Index)]
                write_csv(file, names, (asdict(index) for index in analysis.indices))
    return analysis


def resolved(study: Study) -> Sensitivity:
    """What is varied, the usual knobs filled in. Raises SensitivityError for what cannot be."""
    asked = study.sensitivity or Sensitivity()
    chosen: Mapping[str, tuple[float, float]] = asked.knobs
    if not chosen:
        chosen = {path: ends for path, ends in USUAL.items() if not _problem(study, path, ends)}
    said = [says for path, ends in chosen.items() if (says := _problem(study, path, ends))]
    if said:
        raise SensitivityError("; ".join(said))
    if not chosen:
        raise SensitivityError("no knob to vary; name some, like overseer.structure=0.3:0.9")
    return asked.model_copy(update={"knobs": dict(chosen)})


def _problem(study: Study, path: str, ends: tuple[float, float]) -> str:
    try:
        for end in ends:
            varied(study.still, path, end)
    except KnobError as error:
        return str(error)
    return ""


class _Plan:
    """The runs of an analysis: values of the knobs, and the replicates to run them in."""

    def __init__(self, study: Study, asked: Sensitivity) -> None:
        from SALib.sample import sobol

        self.study = study.still
        self.asked = asked
        bounds = [*asked.knobs.values(), (0.0, 1.0)]
        self.problem = {
            "num_vars": len(bounds),
            "names": [*asked.knobs, NOISE],
            "bounds": [list(ends) for ends in bounds],
        }
        self.seed = study.seed % 2**31 + 1  # SALib takes 0 for "any"
        self.points: FloatArray = sobol.sample(
            self.problem, asked.samples, calc_second_order=False, seed=self.seed
        )
        self._whole = {path: _whole(self.study, path, ends) for path, ends in asked.knobs.items()}

    def runs(self) -> Iterator[tuple[Study, range]]:
        """A study and its replicates, for every point."""
        for point in self.points:
            at = self.study
            for (path, whole), value in zip(self._whole.items(), point, strict=False):
                at = _placed(at, path, round(float(value)) if whole else float(value))
            first = min(int(point[-1] * WORLDS), WORLDS - 1) * self.asked.replicates
            yield at, range(first, first + self.asked.replicates)

    def todo(self, store: Store, found: Callable[[int], None] | None) -> Iterator[Task]:
        """What is to be run; the store has the rest."""
        for at, numbers in self.runs():
            for number in numbers:
                missing = tuple(case for case in at.cases() if not store.has(at, case, number))
                if found and len(missing) < len(at.cases()):
                    found(len(at.cases()) - len(missing))
                if missing:
                    yield Task(at, number, missing)

    def analyzed(self, store: Store) -> Analysis:
        """Indices, from what the store has by now."""
        from SALib.analyze import sobol

        pgr: dict[str, list[float]] = {name: [] for name in self.study.cells}
        failed = []
        over, weak = COLUMNS.index("student_accuracy"), COLUMNS.index("weak_accuracy")
        top = COLUMNS.index("ceiling_accuracy")
        for at, numbers in self.runs():
            for case in at.cases():
                rows = np.stack([store.row(at, case, number) for number in numbers])
                gap = float((rows[:, top] - rows[:, weak]).mean())
                gain = float((rows[:, over] - rows[:, weak]).mean())
                pgr[case.protocol].append(gain / gap if gap > LEAST_GAP else np.nan)
                failed += [store.failure(at, case, number) for number in numbers]
        indices, mean, variance = [], {}, {}
        for protocol, values in pgr.items():
            y = np.array(values)
            mean[protocol], variance[protocol] = float(np.mean(y)), float(np.var(y))
            status = self._status(y)
            told: dict[str, Any] = {}
            if status == OK:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of a knob that changes nothing
                    told = sobol.analyze(self.problem, y, calc_second_order=False, seed=self.seed)
            for i, knob in enumerate([*self.asked.knobs, NOISE]):
                first, alone, total, half = (
                    _finite(told[key][i]) if told else None for key in KEYS
                )
                indices.append(Index(protocol, knob, first, alone, total, half, status))
        lost = [one for one in failed if one is not None]
        runs = len(self.points) * self.asked.replicates
        return Analysis(self.study, self.asked, indices, mean, variance, runs, lost)

    def _status(self, y: FloatArray) -> str:
        missing = int(np.isnan(y).sum())
        if missing:
            return (
                f"undefined: PGR is undefined at {missing} of {y.size} points (nothing to recover, "
                "nothing labeled, or it failed); narrower ranges may help"
            )
        return OK if float(np.ptp(y)) > 0 else "undefined: PGR is the same everywhere"


KEYS = ("S1", "S1_conf", "ST", "ST_conf")


def _placed(study: Study, path: str, value: float) -> Study:
    try:
        placed: Study = varied(study, path, value)
    except KnobError as error:
        raise SensitivityError(f"ranges that do not go together: {error}") from None
    return placed


def _whole(study: Study, path: str, ends: tuple[float, float]) -> bool:
    """Whether a knob takes whole numbers alone."""
    if not all(float(end).is_integer() for end in ends):
        return False
    try:
        varied(study, path, (ends[0] + ends[1]) / 2 + 0.25)
    except KnobError:
        return True
    return False


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
