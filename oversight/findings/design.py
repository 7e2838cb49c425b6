"""Search for protocols: the Pareto front of human minutes per item and performance gap recovered.

An optimizer proposes batches of protocols, which are run on replicates of a seed of their own; the
front is then confirmed on the scenario's own seed, which the search never saw, beside the protocols
that were written by hand and beside random search with as many evaluations.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oversight.components.component import Overseer
from oversight.core.errors import DesignError
from oversight.core.files import write, writing
from oversight.core.streams import stream
from oversight.findings.results import Results, Row, write_csv
from oversight.running.runner import Progress, opened, run
from oversight.running.store import Store
from oversight.running.workers import Crew
from oversight.studies.design import Design
from oversight.studies.search_space import Space
from oversight.studies.study import Case, Study

DRY = 20
"""So many batches with nothing new end a search."""


@dataclass(frozen=True)
class Point:
    """A protocol that was tried: what it costs and gains, and by how much it breaks a constraint
    (0 where it keeps them all)."""

    protocol: Overseer
    minutes: float
    pgr: float
    breaks: float = 0.0


class Tried:
    """Every protocol that was tried, once each, in order."""

    def __init__(
        self, study: Study, design: Design, store: Store, run: Callable[[Study, list[Case]], None]
    ) -> None:
        own = hashlib.blake2b(f"search {study.seed}".encode(), digest_size=8).digest()
        self.study = study.model_copy(
            update={"seed": int.from_bytes(own, "little"), "replicates": design.replicates}
        )
        self.design, self._store, self._run = design, store, run
        self.points: dict[str, Point] = {}
        self.undefined = ""

    def add(self, protocols: Sequence[Overseer]) -> None:
        """Try what was not tried before."""
        new = {p.identity(): p for p in protocols if p.identity() not in self.points}
        if not new:
            return
        names = {f"tried {len(self.points) + i}": p for i, p in enumerate(new.values())}
        study = self.study.model_copy(update={"protocols": names})
        struck = {
            name: study.failures[name].model_copy(update={"severity": (severity,)})
            for name, severity in self.design.survive.items()
        }
        study = study.model_copy(update={"failures": struck})
        cases = study.cases(struck)
        self._run(study, cases)
        results = Results(study, cases, self._store)
        for name, protocol in names.items():
            self.points[protocol.identity()] = self._point(results, name, protocol, cases)

    def _point(self, results: Results, name: str, protocol: Overseer, cases: list[Case]) -> Point:
        minutes = float(np.mean(results.column(name, "human_minutes_per_item")))
        pgr = results.pgr(name).value
        if not np.isfinite(pgr):
            self.undefined = results.pgr(name).status
            return Point(protocol, minutes, -np.inf, np.inf)
        breaks = 0.0
        if self.design.minutes is not None:
            breaks += max(0.0, minutes / self.design.minutes - 1)
        unaided = results.column(results.baseline, "student_accuracy").mean()
        for case in cases:
            if case.protocol == name and case.failure:
                left = float(np.mean(results.column(case, "student_accuracy")) - unaided)
                breaks += max(-10 * left, 1e-9) if left <= 0 else 0.0
        return Point(protocol, minutes, pgr, breaks)

    @property
    def front(self) -> list[Point]:
        """The points that keep the constraints and that none of these beats in both, cheapest
        first."""
        return front(self.points.values())


def front(points: Iterable[Point]) -> list[Point]:
    """Points of which no other is as cheap and as good, and better in one; cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.minutes, -p.pgr)):
        if point.breaks == 0 and (not best or point.pgr > best[-1].pgr):
            best.append(point)
    return best


def hypervolume(points: Iterable[Point], minutes: float) -> float:
    """The best PGR that some budget buys (at least 0), averaged over budgets from 0 to so many
    minutes an item."""
    area = at = height = 0.0
    for point in front(points):
        if point.minutes >= minutes:
            break
        area += height * (point.minutes - at)
        at, height = point.minutes, max(point.pgr, 0.0)
    return (area + height * (minutes - at)) / minutes


def search(tried: Tried, space: Space, step: Callable[[int], None] | None = None) -> str:
    """Try protocols as an optimizer proposes them; all of them, where there are no more than
    evaluations. Returns how it was done."""
    asked = tried.design
    every = space.enumerated(asked.evaluations)
    if every is None:
        _propose(tried, space, step)
        return f"{len(tried.points)} protocols, proposed by a tree-structured Parzen estimator"
    if not every:
        raise DesignError("the space holds no protocol; expected mechanisms that can be made")
    for batch in _batches(every, asked.batch):
        tried.add(batch)
        if step:
            step(len(tried.points))
    return f"all {len(every)} protocols of the space"


