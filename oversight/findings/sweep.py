"""Grids: a study at every combination of some knobs' values, and where protocols change places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from itertools import combinations, islice, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from oversight.analyses.exporting import parquet, told_of
from oversight.core.claims import FloatArray
from oversight.core.files import write, writing
from oversight.findings.results import DIFFERENCE, ROWS, SUMMARY, Results, Row, write_csv
from oversight.running.replicate import COLUMNS, Failed
from oversight.running.runner import MOST, Progress, enough, opened, run
from oversight.running.store import Store
from oversight.running.workers import Crew
from oversight.studies.knobs import HOURS, varied
from oversight.studies.study import Case, Study

ABOUT = SUMMARY[:4]
HELD = 256
"""Points of a grid whose studies are kept at hand."""
FINE = 400
"""Steps between neighbors at which a difference is looked at."""


@dataclass(frozen=True)
class Crossing:
    """Where, along a knob, one protocol's student overtakes another's.

    knob, at    the knob, and the values of the other knobs there
    ahead       which protocol is ahead below the crossing, and which above
    value       where the mean difference between them is zero, by interpolation between neighbors
    low, high   where it cannot be told from zero (paired t, 95 %); None beyond what was tried
    """

    knob: str
    at: str
    ahead_below: str
    ahead_above: str
    value: float
    low: float | None
    high: float | None


class Swept:
    """A study at every point of a grid."""

    def __init__(
        self, study: Study, grid: Mapping[str, Sequence[float]], failures: bool, store: Store
    ) -> None:
        self.study, self.grid, self._failures = study, dict(grid), failures
        self._store = store
        self._made = lru_cache(HELD)(self._study)
        self._crossings: list[Crossing] | None = None

    @property
    def knobs(self) -> tuple[str, ...]:
        """The paths of the knobs that vary."""
        return tuple(self.grid)

    @property
    def points(self) -> Iterator[tuple[float, ...]]:
        """Values of the knobs, the last one varying fastest."""
        return product(*self.grid.values())

    def __len__(self) -> int:
        return int(np.prod([len(values) for values in self.grid.values()]))

    def at(self, *values: float) -> Results:
        """Results at one point."""
        study = self._made(values)
        return Results(study, self.cases(study), self._store)

    def cases(self, study: Study) -> list[Case]:
        """What is run at a point."""
        return study.cases(study.failures if self._failures else None)

    def studies(self) -> Iterator[Study]:
        """The study at every point."""
        return (self._made(values) for values in self.points)

    def _study(self, values: tuple[float, ...]) -> Study:
        return placed(self.study, dict(zip(self.knobs, values, strict=True)))

    @property
    def failed(self) -> list[Failed]:
        """What failed, at any point."""
        seen: set[tuple[str, str]] = set()
        return [
            lost
            for study in self.studies()
            for lost in self._store.failed(study, self.cases(study), seen)
        ]

    def summary(self) -> Iterator[Row]:
        """A summary row a point and case, with the knobs' values."""
        for values in self.points:
            told = dict(zip(self.knobs, values, strict=True))
            for row in self.at(*values).summary():
                yield {**_first(row), **told, **row}

    def rows(self) -> Iterator[Row]:
        """A row a point, case and replicate."""
        for values in self.points:
            told = dict(zip(self.knobs, values, strict=True))
            for block in self.at(*values).row_blocks():
                for row in block:
                    yield {**_first(row), **told, **row}

    def differences_rows(self) -> Iterator[Row]:
        """Every pair of protocols at every point."""
        for values in self.points:
            told = dict(zip(self.knobs, values, strict=True))
            for row in self.at(*values).differences_rows():
                yield {**told, **row}

    def crossings(self) -> list[Crossing]:
        """Where protocols change places along a knob, each other knob held."""
        if self._crossings is None:
            self._crossings = self._changes()
        return self._crossings

    def _changes(self) -> list[Crossing]:
        found = []
        for knob in self.knobs:
            if len(self.grid[knob]) < 2:
                continue
            others = [name for name in self.knobs if name != knob]
            for held in product(*(self.grid[name] for name in others)):
                found += self._along(knob, dict(zip(others, held, strict=True)))
        return found

    def _along(self, knob: str, held: dict[str, float]) -> list[Crossing]:
        values = sorted(self.grid[knob])
        points = [
            self.at(*({**held, knob: value}[name] for name in self.knobs)) for value in values
        ]
        students, done = (
            {
                name: np.stack([at.column(name, column) for at in points])
                for name in points[0].protocols
            }
            for column in ("student_accuracy", "weak_accuracy")
        )
        told = ", ".join(f"{name} {value:g}" for name, value in held.items())
        found = []
        for one, other in combinations(students, 2):
            # A replicate that failed somewhere pairs nothing; what labels nothing is another case.
            paired = ~np.isnan(done[one] + done[other]).any(axis=0)
            apart = (students[one] - students[other])[:, paired]
            found += crossings(knob, told, one, other, values, apart)
        return found

    @property
    def summary_keys(self) -> list[str]:
        """Columns of a summary row: the knobs come after what it is about."""
        return [*ABOUT, *self.knobs, *SUMMARY[len(ABOUT) :]]

    def to_csv(self, folder: Path, only: Sequence[str] = ()) -> None:
        """Write runs.csv, summary.csv, differences.csv and crossings.csv, or some of them, a point
        at a time."""
        tables: tuple[tuple[str, list[str], Iterator[Row]], ...] = (
            ("runs", [*ABOUT, *self.knobs, "replicate", *COLUMNS], self.rows()),
            ("summary", self.summary_keys, self.summary()),
            ("differences", [*self.knobs, *DIFFERENCE], self.differences_rows()),
            (
                "crossings",
                [field.name for field in fields(Crossing)],
                (asdict(crossing) for crossing in self.crossings()),
            ),
        )
        for name, keys, rows in tables:
            if only and name not in only:
                continue
            with writing(folder / f"{name}.csv") as file:
                write_csv(file, keys, rows)


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, ROWS)):
        yield block


