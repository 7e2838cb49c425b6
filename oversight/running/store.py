"""Results on disk: an embedded SQLite store that only the parent writes.

A row of numbers a case and replicate, kept under what decides them (`oversight.identity`). Without
a folder the same in a temporary file, so that no run has to fit in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from filelock import FileLock, Timeout

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.errors import StoreError
from oversight.running.replicate import COLUMNS, Failed, Replicate
from oversight.studies import identity
from oversight.studies.study import Case, Study

SCHEMA = 2
STORE = "results.sqlite"
ROOM = 2**25
"""Bytes of numbers that are held in memory; what is older is read again."""
STUDIES = 64
"""Studies whose names in the store are remembered."""
LOST = "a worker process"
"""Where a failure comes from that is nobody's but the machine's."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE IF NOT EXISTS cells (id INTEGER PRIMARY KEY, study TEXT, what TEXT, "
    "columns TEXT, UNIQUE (study, what))",
    "CREATE TABLE IF NOT EXISTS numbers (cell INTEGER, replicate INTEGER, numbers BLOB, "
    "PRIMARY KEY (cell, replicate)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS failed (cell INTEGER, replicate INTEGER, error TEXT, origin TEXT, "
    "traceback TEXT, PRIMARY KEY (cell, replicate)) WITHOUT ROWID",
)