def _propose(tried: Tried, space: Space, step: Callable[[int], None] | None) -> None:
    """Ask and tell in fixed batches, so that no number depends on workers."""
    optuna = _optuna()
    asked = tried.design
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that these two are experimental
        sampler = optuna.samplers.TPESampler(
            seed=_seed(tried.study.seed, asked.seed),
            n_startup_trials=2 * asked.batch,
            multivariate=True,
            group=True,  # knobs exist only where their mechanism does
        )
    optimizer = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler)
    dry = 0
    while len(tried.points) < asked.evaluations and dry < DRY:
        before = len(tried.points)
        trials = [optimizer.ask() for _ in range(asked.batch)]
        drawn = [space.draw(_chooser(trial)) for trial in trials]
        fresh = {p.identity(): p for p in drawn if p and p.identity() not in tried.points}
        tried.add(list(fresh.values())[: asked.evaluations - before])
        for trial, protocol in zip(trials, drawn, strict=True):
            point = tried.points.get(protocol.identity()) if protocol else None
            if point is None or not np.isfinite(point.pgr):
                optimizer.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            trial.set_constraint("constraints", point.breaks)
            optimizer.tell(trial, (point.minutes, point.pgr))
        dry = dry + 1 if len(tried.points) == before else 0
        if step:
            step(len(tried.points))


def at_random(tried: Tried, space: Space, evaluations: int) -> None:
    """Try as many different protocols, drawn blindly."""
    generator = stream(tried.study.seed, "random search", tried.design.seed)
    drawn: dict[str, Overseer] = {}
    for _ in range(200 * evaluations):
        protocol = space.draw(lambda _, options: int(generator.integers(options)))
        if protocol is not None:
            drawn.setdefault(protocol.identity(), protocol)
        if len(drawn) == evaluations:
            break
    for batch in _batches(list(drawn.values()), tried.design.batch):
        tried.add(batch)


def _chooser(trial: Any) -> Callable[[str, int], int]:
    def choose(name: str, options: int) -> int:
        return int(trial.suggest_categorical(name, list(range(options)))) if options > 1 else 0

    return choose


def _batches(protocols: list[Overseer], size: int) -> Iterator[list[Overseer]]:
    for start in range(0, len(protocols), size):
        yield protocols[start : start + size]


