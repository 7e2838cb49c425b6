"""`oversight compare` along a sweep, or at several budgets of hours: a study at every point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Unpack

from oversight.analyses.comparing import MOST, enough, first_look, refuse_unreachable
from oversight.analyses.exporting import TABLES, exporting, names_of, parquet
from oversight.core.files import write
from oversight.findings.rows import ROWS, Row
from oversight.findings.sweep import Swept, placed
from oversight.reports.curves import picture
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import started
from oversight.studies.knobs import HOURS
from oversight.studies.study import Study


def sweep(
    study: Study,
    *,
    hours: Sequence[float] = (),
    failures: bool = False,
    precision: float | None = None,
    most: int = MOST,
    predictable: bool = False,
    **run: Unpack[RunOptions],
) -> Swept:
    """Run a study at every point of the grid that its `sweep` spans; other arguments as `compare`
    has them.

    hours  budgets of person-hours to compare protocols at, besides
    run    executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`

    Raises KnobError where values that are right by themselves do not go together, OptionError for
    a precision that is none, StoreError where the folder cannot be used, WorkersError where nobody
    can do the work.
    """
    options = Run.of(sweep, run)
    refuse_unreachable(precision, most)
    grid = spanned(study, hours)
    since, study = 0, study if precision is None else first_look(study, most)
    files = names_of(study, *TABLES, "crossings.csv", "curves.svg")
    with started(options, "sweep", study, files) as runner:
        while True:
            swept = Swept(study, grid, failures, runner.store, predictable)
            cells = len(swept) * len(swept.cases(study))
            runner.progress.planned((study.replicates - since) * cells)
            runner.run(swept.parts(), since)
            if precision is None:
                break
            wanted = max(enough(swept.at(*at), precision, most) for at in swept.points)
            if wanted <= study.replicates:
                break
            since, study = study.replicates, study.changed(replicates=wanted)
        if runner.folder:
            with exporting(runner.folder, study, swept.failed) as folder:
                _write_tables(swept, folder)
    return swept


def _write_tables(swept: Swept, folder: Path) -> None:
    """Write all that `compare` does of one study, a point at a time, and the curves."""
    swept.to_csv(folder)
    parquet(folder / "runs.parquet", swept.run_columns, _blocks(swept.rows()))
    parquet(folder / "summary.parquet", swept.summary_columns, _blocks(swept.summary()))
    write(folder / "curves.svg", picture(swept))


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, ROWS)):
        yield block


def spanned(study: Study, hours: Sequence[float] = ()) -> dict[str, tuple[float, ...]]:
    """The grid of a study's sweep, or of these budgets in place of its own: values by the path of
    the knob. Raises KnobError where some point of it is no scenario."""
    grid, study = grid_of(study, hours), study.still
    for values in product(*grid.values()):
        placed(study, dict(zip(grid, values, strict=True)))
    return grid


def grid_of(study: Study, hours: Sequence[float] = ()) -> dict[str, tuple[float, ...]]:
    """The same grid, whatever there is at its points."""
    grid = {path: tuple(values) for path, values in study.sweep.items()}
    if hours:
        grid = {**{path: v for path, v in grid.items() if path != HOURS}, HOURS: tuple(hours)}
    return grid
