"""Searches a space of protocols: an optimizer proposes batches, and each is run.

The search runs on a seed of its own, so that its front can be confirmed on replicates that it never
saw.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from oversight.components.overseer import Overseer
from oversight.core.errors import DesignError
from oversight.core.streams import stream
from oversight.findings.design import Point, front
from oversight.findings.results import Results
from oversight.studies.cases import Case
from oversight.studies.design import Design
from oversight.studies.search_space import Space
from oversight.studies.study import Study

DRY = 20
"""So many batches with nothing new end a search."""
RunCases = Callable[[Study, list[Case]], Results]
"""Runs cases of a study, and returns their results."""
Hears = Callable[[int], object]
"""Is called with how many protocols were tried so far."""


class Tried:
    """Every protocol that was tried, once each, in order.

    points     by identity, what each costs and gains
    undefined  why PGR was undefined, where it was
    """

    def __init__(self, study: Study, design: Design, run: RunCases) -> None:
        own = hashlib.blake2b(f"search {study.seed}".encode(), digest_size=8).digest()
        self.study = study.still.changed(
            seed=int.from_bytes(own, "little"), replicates=design.replicates
        )
        self.design, self._run = design, run
        weak = study.weak_protocol
        self._weak = {} if study.baseline is None else {weak: study.cells[weak]}
        self.points: dict[str, Point] = {}
        self.undefined = ""

    def add(self, protocols: Sequence[Overseer]) -> None:
        """Try what was not tried before."""
        new = {p.identity(): p for p in protocols if p.identity() not in self.points}
        if not new:
            return
        names = {f"tried {len(self.points) + i}": p for i, p in enumerate(new.values())}
        struck = {
            name: self.study.failures[name].changed(severity=(severity,))
            for name, severity in self.design.survive.items()
        }
        study = self.study.changed(protocols={**self._weak, **names}, failures=struck)
        cases = study.cases(struck)
        results = self._run(study, cases)
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
        weak = results.column(results.baseline, "student_accuracy").mean()
        for case in cases:
            if case.protocol == name and case.failure:
                left = float(np.mean(results.column(case, "student_accuracy")) - weak)
                breaks += max(-10 * left, 1e-9) if left <= 0 else 0.0
        return Point(protocol, minutes, pgr, breaks)

    @property
    def front(self) -> list[Point]:
        """The points that keep the constraints and that none of these beats in both, cheapest
        first."""
        return front(self.points.values())


def enumerated(space: Space, design: Design) -> list[Overseer] | None:
    """All protocols of a space; None where they are more than evaluations. Raises DesignError where
    there are none, or where a search lacks its optimizer."""
    every = space.enumerated(design.evaluations)
    if every is None:
        _optuna()
    elif not every:
        raise DesignError("the space holds no protocol; expected mechanisms that can be made")
    return every


def search(
    tried: Tried, space: Space, every: list[Overseer] | None, hears: Hears | None = None
) -> str:
    """Try all protocols of a space where they are known, else those that an optimizer proposes.
    Returns how it was done."""
    design = tried.design
    if every is None:
        _propose(tried, space, hears)
        return f"{len(tried.points)} protocols, proposed by a tree-structured Parzen estimator"
    for batch in _batches(every, design.batch):
        tried.add(batch)
        if hears:
            hears(len(tried.points))
    return f"all {len(every)} protocols of the space"


def _propose(tried: Tried, space: Space, hears: Hears | None) -> None:
    """Ask and tell in fixed batches, so that no number depends on workers."""
    optuna = _optuna()
    design = tried.design
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that these two are experimental
        sampler = optuna.samplers.TPESampler(
            seed=_seed(tried.study.seed, design.seed),
            n_startup_trials=2 * design.batch,
            multivariate=True,
            group=True,  # knobs exist only where their mechanism does
        )
    optimizer = optuna.create_study(directions=["minimize", "maximize"], sampler=sampler)
    dry = 0
    while len(tried.points) < design.evaluations and dry < DRY:
        before = len(tried.points)
        trials = [optimizer.ask() for _ in range(design.batch)]
        drawn = [space.draw(_chooser(trial)) for trial in trials]
        fresh = {p.identity(): p for p in drawn if p and p.identity() not in tried.points}
        tried.add(list(fresh.values())[: design.evaluations - before])
        for trial, protocol in zip(trials, drawn, strict=True):
            point = tried.points.get(protocol.identity()) if protocol else None
            if point is None or not np.isfinite(point.pgr):
                optimizer.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            trial.set_constraint("constraints", point.breaks)
            optimizer.tell(trial, (point.minutes, point.pgr))
        dry = dry + 1 if len(tried.points) == before else 0
        if hears:
            hears(len(tried.points))


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
        """One of so many options, by number."""
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
