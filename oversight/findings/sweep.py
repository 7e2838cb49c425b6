"""A study at every combination of some knobs' values, and where protocols change places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path

import numpy as np

from oversight.core.columns import Column, names
from oversight.core.files import writing
from oversight.findings import columns
from oversight.findings.results import Results
from oversight.findings.rows import Row, write_csv
from oversight.metrics.columns import PREDICTABLE
from oversight.metrics.crossings import Crossing, crossings
from oversight.running.failed import Failed
from oversight.running.keys import Keys
from oversight.running.store import Store
from oversight.studies.cases import Case
from oversight.studies.knobs import varied
from oversight.studies.study import Study

ABOUT = names(columns.ABOUT)
HELD = 256
"""Points of a grid whose studies are kept at hand."""


class Swept:
    """A study at every point of a grid: what a sweep came to, read from the store when asked for.

    grid  by the path of a knob, the values that it takes
    """

    def __init__(
        self,
        study: Study,
        grid: Mapping[str, Sequence[float]],
        failures: bool,
        store: Store,
        predictable: bool = False,
    ) -> None:
        self.study, self.grid, self._failures = study, dict(grid), failures
        self._predictable = predictable
        self._store = store
        self._keys = lru_cache(HELD)(self._keys_at)
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
        """Results at one point: a value for each knob, in the order of `knobs`."""
        keys = self._keys(values)
        return Results(keys.study, self.cases(keys.study), self._store, keys)

    def cases(self, study: Study) -> list[Case]:
        """What is run at a point."""
        return study.cases(study.failures if self._failures else None)

    def parts(self) -> Iterator[tuple[Keys, list[Case]]]:
        """The study and what is run of it, at every point."""
        for values in self.points:
            keys = self._keys(values)
            yield keys, self.cases(keys.study)

    def _keys_at(self, values: tuple[float, ...]) -> Keys:
        placed_here = placed(self.study, dict(zip(self.knobs, values, strict=True)))
        return Keys(placed_here, self._predictable)

    @property
    def failed(self) -> list[Failed]:
        """What failed, at any point."""
        seen: set[tuple[str, str]] = set()
        return [
            lost
            for keys, cases in self.parts()
            for lost in self._store.failed(
                ((case, keys.of(case)) for case in cases), keys.study.replicates, seen
            )
        ]

    def summary(self) -> Iterator[Row]:
        """A summary row a point and case, with the knobs' values."""
        for values in self.points:
            knobs = dict(zip(self.knobs, values, strict=True))
            for row in self.at(*values).summary():
                yield {**_first(row), **knobs, **row}

    def rows(self) -> Iterator[Row]:
        """A row a point, case and replicate."""
        for values in self.points:
            knobs = dict(zip(self.knobs, values, strict=True))
            for block in self.at(*values).row_blocks():
                for row in block:
                    yield {**_first(row), **knobs, **row}

    def curves(self) -> Iterator[Row]:
        """A row a point, case, replicate and epoch, of students that have epochs."""
        for values in self.points:
            knobs = dict(zip(self.knobs, values, strict=True))
            for row in self.at(*values).curves():
                yield {**knobs, **row}

    def differences_rows(self) -> Iterator[Row]:
        """Every pair of protocols at every point."""
        for values in self.points:
            knobs = dict(zip(self.knobs, values, strict=True))
            for row in self.at(*values).differences_rows():
                yield {**knobs, **row}

    def crossings(self) -> list[Crossing]:
        """Where protocols change places along a knob, each other knob held."""
        if self._crossings is None:
            self._crossings = self._changes()
        return self._crossings

    def _changes(self) -> list[Crossing]:
        changes = []
        for knob in self.knobs:
            if len(self.grid[knob]) < 2:
                continue
            others = [name for name in self.knobs if name != knob]
            for held in product(*(self.grid[name] for name in others)):
                changes += self._along(knob, dict(zip(others, held, strict=True)))
        return changes

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
        where = ", ".join(f"{name} {value:g}" for name, value in held.items())
        changes = []
        for one, other in combinations(students, 2):
            # A replicate that failed somewhere pairs nothing; what labels nothing is another case.
            paired = ~np.isnan(done[one] + done[other]).any(axis=0)
            apart = (students[one] - students[other])[:, paired]
            changes += crossings(knob, where, one, other, values, apart)
        return changes

    @property
    def knob_columns(self) -> tuple[Column, ...]:
        """A column a knob that varies."""
        return tuple(columns.knob_column(knob, values) for knob, values in self.grid.items())

    @property
    def summary_columns(self) -> tuple[Column, ...]:
        """Columns of a summary row: the knobs come after what it is about."""
        return self._with_knobs(columns.SUMMARY)

    @property
    def run_columns(self) -> tuple[Column, ...]:
        """Columns of a row a replicate, likewise."""
        return self._with_knobs(columns.RUNS)

    def _with_knobs(self, declared: tuple[Column, ...]) -> tuple[Column, ...]:
        on_request = (PREDICTABLE,) if self._predictable else ()
        return (*columns.ABOUT, *self.knob_columns, *declared[len(columns.ABOUT) :], *on_request)

    def to_csv(self, folder: Path, only: Sequence[str] = ()) -> None:
        """Write runs.csv, summary.csv, differences.csv and crossings.csv, or some of them, a point
        at a time. Raises StoreError where a file cannot be written."""
        crossed = (asdict(crossing) for crossing in self.crossings())
        differences = (*self.knob_columns, *columns.DIFFERENCE)
        tables: tuple[tuple[str, tuple[Column, ...], Iterator[Row]], ...] = (
            ("runs", self.run_columns, self.rows()),
            ("summary", self.summary_columns, self.summary()),
            ("differences", differences, self.differences_rows()),
            ("crossings", columns.CROSSING, crossed),
            ("curves", (*self.knob_columns, *columns.CURVES), self.curves()),
        )
        for name, declared, rows in tables:
            if (only and name not in only) or (name == "curves" and not self.study.student.curve):
                continue
            with writing(folder / f"{name}.csv") as file:
                write_csv(file, names(declared), rows)


def _first(row: Row) -> Row:
    return {key: row[key] for key in ABOUT}


def placed(study: Study, values: Mapping[str, float]) -> Study:
    """The study with knobs at these values. Raises KnobError where they do not fit."""
    study = study.still
    for path, value in values.items():
        study = varied(study, path, value)
    return study
