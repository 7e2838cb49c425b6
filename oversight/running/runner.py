"""Runs studies: what a store has already is left out, the rest goes to the workers, and what they
finish is kept at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from oversight.running.keys import Keys
from oversight.running.run import Progress, Run
from oversight.running.store import Store
from oversight.running.workers import Task, Workers
from oversight.studies.cases import Case

Part = tuple[Keys, Sequence[Case]]
"""Cases of one study, to be run in each of its replicates."""


class Runner:
    """A store, workers that fill it, and who hears of it."""

    def __init__(self, store: Store, workers: Workers, progress: Progress | None = None) -> None:
        self.store, self.workers = store, workers
        self.progress = Progress() if progress is None else progress

    def run(self, parts: Iterable[Part], since: int = 0) -> None:
        """Run cases of studies in every replicate, but for what the store has. Replicates below
        `since` were looked at before: nobody is told again that they are kept."""
        self.work(self._missing(parts, since))

    def work(self, tasks: Iterable[Task]) -> None:
        """Do these tasks, and keep what comes of them."""
        for keys, replicates in self.workers.run(tasks):
            self.store.keep(keys.of, replicates)
            for replicate in replicates:
                self.progress(replicate)

    def _missing(self, parts: Iterable[Part], since: int) -> Iterator[Task]:
        for keys, cases in parts:
            runs = keys.study.replicates
            finished = {case: self.store.finished(keys.of(case), runs) for case in cases}
            kept = sum(int(each[since:].sum()) for each in finished.values())
            if kept:
                self.progress.kept(kept)
            for number in range(runs):
                missing = tuple(case for case in cases if not finished[case][number])
                if missing:
                    yield Task(keys, number, missing)


@contextmanager
def started(run: Run) -> Iterator[Runner]:
    """A runner as `run` describes it. Raises StoreError where its folder cannot be used."""
    folder = None if run.out is None else Path(run.out)
    with Store.open(folder) as store, Workers(run.executor, run.jobs) as workers:
        yield Runner(store, workers, run.reporter)