class Store:
    """A results folder's numbers, or those of a run that keeps none."""

    def __init__(
        self, folder: Path | None, database: sqlite3.Connection, lock: FileLock | None
    ) -> None:
        self.folder, self._database, self._lock = folder, database, lock
        self._keys: OrderedDict[int, tuple[Study, str, dict[Case, str]]] = OrderedDict()
        self._cells: dict[tuple[str, str], list[int]] = {}
        self._arrays: OrderedDict[tuple[str, str, int], FloatArray] = OrderedDict()
        self._bytes = 0
        with database:  # what a dead worker cost an earlier run is tried again
            database.execute("DELETE FROM failed WHERE origin = ?", (LOST,))

    def __del__(self) -> None:
        self._database.close()

    @staticmethod
    def open(folder: Path | None = None) -> Store:
        """Open or make a folder's store; raises StoreError where the folder cannot hold one, or
        another run writes there."""
        if folder is None:
            database = sqlite3.connect("", check_same_thread=False)
            _made(database)
            return Store(None, database, None)
        path = folder / STORE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _locked(folder)
        except OSError as error:
            raise StoreError(f"{folder}: cannot keep results there: {error}") from None
        try:
            # Results may be read in another thread than ran them, as in a notebook; never by two.
            database = sqlite3.connect(path, check_same_thread=False)
            _made(database, path)
        except (OSError, sqlite3.Error) as error:
            lock.release()
            raise StoreError(
                f"{folder}: cannot keep results there: {error} ({path.name} is no store, or it is "
                "damaged; move it away, or name another folder)"
            ) from None
        except StoreError:
            lock.release()
            raise
        return Store(folder, database, lock)

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

    def finished(self, study: Study, case: Case) -> BoolArray:
        """By replicate, whether its numbers are here, or that it failed."""
        done = np.zeros(study.replicates, dtype=np.bool_)
        for table in ("numbers", "failed"):
            for cell in self._numbers_of(study, case):
                query = f"SELECT replicate FROM {table} WHERE cell = ? AND replicate < ?"
                rows = self._database.execute(query, (cell, study.replicates))
                done[[number for (number,) in rows]] = True
        return done

    def array(self, study: Study, case: Case) -> FloatArray:
        """Numbers of a case, (replicates, columns); NaN where there are none."""
        key = (*self._key(study, case), study.replicates)
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key]
        found = np.full((study.replicates, len(COLUMNS)), np.nan)
        # What version 1 kept comes first: newer numbers replace it.
        for cell in reversed(self._numbers_of(study, case)):
            query = "SELECT columns FROM cells WHERE id = ?"
            kept = json.loads(self._database.execute(query, (cell,)).fetchone()[0])
            mine = [kept.index(name) for name in COLUMNS if name in kept]
            place = [i for i, name in enumerate(COLUMNS) if name in kept]
            query = "SELECT replicate, numbers FROM numbers WHERE cell = ? AND replicate < ?"
            for number, numbers in self._database.execute(query, (cell, study.replicates)):
                found[number, place] = np.frombuffer(numbers, dtype="<f8")[mine]
        found.flags.writeable = False
        self._arrays[key] = found
        self._bytes += found.nbytes
        while self._bytes > ROOM and len(self._arrays) > 1:
            self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return found

    def row(self, study: Study, case: Case, number: int) -> FloatArray:
        """Numbers of one replicate, whatever its number; NaN where there are none."""
        found = np.full(len(COLUMNS), np.nan)
        query = (
            "SELECT columns, numbers FROM numbers JOIN cells ON cell = id "
            "WHERE cell = ? AND replicate = ?"
        )
        for cell in reversed(self._numbers_of(study, case)):
            for columns, numbers in self._database.execute(query, (cell, number)):
                kept = json.loads(columns)
                for name, value in zip(kept, np.frombuffer(numbers, dtype="<f8"), strict=True):
                    if name in COLUMNS:
                        found[COLUMNS.index(name)] = value
        return found

    def failure(self, study: Study, case: Case, number: int) -> Failed | None:
        """What failed in one replicate."""
        query = "SELECT error, origin, traceback FROM failed WHERE cell = ? AND replicate = ?"
        for cell in self._numbers_of(study, case):
            for told in self._database.execute(query, (cell, number)):
                return Failed(case, number, *told)
        return None

    def has(self, study: Study, case: Case, number: int) -> bool:
        """Whether the numbers of one replicate are here, or that it failed."""
        for table in ("numbers", "failed"):
            query = f"SELECT 1 FROM {table} WHERE cell = ? AND replicate = ?"
            for cell in self._numbers_of(study, case):
                if self._database.execute(query, (cell, number)).fetchone():
                    return True
        return False

    def failed(
        self, study: Study, cases: Iterable[Case], seen: set[tuple[str, str]] | None = None
    ) -> Iterator[Failed]:
        """What failed, in order of replicates; with a traceback where error and origin were not
        `seen` before."""
        query = "SELECT replicate, error, origin FROM failed WHERE cell = ? AND replicate < ?"
        found = [
            Failed(case, *told)
            for case in cases
            for cell in self._numbers_of(study, case)
            for told in self._database.execute(query, (cell, study.replicates))
        ]
        seen = set() if seen is None else seen
        for lost in sorted(found, key=lambda lost: (lost.replicate, lost.case)):
            kind = (lost.error, lost.origin)
            whole = None if kind in seen else self.failure(study, lost.case, lost.replicate)
            seen.add(kind)
            yield whole or lost

    def forget_failed(self, study: Study, cases: Iterable[Case]) -> None:
        """Let what failed be tried again."""
        with self._writing():
            for case in cases:
                for cell in self._numbers_of(study, case):
                    self._database.execute("DELETE FROM failed WHERE cell = ?", (cell,))

    def keep(self, study: Study, replicates: Iterable[Replicate]) -> None:
        """Commit replicates, each whole."""
        with self._writing():
            for replicate in replicates:
                for case, row in replicate.rows.items():
                    numbers = np.asarray(row, dtype="<f8").tobytes()
                    self._database.execute(
                        "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?)",
                        (self._cell(study, case), replicate.number, numbers),
                    )
                    self._forget(study, case)
                for lost in replicate.failed:
                    self._database.execute(
                        "INSERT OR REPLACE INTO failed VALUES (?, ?, ?, ?, ?)",
                        (
                            self._cell(study, lost.case),
                            lost.replicate,
                            lost.error,
                            lost.origin,
                            lost.traceback,
                        ),
                    )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._database:
                yield
        except sqlite3.Error as error:
            where, then = self.folder or "a temporary file", ""
            if self.folder is not None:
                there = (self.folder / STORE).exists()
                then = ". What was written before is kept; the same command goes on from there"
                then = then if there else ". The folder was taken away while the run went on"
            raise StoreError(f"{where}: cannot write results: {error}{then}") from None

    def _key(self, study: Study, case: Case) -> tuple[str, str]:
        """What decides a case's numbers."""
        if id(study) not in self._keys:
            self._keys[id(study)] = (study, identity.of_study(study), {})
            if len(self._keys) > STUDIES:
                self._keys.popitem(last=False)
        _, whole, cases = self._keys[id(study)]
        if case not in cases:
            cases[case] = identity.of_case(study, case)
        return whole, cases[case]

    def _forget(self, study: Study, case: Case) -> None:
        key = (*self._key(study, case), study.replicates)
        gone = self._arrays.pop(key, None)
        self._bytes -= 0 if gone is None else gone.nbytes

    def _cell(self, study: Study, case: Case) -> int:
        """Where a case's numbers are written."""
        key = self._key(study, case)
        self._database.execute(
            "INSERT OR IGNORE INTO cells (study, what, columns) VALUES (?, ?, ?)",
            (*key, json.dumps(COLUMNS)),
        )
        query = "SELECT id FROM cells WHERE study = ? AND what = ?"
        (found,) = self._database.execute(query, key).fetchone()
        self._cells.pop(key, None)
        return int(found)

    def _numbers_of(self, study: Study, case: Case) -> list[int]:
        """Where a case's numbers are read: where they are written, and where version 1 put them."""
        key = self._key(study, case)
        if key not in self._cells:
            query = "SELECT id FROM cells WHERE study = ? AND what = ?"
            found = self._database.execute(query, key).fetchall()
            if (first := identity.first_of_study(study)) is not None:
                old = (first, identity.first_of_case(study, case))
                found += self._database.execute(query, old).fetchall()
            if len(self._cells) > 64 * STUDIES:
                self._cells.clear()
            self._cells[key] = [int(cell) for (cell,) in found]
        return self._cells[key]


