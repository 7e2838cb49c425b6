"""Runs studies: what a store has already is left out, the rest goes to the workers, and what they
finish is kept at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from oversight.core.errors import FolderError
from oversight.running.folder import Folder, folder_of
from oversight.running.keys import Keys
from oversight.running.run_options import Progress, Run
from oversight.running.store import Key, Store
from oversight.running.workers import Task, Workers
from oversight.studies.cases import Case
from oversight.studies.study import Study

Part = tuple[Keys, Sequence[Case], range]
"""Cases of one study, and the replicates to run them in."""
LISTED = 50
"""Cases that a message lists, at most."""


class Runner:
    """A store, workers that fill it, who hears of it, and the folder that results are written to,
    if any.

    retry  whether cells that failed in an earlier run are run again
    """

    def __init__(
        self,
        store: Store,
        workers: Workers,
        progress: Progress | None = None,
        folder: Folder | None = None,
        retry: bool = False,
    ) -> None:
        self.store, self.workers, self.folder, self.retry = store, workers, folder, retry
        self.progress = Progress() if progress is None else progress
        self._mended: dict[Case, list[int]] = {}
        self._forgotten: set[Key] = set()

    def run(self, studies: Iterable[tuple[Keys, Sequence[Case]]], since: int = 0) -> None:
        """Run cases of studies in every replicate from `since` on, but for what the store has."""
        self.work((keys, cases, range(since, keys.study.replicates)) for keys, cases in studies)

    def work(self, parts: Iterable[Part]) -> None:
        """Run cases in replicates, but for what the store has, and keep what comes of them."""
        for keys, replicates in self.workers.run(self._missing(parts)):
            self.store.keep(keys.of, replicates)
            for replicate in replicates:
                self.progress(replicate)
                if self.store.damaged:
                    for case in (*replicate.rows, *(lost.case for lost in replicate.failed)):
                        self._mended.setdefault(case, []).append(replicate.number)

    def mended(self) -> str:
        """Which cells a damaged store lacked."""
        cells = sum(map(len, self._mended.values()))
        lines = [
            f"  {case.label}, replicates {ranges(numbers)}"
            for case, numbers in list(self._mended.items())[:LISTED]
        ]
        if len(self._mended) > LISTED:
            lines.append(f"  and {len(self._mended) - LISTED} more")
        return "\n".join([f"{cells} cells that the damaged store lacked were run", *lines])

    def _missing(self, parts: Iterable[Part]) -> Iterator[Task]:
        for keys, cases, numbers in parts:
            if self.retry:
                old = {keys.of(case) for case in cases} - self._forgotten
                self.store.forget_failed(old)
                self._forgotten |= old
            finished = {case: self.store.finished(keys.of(case), numbers) for case in cases}
            if kept := sum(int(each.sum()) for each in finished.values()):
                self.progress.kept(kept)
            for place, number in enumerate(numbers):
                missing = tuple(case for case in cases if not finished[case][place])
                if missing:
                    yield Task(keys, number, missing, curves=self.folder is not None)


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in a line.

    >>> ranges([0, 1, 2, 7, 5, 4])
    '0-2, 4-5, 7'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


@contextmanager
def started(run: Run, kind: str, study: Study, files: Iterable[str] = ()) -> Iterator[Runner]:
    """A runner as `run` describes it.

    kind   of the results, one of `oversight.running.record.KINDS`
    study  what will be run, or most of it
    files  what will be written to the folder, as far as it is known

    Raises, before anything is written, WorkersError where the workers cannot do the work and
    FolderError where the folder is the wrong one; StoreError where it cannot be used.
    """
    with Workers(run.executor, run.jobs) as workers:
        workers.check(study)
        folder = None if run.out is None else Folder.open(folder_of(run.out), kind, files)
        try:
            store = _store(folder)
            into = None if folder is None or folder.read_only else folder
            runner = Runner(store, workers, run.reporter, into, run.retry)
            for note in store.notes:
                runner.progress.warned(note)
            yield runner
            if store.damaged:
                runner.progress.warned(runner.mended())
        finally:
            if folder is not None:
                folder.release()


def _store(folder: Folder | None) -> Store:
    """The store of a folder, or one that ends with the run."""
    if folder is None:
        return Store.open()
    try:
        store = Store.open(folder.path, folder.read_only)
    except FolderError:
        folder.release(withdrawn=True)
        raise
    folder.begin()
    return store