def _first(row: Row) -> Row:
    return {key: row[key] for key in ABOUT}


def placed(study: Study, values: Mapping[str, float]) -> Study:
    """The study with knobs at these values. Raises KnobError where they do not fit."""
    study = study.still
    for path, value in values.items():
        study = varied(study, path, value)
    return study


def sweep(
    study: Study,
    *,
    hours: Sequence[float] = (),
    failures: bool = False,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    precision: float | None = None,
    most: int = MOST,
    retry: bool = False,
    progress: Progress | None = None,
    found: Callable[[int], None] | None = None,
    announce: Callable[[int], None] | None = None,
) -> Swept:
    """Run a study at every point of the grid that its `sweep` spans; other arguments as `compare`
    has them.

    hours  budgets of person-hours to compare protocols at, besides

    Raises KnobError where values that are right by themselves do not go together.
    """
    grid = spanned(study, hours)
    with opened(out) as store, Crew(executor, jobs) as crew:
        while True:
            swept = Swept(study, grid, failures, store)
            if retry:
                for at in swept.studies():
                    store.forget_failed(at, swept.cases(at))
            parts = ((at, swept.cases(at)) for at in swept.studies())
            run(parts, store, crew, progress, found)
            if precision is None:
                break
            wanted = max(enough(swept.at(*at), precision, most) for at in swept.points)
            if wanted <= study.replicates:
                break
            more = (wanted - study.replicates) * len(swept) * len(swept.cases(study))
            study, retry, found = study.model_copy(update={"replicates": wanted}), False, None
            if announce:
                announce(more)
        if store.folder:
            told_of(study, swept.failed, store.folder)
            swept.to_csv(store.folder)
            parquet(store.folder / "runs.parquet", _blocks(swept.rows()))
            parquet(store.folder / "summary.parquet", _blocks(swept.summary()))
            from oversight.reports.curves import picture

            write(store.folder / "curves.svg", picture(swept))
    return swept


