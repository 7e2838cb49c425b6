"""The tables of a store: their rows, each with a check, and what is wrong with damaged ones."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from oversight.core.errors import FolderError, StoreError
from oversight.running.folder import MARK

SCHEMA = 3
"""The only version of the tables that this program knows."""
PAGE = 4096
"""Bytes of a page of the file."""
PATIENCE = 30.0
"""Seconds to wait for another program that reads the file."""
FIELDS = {
    "store": ("key TEXT", "value TEXT"),
    "numbers": ("cell BLOB", "replicate INTEGER", "numbers BLOB"),
    "failed": ("cell BLOB", "replicate INTEGER", "error TEXT", "origin TEXT", "traceback TEXT"),
}
"""Fields of the rows, by table; the check of the row follows them."""
KEYS = {"store": ("key",), "numbers": ("cell", "replicate"), "failed": ("cell", "replicate")}
CREATE = {
    table: f"CREATE TABLE {table} ({', '.join(fields)}, mark BLOB, PRIMARY KEY "
    f"({', '.join(KEYS[table])})) WITHOUT ROWID"
    for table, fields in FIELDS.items()
}
INSERT = {
    table: f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * (len(fields) + 1))})"
    for table, fields in FIELDS.items()
}
HEAD = b"SQLite format 3\0" + PAGE.to_bytes(2, "big") + bytes((1, 1, 0, 64, 32, 32))
"""The first bytes of every store."""
ELSEWHERE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
)
"""Errors that are no damage of the file."""


def check(table: str, values: Sequence[object]) -> bytes:
    """The length and a digest of a row's values: what a damaged row has not.

    >>> check("store", ("schema", "3")) == check("store", ("schema", "4"))
    False
    """
    digested = hashlib.blake2b(table.encode(), digest_size=8)
    length = 0
    for value in values:
        data = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
        digested.update(b"%c%d " % (type(value).__name__[0].encode(), len(data)))
        digested.update(data)
        length += len(data)
    return length.to_bytes(4, "little") + digested.digest()


def checked(table: str, *values: object) -> tuple[object, ...]:
    """A row with its check."""
    return (*values, check(table, values))


def whole(table: str, row: Sequence[object]) -> bool:
    """Whether a row is as it was written."""
    *values, mark = row
    return len(values) == len(FIELDS[table]) and check(table, values) == mark


def connected(path: Path, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a file."""
    # Results may be read in another thread than ran them, as in a notebook; never by two.
    name = f"file:{quote(str(path))}" + ("?mode=ro&immutable=1" if read_only else "")
    database = sqlite3.connect(name, timeout=PATIENCE, check_same_thread=False, uri=True)
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    return database


def temporary() -> sqlite3.Connection:
    """A database with the tables that ends with its connection."""
    database = sqlite3.connect("", check_same_thread=False)
    create(database)
    return database


def create(database: sqlite3.Connection) -> None:
    """Make the tables, all or none."""
    database.execute(f"PRAGMA page_size = {PAGE}")
    with database:
        database.execute("BEGIN IMMEDIATE")
        database.execute(f"PRAGMA application_id = {int.from_bytes(MARK, 'big')}")
        for statement in CREATE.values():
            database.execute(statement)
        for key, value in (("schema", str(SCHEMA)), ("rows", "0")):
            database.execute(INSERT["store"], checked("store", key, value))


def roll_back(database: sqlite3.Connection) -> None:
    """Have SQLite undo what a killed run left half done, before anybody else looks at the file."""
    try:
        database.execute("SELECT name FROM sqlite_master").fetchall()
    except (sqlite3.Error, ValueError) as error:
        if isinstance(error, sqlite3.Error) and code(error) in ELSEWHERE:
            raise


def damage(database: sqlite3.Connection, path: Path) -> str:
    """What is damaged; empty where nothing is. Raises FolderError where the tables are those of
    another version of this program."""
    with path.open("rb") as file:
        head = file.read(72)
    if head[68:] != MARK:
        _refuse_other_version(database, path)
    if not head.startswith(HEAD) or head[68:] != MARK:
        return "its header"
    try:
        return _damage(database, path)
    except sqlite3.Error as error:
        if code(error) in ELSEWHERE:
            raise
        return str(error)
    except ValueError:  # text that is none, in a name or a number
        return "its text"


def code(error: sqlite3.Error) -> int:
    """SQLite's number for an error; 0 where there is none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _damage(database: sqlite3.Connection, path: Path) -> str:
    present = dict(database.execute("SELECT name, sql FROM sqlite_master ORDER BY rowid"))
    if present != CREATE:
        return "its tables are not those that were made"
    (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        return " ".join(str(answer).split())
    rows = list(_rows(database, "store"))
    about = {row[0]: row[1] for row in rows if whole("store", row)}
    if len(about) != len(rows) or not {"schema", "rows"} <= about.keys():
        return "what it says of itself"
    if about["schema"] != str(SCHEMA):
        raise FolderError(
            f"{path}: written by another version of this program (schema {about['schema']}, this "
            f"reads {SCHEMA}); name another folder"
        )
    return _damaged_rows(database, int(about["rows"]))


def _refuse_other_version(database: sqlite3.Connection, path: Path) -> None:
    """Raises FolderError for a store of a version that had no mark, and no digest of its code."""
    try:
        present = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return
    if {"about", "cells"} <= present:
        raise FolderError(
            f"{path}: written by another version of this program, without a digest of its code; "
            "name another folder"
        )


def _damaged_rows(database: sqlite3.Connection, expected: int) -> str:
    count = bad = 0
    for table in ("numbers", "failed"):
        last: tuple[object, ...] = ()
        for row in _rows(database, table):
            count += 1
            good = whole(table, row) and (not last or last < row[:2])
            bad += not good
            last = row[:2] if good else last
    if bad:
        return f"{bad} of {count} rows"
    return "" if count == expected else f"{count} rows where there were {expected}"


def _rows(database: sqlite3.Connection, table: str) -> sqlite3.Cursor:
    return database.execute(f"SELECT * FROM {table}")


def explained(path: Path, error: Exception) -> StoreError:
    """What an error of SQLite means for who runs the program."""
    number = code(error) if isinstance(error, sqlite3.Error) else 0
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        why = "another program holds it; let it end, and run the same command again"
    elif number == sqlite3.SQLITE_FULL:
        why = "there is no room for it; make some, and run the same command again"
    elif number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        why = "it was damaged meanwhile; the same command finds out what, and runs that again"
    else:
        why = "the same command goes on from there"
    return StoreError(f"{path}: {error}: {why}. What was written before is kept")
