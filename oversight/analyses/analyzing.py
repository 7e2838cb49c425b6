"""`oversight sensitivity`: which knobs PGR depends on (Saltelli 2010, through SALib).

The replicate is one more factor: which world, people and luck there are. Its total index is the
share of the variance of PGR that replicate noise has a part in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Unpack

import numpy as np

from oversight.analyses.exporting import exporting, names_of
from oversight.core.claims import FloatArray
from oversight.core.columns import names
from oversight.core.errors import KnobError, SensitivityError
from oversight.core.files import writing
from oversight.findings import columns
from oversight.findings.rows import number, write_csv
from oversight.findings.sensitivity import NOISE, Analysis, Index
from oversight.metrics.pgr import LEAST_GAP, Status
from oversight.running.failed import Failed
from oversight.running.keys import Keys
from oversight.running.replicate import COLUMNS
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import started
from oversight.running.store import Store
from oversight.studies.cases import Case
from oversight.studies.knobs import varied
from oversight.studies.sensitivity import USUAL, Sensitivity
from oversight.studies.study import Study

WORLDS = 2**20
"""Replicates that the noise is drawn from."""


def analyze(study: Study, **run: Unpack[RunOptions]) -> Analysis:
    """Vary the knobs that the study's `sensitivity` names, or the usual ones that it has.

    run  executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`

    Raises SensitivityError where no knob can be varied, or where ranges do not go together,
    StoreError where the folder cannot be used, WorkersError where nobody can do the work.
    """
    options = Run.of(analyze, run)
    plan = Plan(study, resolved(study))
    plan.check()
    files = names_of(study, "sensitivity.csv")
    with started(options, "sensitivity", study, files) as runner:
        runner.progress.planned(plan.cells)
        runner.work((keys, keys.study.cases(), numbers) for keys, numbers in plan.runs())
        gains = plan.gains(lambda keys, case, number: runner.store.row(keys.of(case), number))
        analysis = plan.analysis(gains, list(plan.failed(runner.store)))
        if runner.folder:
            with (
                exporting(runner.folder, study, analysis.failed) as folder,
                writing(folder / "sensitivity.csv") as file,
            ):
                rows = (index.row() for index in analysis.indices)
                write_csv(file, names(columns.INDEX), rows)
    return analysis


def resolved(study: Study) -> Sensitivity:
    """What is varied, the usual knobs filled in. Raises SensitivityError for what cannot be."""
    settings = study.sensitivity or Sensitivity()
    chosen: Mapping[str, tuple[float, float]] = settings.knobs
    if not chosen:
        chosen = {path: ends for path, ends in USUAL.items() if not _problem(study, path, ends)}
    problems = [text for path, ends in chosen.items() if (text := _problem(study, path, ends))]
    if problems:
        raise SensitivityError("; ".join(problems))
    if not chosen:
        raise SensitivityError("no knob to vary; name some, like overseer.structure=0.3:0.9")
    return settings.changed(knobs=dict(chosen))


def _problem(study: Study, path: str, ends: tuple[float, float]) -> str:
    """What is wrong with a knob and its ends; empty where nothing is."""
    try:
        for end in ends:
            varied(study.still, path, end)
    except KnobError as error:
        return str(error)
    return ""


class Plan:
    """The runs of an analysis: values of the knobs, and the replicates to run them in.

    points  (runs, knobs + 1): values by Sobol's sequence, the noise last, as a share of WORLDS
    """

    def __init__(self, study: Study, settings: Sensitivity) -> None:
        from SALib.sample import sobol

        self.study, self.settings = study.still, settings
        bounds = [*settings.knobs.values(), (0.0, 1.0)]
        self._problem = {
            "num_vars": len(bounds),
            "names": [*settings.knobs, NOISE],
            "bounds": [list(ends) for ends in bounds],
        }
        self._seed = study.seed % 2**31 + 1  # SALib takes 0 for "any"
        self.points: FloatArray = sobol.sample(
            self._problem, settings.samples, calc_second_order=False, seed=self._seed
        )
        knobs = settings.knobs.items()
        self._whole = {path: _whole(self.study, path, ends) for path, ends in knobs}

    @property
    def cells(self) -> int:
        """How many cells there are to run."""
        return len(self.points) * self.settings.replicates * len(self.study.cells)

    def runs(self) -> Iterator[tuple[Keys, range]]:
        """The study and its replicates, at every point."""
        for point in self.points:
            at = self.study
            for (path, whole), value in zip(self._whole.items(), point, strict=False):
                at = _placed(at, path, round(float(value)) if whole else float(value))
            first = min(int(point[-1] * WORLDS), WORLDS - 1) * self.settings.replicates
            yield Keys(at), range(first, first + self.settings.replicates)

    def check(self) -> None:
        """Raises SensitivityError where ranges do not go together."""
        for _ in self.runs():
            pass

    def gains(self, row: Callable[[Keys, Case, int], FloatArray]) -> dict[str, FloatArray]:
        """PGR by protocol, (points,), from the rows of replicates; NaN where it is undefined."""
        pgr: dict[str, list[float]] = {name: [] for name in self.study.cells}
        over, weak = COLUMNS.index("student_accuracy"), COLUMNS.index("weak_accuracy")
        top = COLUMNS.index("ceiling_accuracy")
        for keys, numbers in self.runs():
            for case in keys.study.cases():
                rows = np.stack([row(keys, case, number) for number in numbers])
                gap = float((rows[:, top] - rows[:, weak]).mean())
                gain = float((rows[:, over] - rows[:, weak]).mean())
                pgr[case.protocol].append(gain / gap if gap > LEAST_GAP else np.nan)
        return {protocol: np.array(values) for protocol, values in pgr.items()}

    def failed(self, store: Store) -> Iterator[Failed]:
        """What failed, in order of points."""
        for keys, numbers in self.runs():
            for case in keys.study.cases():
                for replicate in numbers:
                    lost = store.failure(keys.of(case), case, replicate)
                    if lost is not None:
                        yield lost

    def analysis(self, gains: dict[str, FloatArray], failed: list[Failed]) -> Analysis:
        """The indices of PGR as `gains` has it."""
        indices = [index for name, pgr in gains.items() for index in self._indices(name, pgr)]
        return Analysis(
            study=self.study,
            settings=self.settings,
            indices=indices,
            mean={name: float(np.mean(pgr)) for name, pgr in gains.items()},
            variance={name: float(np.var(pgr)) for name, pgr in gains.items()},
            runs=len(self.points) * self.settings.replicates,
            failed=failed,
        )

    def _indices(self, protocol: str, pgr: FloatArray) -> Iterator[Index]:
        from SALib.analyze import sobol

        why = _why_undefined(pgr)
        state = Status.UNDEFINED if why else Status.OK
        sobols: Mapping[str, FloatArray] = {}
        if not why:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a knob that changes nothing
                sobols = sobol.analyze(self._problem, pgr, calc_second_order=False, seed=self._seed)
        for i, knob in enumerate([*self.settings.knobs, NOISE]):
            first, first_half, total, total_half = (
                number(sobols[key][i]) if sobols else None for key in KEYS
            )
            yield Index(protocol, knob, first, first_half, total, total_half, state, why)


KEYS = ("S1", "S1_conf", "ST", "ST_conf")
"""SALib's names of first and total indices, each with half of its interval."""


def _why_undefined(pgr: FloatArray) -> str:
    """Why PGR at all points has no indices; empty where it has."""
    missing = int(np.isnan(pgr).sum())
    if missing:
        return (
            f"PGR is undefined at {missing} of {pgr.size} points (nothing to recover, "
            "nothing labeled, or it failed); narrower ranges may help"
        )
    return "" if float(np.ptp(pgr)) > 0 else "PGR is the same everywhere"


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
