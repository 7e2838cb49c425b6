"""Results on disk: an embedded SQLite store that one process writes, the one that started the run.

A row of numbers a cell and replicate, under a key that says what decides them. Without a folder the
same in a temporary file, so that no run has to fit in memory.

What a killed run keeps: every chunk of replicates that the workers had handed over. A replicate is
written whole or not at all. Every row has a check of its own, and all are looked at when the store
is opened: what is damaged is taken out, and run again.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.errors import StoreError
from oversight.metrics.columns import CURVE
from oversight.running import salvage, tables
from oversight.running.failed import LOST, Failed
from oversight.running.folder import STORE
from oversight.running.replicate import COLUMNS, Replicate
from oversight.studies.cases import Case
from oversight.studies.fingerprint import of_engine

ROOM = 2**25
"""Bytes of numbers that are held in memory; older ones are read again."""
Key = bytes
"""What the numbers of a cell are kept under: a digest of all that decides them."""


class Store:
    """A results folder's numbers, or those of a run that keeps none.

    notes    what the run should tell: damage, numbers of another version
    damaged  whether anything was damaged when the store was opened
    """

    def __init__(self, database: sqlite3.Connection, path: Path | None = None) -> None:
        self.path, self._database = path, database
        self.notes: list[str] = []
        self.damaged = False
        self._arrays: OrderedDict[Key, FloatArray] = OrderedDict()
        self._bytes = 0

    def __del__(self) -> None:
        self._database.close()

    @staticmethod
    def open(folder: Path | None = None, read_only: bool = False) -> Store:
        """The store of a folder, new or as an earlier run left it; without a folder, one that ends
        with the run. What is damaged in it is taken out.

        Raises FolderError where the store is not of this version of the program, StoreError where
        it cannot be used.
        """
        if folder is None:
            return Store(tables.temporary())
        path = folder / STORE
        try:
            return Store(tables.connected(path, read_only), path).ready(path, read_only)
        except (OSError, sqlite3.Error) as error:
            raise tables.explained(path, error) from None

    def ready(self, path: Path, read_only: bool) -> Self:
        """This store once it is rolled back, made or mended, as its file needs."""
        tables.roll_back(self._database)
        if not read_only and (not path.exists() or not path.stat().st_size):
            tables.create(self._database)
        elif what := tables.damage(self._database, path):
            self._mend(what, read_only)
        if not read_only:
            self._start()
        return self

    def _mend(self, what: str, read_only: bool) -> None:
        """Go on with what is whole."""
        assert self.path is not None
        if read_only:
            raise StoreError(f"{self.path}: damaged ({what}), and cannot be written to")
        self._database.close()
        rows, aside = salvage.renew(self.path)
        self._database = tables.connected(self.path)
        self.damaged = True
        self.notes.append(
            f"{self.path}: damaged ({what}). {rows} whole rows are kept, the damaged file is now "
            f"{aside.name}; what is missing is run again"
        )

    def _start(self) -> None:
        """What a dead worker cost an earlier run is tried again; whose code wrote here is noted."""
        query = "SELECT 1 FROM failed WHERE origin = ?"
        if self._rows(query, LOST):
            with self._writing():
                self._delete("origin = ?", LOST)
        written = dict(self._rows("SELECT key, value FROM store")).get("engine")
        if written == of_engine():
            return
        if written is not None:
            self.notes.append(
                f"{self.path}: its numbers are of another version of this program's code; they "
                "stay there, and all is run again"
            )
        with self._writing():
            self._note("engine", of_engine())

    def finished(self, key: Key, replicates: range) -> BoolArray:
        """By replicate, (len(replicates),): whether its numbers are here, or that it failed."""
        done = np.zeros(len(replicates), dtype=np.bool_)
        first, stop = replicates.start, replicates.stop
        for table in ("numbers", "failed"):
            query = (
                f"SELECT replicate - ? FROM {table} WHERE cell = ? AND replicate BETWEEN ? AND ?"
            )
            done[[place for (place,) in self._rows(query, first, key, first, stop - 1)]] = True
        return done

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
        """Write the rows of a query, each with its place, into an array."""
        for number, numbers in self._rows(query, key, value):
            array[number] = np.frombuffer(numbers, dtype="<f8", count=len(COLUMNS))

    def curve(self, key: Key, number: int) -> FloatArray:
        """What CURVE measures in one replicate, (epochs + 1, measures), the start first; empty
        where a student has no epochs, or failed."""
        query = "SELECT numbers FROM numbers WHERE cell = ? AND replicate = ?"
        rows = self._rows(query, key, number)
        numbers = np.frombuffer(rows[0][0], dtype="<f8")[len(COLUMNS) :] if rows else np.empty(0)
        return numbers.reshape(-1, len(CURVE))

    def failure(self, key: Key, case: Case, number: int) -> Failed | None:
        """Why a case failed in one replicate; None where it did not."""
        query = "SELECT error, origin, traceback FROM failed WHERE cell = ? AND replicate = ?"
        rows = self._rows(query, key, number)
        return Failed(case, number, *rows[0]) if rows else None

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
            for row in self._rows(query, key, replicates)
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
                self._delete("cell = ?", key)

    def keep(self, key_of: Callable[[Case], Key], replicates: Iterable[Replicate]) -> None:
        """Commit replicates, each whole, under the keys of their cases."""
        with self._writing():
            before = self._database.total_changes
            for replicate in replicates:
                for case, row in replicate.rows.items():
                    key, blob = key_of(case), np.asarray(row, dtype="<f8").tobytes()
                    self._insert("numbers", key, replicate.number, blob)
                    self._drop(key)
                for lost in replicate.failed:
                    texts = (lost.error, lost.origin, lost.traceback)
                    clean = (text.encode("utf-8", "replace").decode() for text in texts)
                    self._insert("failed", key_of(lost.case), lost.replicate, *clean)
            self._counted(self._database.total_changes - before)

    def _insert(self, table: str, *values: object) -> None:
        """Write a row, unless there is one."""
        self._database.execute(tables.INSERT[table], tables.checked(table, *values))

    def _delete(self, where: str, value: object) -> None:
        """Take failures out."""
        done = self._database.execute(f"DELETE FROM failed WHERE {where}", (value,))
        self._counted(-done.rowcount)

    def _counted(self, more: int) -> None:
        """Note how many rows of results there are."""
        (rows,) = self._database.execute("SELECT value FROM store WHERE key = 'rows'").fetchone()
        self._note("rows", str(int(rows) + more))

    def _note(self, key: str, value: str) -> None:
        """Write what the store says of itself."""
        self._database.execute("DELETE FROM store WHERE key = ?", (key,))
        self._insert("store", key, value)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query comes to."""
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise tables.explained(self.path or Path("a temporary file"), error) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All that is written within, or nothing."""
        try:
            with self._database:
                yield
        except sqlite3.Error as error:
            if self.path is not None and not self.path.exists():
                gone = "the folder was taken away while the run went on"
                raise StoreError(f"{self.path}: cannot write results: {gone}") from None
            path = self.path or Path("a temporary file")
            raise StoreError(f"cannot write results: {tables.explained(path, error)}") from None

    def _drop(self, key: Key) -> None:
        """Let go of an array in memory."""
        array = self._arrays.pop(key, None)
        self._bytes -= 0 if array is None else array.nbytes