def spanned(study: Study, hours: Sequence[float] = ()) -> dict[str, tuple[float, ...]]:
    """The grid of a study's sweep, or of these budgets in place of its own. Raises KnobError where
    some point of it is no scenario."""
    grid = grid_of(study, hours)
    for values in product(*grid.values()):
        placed(study, dict(zip(grid, values, strict=True)))
    return grid


def grid_of(study: Study, hours: Sequence[float] = ()) -> dict[str, tuple[float, ...]]:
    """The same grid, whatever there is at its points."""
    grid = {path: tuple(values) for path, values in study.sweep.items()}
    if hours:
        grid = {**{path: v for path, v in grid.items() if path != HOURS}, HOURS: tuple(hours)}
    return grid


def crossings(
    knob: str, held: str, one: str, other: str, values: Sequence[float], apart: FloatArray
) -> list[Crossing]:
    """Where the mean of `apart`, (values, replicates), one protocol less the other, changes sign.

    Between neighbors every replicate's difference is interpolated, in the logarithm of the knob
    where all values are above zero. Left out are crossings between neighbors of which neither
    differs from zero at any value on its side. Values at which a difference is not a number are
    left out; where it is zero at some values in between, the crossing is their middle.
    """
    scale = np.log if min(values) > 0 else np.asarray
    at = np.asarray(scale(np.asarray(values, dtype=np.float64)))
    kept = ~np.isnan(apart).any(axis=1)
    at, apart = at[kept], apart[kept]
    if len(at) < 2 or apart.shape[1] < 2:
        return []
    mean = apart.mean(axis=1)
    usual = float(stdtrit(apart.shape[1] - 1, 0.975))
    clear = np.abs(mean) > usual * apart.std(axis=1, ddof=1) / np.sqrt(apart.shape[1])
    fine, z = _profile(at, apart)
    found = []
    for i, j in pairwise(np.flatnonzero(mean)):
        if mean[i] * mean[j] > 0:
            continue
        before = clear[: i + 1] & (np.sign(mean[: i + 1]) == np.sign(mean[i]))
        after = clear[j:] & (np.sign(mean[j:]) == np.sign(mean[j]))
        if not before.any() or not after.any():
            continue
        if j == i + 1:
            value = at[i] + (at[j] - at[i]) * mean[i] / (mean[i] - mean[j])
        else:
            value = (at[i + 1] + at[j - 1]) / 2
        low, high = _unclear(fine, np.abs(z) <= usual, value)
        back = np.exp if min(values) > 0 else np.asarray
        below, above = (one, other) if mean[i] > 0 else (other, one)
        found.append(
            Crossing(
                knob,
                held,
                below,
                above,
                float(back(value)),
                None if low is None else float(back(low)),
                None if high is None else float(back(high)),
            )
        )
    return found


def _profile(at: FloatArray, apart: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A fine grid over the knob, and there the paired t statistic of the interpolated
    difference."""
    fine = np.unique(np.concatenate([np.linspace(a, b, FINE) for a, b in pairwise(at)]))
    place = np.clip(np.searchsorted(at, fine, side="right") - 1, 0, len(at) - 2)
    share = ((fine - at[place]) / (at[place + 1] - at[place]))[:, None]
    between = (1 - share) * apart[place] + share * apart[place + 1]
    error = between.std(axis=1, ddof=1) / np.sqrt(apart.shape[1])
    mean = between.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, mean / error, np.sign(mean) * np.inf)
    return fine, np.nan_to_num(z, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _unclear(fine: FloatArray, unclear: Any, value: float) -> tuple[float | None, float | None]:
    """The stretch around a value where the difference is not clear of zero; None where it has no
    end."""
    here = int(np.argmin(np.abs(fine - value)))
    low = here
    while low > 0 and unclear[low - 1]:
        low -= 1
    high = here
    while high < len(fine) - 1 and unclear[high + 1]:
        high += 1
    return (
        None if low == 0 and unclear[0] else float(fine[low]),
        None if high == len(fine) - 1 and unclear[-1] else float(fine[high]),
    )
