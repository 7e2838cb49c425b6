"""`oversight design`: searches for protocols, and confirms the front that the search comes to.

An optimizer proposes batches of protocols, which are run on replicates of a seed of their own; the
front is then confirmed on the scenario's own seed, which the search never saw, beside the protocols
that were written by hand and beside random search with as many evaluations.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Unpack

import numpy as np

from oversight.analyses.costing import refuse_small_budget
from oversight.analyses.exporting import exporting
from oversight.analyses.searching import RunCases, Tried, at_random, enumerated, search
from oversight.core.columns import names
from oversight.core.errors import NothingKeptError
from oversight.core.files import write, writing
from oversight.findings import columns
from oversight.findings.design import Designed
from oversight.findings.results import Results
from oversight.findings.rows import write_csv
from oversight.running.keys import Keys
from oversight.running.run_options import Run, RunOptions
from oversight.running.runner import Runner, started
from oversight.studies.cases import Case
from oversight.studies.design import Design
from oversight.studies.scenario import written
from oversight.studies.study import Study


def design(
    study: Study,
    **run: Unpack[RunOptions],
) -> Designed:
    """Search for protocols as the study's `design` says, and confirm the front.

    run  executor, jobs, out, retry, progress: see `oversight.running.run_options.Run`; `out` keeps
         every evaluation, so that a killed search goes on, and the front as scenario files

    Raises DesignError, before anything runs, where the space is empty or the budget below what any
    protocol costs; NothingKeptError where nothing that was tried keeps the constraints; StoreError
    where the folder cannot be used, WorkersError where nobody can do the work.
    """
    options = Run.of(design, run)
    settings = study.design or Design()
    space = settings.space(study.world)
    every = enumerated(space, settings)
    refuse_small_budget(study, settings, space)
    old = Path(options.out, "front").glob("*.*") if options.out else ()
    files = ["design.csv", *(f"front/{path.name}" for path in old if _is_front(path.name))]
    with started(options, "design", study, files) as runner:
        running = _running(runner)

        def hears(number: int) -> None:
            """Pass on how far the search is."""
            most = settings.evaluations
            runner.progress.noted(f"{number} of at most {most} protocols tried")

        tried = Tried(study, settings, running)
        how = search(tried, space, every, hears)
        if not tried.front:
            raise NothingKeptError(_nothing_kept(tried))
        blind = Tried(study, settings, running)
        at_random(blind, space, len(tried.points))
        front = {f"f{i}": point for i, point in enumerate(tried.front, 1)}
        random = {f"r{i}": point for i, point in enumerate(blind.front, 1)}
        whole = {name: p.protocol for name, p in {**front, **random}.items()}
        both = study.still.changed(protocols={**study.cells, **whole})
        confirmed = running(both, both.cases())
        kept, tries = options.out is not None, len(tried.points)
        designed = Designed(study, settings, how, front, random, confirmed, tries, kept)
        if runner.folder:
            with exporting(runner.folder, study, confirmed.failed, texts=False) as folder:
                _write_front(designed, folder)
    return designed


def _running(runner: Runner) -> RunCases:
    """Runs cases of a study with a runner."""

    def running(study: Study, cases: list[Case]) -> Results:
        """Run cases, and read their results."""
        keys = Keys(study)
        runner.run([(keys, cases)])
        return Results(study, cases, runner.store, keys)

    return running


def _nothing_kept(tried: Tried) -> str:
    """Why no protocol that was tried keeps the constraints, and what may help."""
    settings = tried.design
    if tried.undefined and not any(np.isfinite(p.pgr) for p in tried.points.values()):
        return f"PGR {tried.undefined}; more items or replicates may help"
    if not tried.points:
        return "no protocol of the space can be made; choose other mechanisms or knobs"
    cheapest = min(tried.points.values(), key=lambda point: point.minutes)
    if settings.minutes is not None and cheapest.minutes > settings.minutes:
        return (
            f"no protocol of {len(tried.points)} tried costs at most {settings.minutes:g} human "
            f"minutes an item; the cheapest, {cheapest.protocol.identity()}, costs "
            f"{cheapest.minutes:.3g}"
        )
    return f"no protocol of {len(tried.points)} tried keeps the constraints; loosen them"


def _is_front(name: str) -> bool:
    """Whether a file has a name that a front's files may have."""
    return re.fullmatch(r"tree\.json|f\d+\.yaml", name) is not None


def _write_front(done: Designed, out: Path) -> None:
    """Write design.csv, and the front as scenario files that `compare` runs."""
    with writing(out / "design.csv") as file:
        write_csv(file, names(columns.DESIGN), done.rows())
    folder = out / "front"
    folder.mkdir(exist_ok=True)
    for name, searched in done.front.items():
        point = done.point(name, searched.protocol)
        about = f"{point.minutes:.3g} human minutes an item for a PGR of {point.pgr:.2f}"
        single = done.study.still.changed(
            name=f"{done.study.name[:70]}-{name}",
            about=f"found by search in {done.study.name}: {about}",
            protocols={**done.study.protocols, name: searched.protocol},
            failures={},
            design=None,
        )
        write(folder / f"{name}.yaml", written(single, folder))
