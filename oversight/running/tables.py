"""The tables of a results folder, and the lock that lets one run write there at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from filelock import FileLock, Timeout

from oversight.core.errors import StoreError

SCHEMA = 2
"""The only version of the tables that this program knows."""
TABLES = (
    "CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT)",
    "CREATE TABLE IF NOT EXISTS cells (id INTEGER PRIMARY KEY, study TEXT, what TEXT, "
    "columns TEXT, UNIQUE (study, what))",
    "CREATE TABLE IF NOT EXISTS numbers (cell INTEGER, replicate INTEGER, numbers BLOB, "
    "PRIMARY KEY (cell, replicate)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS failed (cell INTEGER, replicate INTEGER, error TEXT, origin TEXT, "
    "traceback TEXT, PRIMARY KEY (cell, replicate)) WITHOUT ROWID",
)


def database_at(path: Path) -> sqlite3.Connection:
    """The database in a file, with its tables. Raises StoreError where the file is none of this
    program's, or not of this version."""
    try:
        # Results may be read in another thread than ran them, as in a notebook; never by two.
        database = sqlite3.connect(path, check_same_thread=False)
        _refuse_other_schema(database, path)
        _create(database)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{path.parent}: cannot keep results there: {error} ({path.name} is no store, or it is "
            "damaged; move it away, or name another folder)"
        ) from None
    return database


def temporary() -> sqlite3.Connection:
    """A database with the same tables that ends with its connection."""
    database = sqlite3.connect("", check_same_thread=False)
    _create(database)
    return database


def locked(folder: Path) -> FileLock:
    """The lock of a folder; it ends with the process that holds it. Raises StoreError where another
    run holds it."""
    lock = FileLock(folder / "results.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(
            f"{folder}: another run is writing there; wait until it has ended, or name another "
            "folder"
        ) from None
    return lock


def _refuse_other_schema(database: sqlite3.Connection, path: Path) -> None:
    query = "SELECT name FROM sqlite_master WHERE name = 'about'"
    if not database.execute(query).fetchone():
        return
    row = database.execute("SELECT value FROM about WHERE key = 'schema'").fetchone()
    if row is None or row[0] == str(SCHEMA):
        return
    if str(row[0]).isdecimal() and int(row[0]) > SCHEMA:
        raise StoreError(
            f"{path}: written by a newer version of this program (schema {row[0]}, this "
            f"reads {SCHEMA})"
        )
    raise StoreError(
        f"{path}: says it has schema {row[0]!r}; it is no store of this program, which reads "
        f"schema {SCHEMA}; move it away, or name another folder"
    )


def _create(database: sqlite3.Connection) -> None:
    with database:
        for table in TABLES:
            database.execute(table)
        database.execute("INSERT OR REPLACE INTO about VALUES ('schema', ?)", (str(SCHEMA),))