def _locked(folder: Path) -> FileLock:
    """The folder's lock, which ends with the process that holds it."""
    lock = FileLock(folder / "results.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            f"{folder}: another run is writing there; wait until it has ended, or name another "
            "folder"
        ) from None
    return lock


def _made(database: sqlite3.Connection, path: Path | None = None) -> None:
    """Make the tables, or bring those of an older version up to this one."""
    known = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    found = SCHEMA
    if "about" in known:
        query = "SELECT value FROM about WHERE key = 'schema'"
        row = database.execute(query).fetchone()
        found = SCHEMA if not row else int(row[0]) if str(row[0]).isdecimal() else 0
    if found < 1:
        raise StoreError(f"{path}: says it has schema {row[0]!r}; it is no store of this program")
    if found > SCHEMA:
        raise StoreError(
            f"{path}: written by a newer version of this program (schema {found}, this "
            f"reads {SCHEMA})"
        )
    with database:
        for table in TABLES:
            database.execute(table)
        if found == 1 and "rows" in known:
            _from_first(database)
        database.execute("INSERT OR REPLACE INTO about VALUES ('schema', ?)", (str(SCHEMA),))


def _from_first(database: sqlite3.Connection) -> None:
    """Version 1 had one table, numbers as JSON, and their columns in the name of the study."""
    rows = database.execute("SELECT study, what, replicate, numbers FROM rows").fetchall()
    for study, what, replicate, numbers in rows:
        columns = json.dumps(json.loads(study)[2])
        database.execute(
            "INSERT OR IGNORE INTO cells (study, what, columns) VALUES (?, ?, ?)",
            (study, what, columns),
        )
        blob = np.asarray(json.loads(numbers), dtype="<f8").tobytes()
        database.execute(
            "INSERT OR REPLACE INTO numbers SELECT id, ?, ? FROM cells WHERE study = ? "
            "AND what = ?",
            (replicate, blob, study, what),
        )
    database.execute("DROP TABLE rows")