def _seed(*parts: int) -> int:
    return int(stream(parts[0], "search", *parts[1:]).integers(2**32))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise DesignError(
            "the search needs optuna; install it with the extra `search`, in a checkout by: "
            "pip install -c lock.txt '.[search]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


@dataclass(frozen=True)
class Designed:
    """What a search found.

    how        what was searched
    found      the front, confirmed: by name f1, f2, ... the protocols, cheapest first
    searched   what was thought of each while searching, by name
    confirmed  results of the front, the hand-written protocols and random search's front (r1, ...)
               on the scenario's own replicates
    """

    study: Study
    design: Design
    how: str
    found: dict[str, Point]
    random: dict[str, Point]
    confirmed: Results
    tried: int
    written: bool = False

    def point(self, name: str, protocol: Overseer) -> Point:
        """A protocol as confirmed."""
        minutes = float(np.nanmean(self.confirmed.column(name, "human_minutes_per_item")))
        return Point(protocol, minutes, self.confirmed.pgr(name).value)

    @property
    def budget(self) -> float:
        """Minutes up to which fronts are compared: the constraint, or the dearest hand-written
        protocol's."""
        if self.design.minutes is not None:
            return self.design.minutes
        columns = (
            self.confirmed.column(name, "human_minutes_per_item") for name in self.study.cells
        )
        return float(max(np.nanmean(column) for column in columns))

    def hypervolumes(self) -> dict[str, float]:
        """Mean best PGR over budgets, as confirmed: of the search, of random search, by hand."""
        fronts = {
            "search": [self.point(name, p.protocol) for name, p in self.found.items()],
            "random search": [self.point(name, p.protocol) for name, p in self.random.items()],
            "by hand": [self.point(name, p) for name, p in self.study.cells.items()],
        }
        return {name: hypervolume(points, self.budget) for name, points in fronts.items()}

    def rows(self) -> list[Row]:
        """A row a protocol that was confirmed: whose it is, what it is, and its summary."""
        origin = {
            **{name: ("search", p) for name, p in self.found.items()},
            **{name: ("random search", p) for name, p in self.random.items()},
            **dict.fromkeys(self.study.cells, ("by hand", None)),
        }
        protocols = {
            **{n: p.protocol for n, p in {**self.found, **self.random}.items()},
            **self.study.cells,
        }
        points = {name: self.point(name, protocols[name]) for name in origin}
        rows = []
        for name, (whose, thought) in origin.items():
            mine = points[name]
            beaten = any(
                other.minutes <= mine.minutes
                and other.pgr >= mine.pgr
                and (other.minutes, other.pgr) != (mine.minutes, mine.pgr)
                for n, other in points.items()
                if origin[n][0] == "search"
            )
            rows.append(
                {
                    **self.confirmed.summary_row(Case(name)),
                    "origin": whose,
                    "what": protocols[name].identity(),
                    "searched_pgr": None if thought is None else thought.pgr,
                    "beaten_by_the_front": beaten,
                }
            )
        return sorted(rows, key=lambda row: row["human_minutes_per_item"])


def design(
    study: Study,
    *,
    executor: Executor | None = None,
    jobs: int = 1,
    out: str | Path | None = None,
    retry: bool = False,
    progress: Progress | None = None,
    step: Callable[[int], None] | None = None,
) -> Designed:
    """Search for protocols as the study's `design` says, and confirm what was found.

    out   a folder that keeps every evaluation, so that a killed search goes on, and the front as
          scenario files
    step  called with the number of protocols tried so far

    Raises DesignError where nothing that was tried keeps the constraints.
    """
    asked = study.design or Design()
    space = asked.space(study.world)
    with opened(out) as store, Crew(executor, jobs) as crew:

        def running(study: Study, cases: list[Case]) -> None:
            if retry:
                store.forget_failed(study, cases)
            run([(study, cases)], store, crew, progress)

        tried = Tried(study, asked, store, running)
        how = search(tried, space, step)
        if not tried.front:
            raise DesignError(_nothing_kept(tried))
        blind = Tried(study, asked, store, running)
        at_random(blind, space, len(tried.points))
        found = {f"f{i}": point for i, point in enumerate(tried.front, 1)}
        random = {f"r{i}": point for i, point in enumerate(blind.front, 1)}
        whole = {name: p.protocol for name, p in {**found, **random}.items()}
        both = study.model_copy(update={"protocols": {**study.cells, **whole}})
        running(both, both.cases())
        confirmed = Results(both, both.cases(), store)
        kept = store.folder is not None
        done = Designed(study, asked, how, found, random, confirmed, len(tried.points), kept)
        if store.folder:
            _write(store.folder, done)
    return done


def _nothing_kept(tried: Tried) -> str:
    asked = tried.design
    if tried.undefined and not any(np.isfinite(p.pgr) for p in tried.points.values()):
        return f"PGR {tried.undefined}; more items or replicates may help"
    cheapest = min(tried.points.values(), key=lambda point: point.minutes)
    if asked.minutes is not None and cheapest.minutes > asked.minutes:
        return (
            f"no protocol of {len(tried.points)} tried costs at most {asked.minutes:g} human "
            f"minutes an item; the cheapest, {cheapest.protocol.identity()}, costs "
            f"{cheapest.minutes:.3g}"
        )
    return f"no protocol of {len(tried.points)} tried keeps the constraints; loosen them"


def _write(out: Path, done: Designed) -> None:
    """design.csv, and the front as scenario files that `compare` runs."""
    from oversight.studies.scenario import written

    rows = done.rows()
    with writing(out / "design.csv") as file:
        write_csv(file, list(rows[0]), rows)
    folder = out / "front"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("f*.yaml"):
        old.unlink()
    for name, thought in done.found.items():
        point = done.point(name, thought.protocol)
        about = f"{point.minutes:.3g} human minutes an item for a PGR of {point.pgr:.2f}"
        single = done.study.model_copy(
            update={
                "name": f"{done.study.name}-{name}",
                "about": f"found by search in {done.study.name}: {about}",
                "protocols": {**done.study.protocols, name: thought.protocol},
                "failures": {},
                "design": None,
            }
        )
        write(folder / f"{name}.yaml", written(single, folder))
