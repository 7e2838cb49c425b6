"""Results on disk: an embedded SQLite store that one process writes, the one that started the run.

A row of numbers a cell and replicate, under a key that says what decides them. Without a folder the
same in a temporary file, so that no run has to fit in memory.

What a killed run keeps: every chunk of replicates that the workers had handed over. A replicate is
written whole or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from filelock import FileLock

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.errors import StoreError
from oversight.running import tables
from oversight.running.failed import LOST, Failed
from oversight.running.replicate import COLUMNS, Replicate
from oversight.studies.cases import Case

STORE = "results.sqlite"
ROOM = 2**25
"""Bytes of numbers that are held in memory; older ones are read again."""
CELLS = 4096
"""Cells whose place in the tables is remembered."""


class Key(NamedTuple):
    """What the numbers of a cell are kept under: two texts, that of its study and its own."""

    study: str
    cell: str


class Store:
    """A results folder's numbers, or those of a run that keeps none.

    Rows are in the order of `COLUMNS`; NaN stands where there is nothing to measure, or where an
    older row lacks a column.
    """

    def __init__(
        self, folder: Path | None, database: sqlite3.Connection, lock: FileLock | None
    ) -> None:
        self.folder, self._database, self._lock = folder, database, lock
        self._places: dict[Key, int] = {}
        self._arrays: OrderedDict[Key, FloatArray] = OrderedDict()
        self._bytes = 0
        with database:  # what a dead worker cost an earlier run is tried again
            database.execute("DELETE FROM failed WHERE origin = ?", (LOST,))

    def __del__(self) -> None:
        self._database.close()

    @staticmethod
    def open(folder: Path | None = None) -> Store:
        """The store of a folder, new or as an earlier run left it; without a folder, one that ends
        with the run.

        Raises StoreError where the folder cannot hold a store, or another run writes there.
        """
        if folder is None:
            return Store(None, tables.temporary(), None)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = tables.locked(folder)
        except OSError as error:
            raise StoreError(f"{folder}: cannot keep results there: {error}") from None
        try:
            return Store(folder, tables.database_at(folder / STORE), lock)
        except StoreError:
            lock.release()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Others may write to the folder again; what is here can still be read."""
        if self._lock is not None:
            self._lock.release()

    def finished(self, key: Key, replicates: int) -> BoolArray:
        """By replicate, (replicates,): whether its numbers are here, or that it failed."""
        done = np.zeros(replicates, dtype=np.bool_)
        place = self._place(key)
        for table in ("numbers", "failed") if place else ():
            query = f"SELECT replicate FROM {table} WHERE cell = ? AND replicate < ?"
            rows = self._database.execute(query, (place, replicates))
            done[[number for (number,) in rows]] = True
        return done

    def has(self, key: Key, number: int) -> bool:
        """Whether the numbers of one replicate are here, or that it failed."""
        place = self._place(key)
        for table in ("numbers", "failed") if place else ():
            query = f"SELECT 1 FROM {table} WHERE cell = ? AND replicate = ?"
            if self._database.execute(query, (place, number)).fetchone():
                return True
        return False

    def array(self, key: Key, replicates: int) -> FloatArray:
        """Numbers of a cell, (replicates, columns), read only; NaN where there are none."""
        held = self._arrays.get(key)
        if held is not None and len(held) == replicates:
            self._arrays.move_to_end(key)
            return held
        self._drop(key)
        array = np.full((replicates, len(COLUMNS)), np.nan)
        query = "SELECT replicate, numbers FROM numbers WHERE cell = ? AND replicate < ?"
        self._fill(array, key, query, replicates)
        array.flags.writeable = False
        self._arrays[key] = array
        self._bytes += array.nbytes
        while self._bytes > ROOM and len(self._arrays) > 1:
            self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array

    def row(self, key: Key, number: int) -> FloatArray:
        """Numbers of one replicate, (columns,), whatever its number; NaN where there are none."""
        array: FloatArray = np.full((1, len(COLUMNS)), np.nan)
        self._fill(
            array, key, "SELECT 0, numbers FROM numbers WHERE cell = ? AND replicate = ?", number
        )
        return array.reshape(-1)

    def _fill(self, array: FloatArray, key: Key, query: str, value: int) -> None:
        """Write the rows of a query, each with its place, into an array of today's columns."""
        place = self._place(key)
        if place is None:
            return
        text = "SELECT columns FROM cells WHERE id = ?"
        kept = json.loads(self._database.execute(text, (place,)).fetchone()[0])
        ours = [i for i, name in enumerate(COLUMNS) if name in kept]
        theirs = [kept.index(COLUMNS[i]) for i in ours]
        for number, numbers in self._database.execute(query, (place, value)):
            array[number, ours] = np.frombuffer(numbers, dtype="<f8")[theirs]

    def failure(self, key: Key, case: Case, number: int) -> Failed | None:
        """Why a case failed in one replicate; None where it did not."""
        query = "SELECT error, origin, traceback FROM failed WHERE cell = ? AND replicate = ?"
        row = self._database.execute(query, (self._place(key), number)).fetchone()
        return None if row is None else Failed(case, number, *row)

    def failed(
        self,
        cells: Iterable[tuple[Case, Key]],
        replicates: int,
        seen: set[tuple[str, str]] | None = None,
    ) -> Iterator[Failed]:
        """What failed, in order of replicates; with a traceback where its error and origin were not
        `seen` before."""
        query = "SELECT replicate, error, origin FROM failed WHERE cell = ? AND replicate < ?"
        keys = dict(cells)
        every = [
            Failed(case, *row)
            for case, key in keys.items()
            for row in self._database.execute(query, (self._place(key), replicates))
        ]
        seen = set() if seen is None else seen
        for lost in sorted(every, key=lambda lost: (lost.replicate, lost.case)):
            kind = (lost.error, lost.origin)
            whole = None
            if kind not in seen:
                whole = self.failure(keys[lost.case], lost.case, lost.replicate)
            seen.add(kind)
            yield whole or lost

    def forget_failed(self, keys: Iterable[Key]) -> None:
        """Let what failed be tried again."""
        with self._writing():
            for key in keys:
                self._database.execute("DELETE FROM failed WHERE cell = ?", (self._place(key),))

    def keep(self, key_of: Callable[[Case], Key], replicates: Iterable[Replicate]) -> None:
        """Commit replicates, each whole, under the keys of their cases."""
        numbers = "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)"
        failed = "INSERT OR REPLACE INTO failed VALUES (?, ?, ?, ?, ?)"
        with self._writing():
            for replicate in replicates:
                for case, row in replicate.rows.items():
                    key, blob = key_of(case), np.asarray(row, dtype="<f8").tobytes()
                    values = (self._place_to_write(key), replicate.number, blob)
                    self._database.execute(numbers, values)
                    self._drop(key)
                for lost in replicate.failed:
                    place = self._place_to_write(key_of(lost.case))
                    words = (lost.error, lost.origin, lost.traceback)
                    self._database.execute(failed, (place, lost.replicate, *words))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._database:
                yield
        except BaseException as error:
            self._places.clear()  # new ones were taken back
            if not isinstance(error, sqlite3.Error):
                raise
            where, then = self.folder or "a temporary file", ""
            if self.folder is not None:
                there = (self.folder / STORE).exists()
                then = ". What was written before is kept; the same command goes on from there"
                then = then if there else ". The folder was taken away while the run went on"
            raise StoreError(f"{where}: cannot write results: {error}{then}") from None

    def _drop(self, key: Key) -> None:
        """Let go of an array in memory."""
        array = self._arrays.pop(key, None)
        self._bytes -= 0 if array is None else array.nbytes

    def _place(self, key: Key) -> int | None:
        """The cell's number in the tables; None where it has none."""
        if key not in self._places:
            query = "SELECT id FROM cells WHERE study = ? AND what = ?"
            row = self._database.execute(query, key).fetchone()
            if row is None:
                return None
            if len(self._places) > CELLS:
                self._places.clear()
            self._places[key] = int(row[0])
        return self._places[key]

    def _place_to_write(self, key: Key) -> int:
        """The same, a new one where it has none."""
        place = self._place(key)
        if place is None:
            self._database.execute(
                "INSERT INTO cells (study, what, columns) VALUES (?, ?, ?)",
                (*key, json.dumps(COLUMNS)),
            )
            place = self._place(key)
        assert place is not None
        return place
