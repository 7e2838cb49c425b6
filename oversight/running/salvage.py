"""What can be saved of a damaged store: every row that is whole, wherever it stands in the file.

The pages are read without SQLite, so that a damaged header, or a damaged page of the tree, loses no
other page (https://www.sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from oversight.running.tables import INSERT, PAGE, checked, connected, create, whole

LEAF, INNER = 0x0A, 0x02
"""Kinds of pages that hold rows, and how much stands before a page's list of rows."""
LOCAL, LEAST = (PAGE - 12) * 64 // 255 - 23, (PAGE - 12) * 32 // 255 - 23
"""Bytes of a row that stand on its own page, at most and at least."""


def renew(path: Path) -> tuple[int, Path]:
    """Replace a damaged store by one that holds its whole rows. Returns how many these are, and
    where the damaged file is now."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    database = connected(part)
    try:
        create(database)
        count = fill(database, rows_of(path))
    finally:
        database.close()
    shutil.copyfile(path, aside)
    for kind in ("journal", "wal", "shm"):  # they belong to the damaged file
        path.with_name(f"{path.name}-{kind}").unlink(missing_ok=True)
    part.replace(path)
    return count, aside


def fill(database: sqlite3.Connection, rows: Iterator[tuple[object, ...]]) -> int:
    """Put whole rows into empty tables. Returns how many there are."""
    with database:
        for row in rows:
            table = {4: "numbers", 6: "failed"}.get(len(row), "")
            if table and whole(table, row):
                database.execute(INSERT[table], row)
        database.execute(
            "DELETE FROM failed WHERE (cell, replicate) IN (SELECT cell, replicate FROM numbers)"
        )
        count = sum(
            int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("numbers", "failed")
        )
        database.execute("DELETE FROM store WHERE key = 'rows'")
        database.execute(INSERT["store"], checked("store", "rows", str(count)))
    return count


def rows_of(path: Path) -> Iterator[tuple[object, ...]]:
    """Every row on every page, damaged or not."""
    with path.open("rb") as file:

        def page(number: int) -> bytes:
            """A page, counted from 0."""
            file.seek(number * PAGE)
            return file.read(PAGE)

        for number in range(-(-path.stat().st_size // PAGE)):
            data = page(number)
            if not data or data[0] not in (LEAF, INNER):
                continue
            first = 8 if data[0] == LEAF else 12
            for place in range(first, first + 2 * int.from_bytes(data[3:5], "big"), 2):
                start = int.from_bytes(data[place : place + 2], "big")
                try:
                    yield _row(_payload(data, start + (first - 8), page))
                except (IndexError, ValueError):  # damaged
                    continue


def _payload(data: bytes, at: int, page: Callable[[int], bytes]) -> bytes:
    """The bytes of a row, from its own page and those that it overflows to."""
    size, at = _varint(data, at)
    if size <= LOCAL:
        return data[at : at + size]
    local = LEAST + (size - LEAST) % (PAGE - 4)
    local = local if local <= LOCAL else LEAST
    if size > 2**26:
        raise ValueError("no row is as long")
    payload = data[at : at + local]
    further = int.from_bytes(data[at + local : at + local + 4], "big")
    while len(payload) < size:
        data = page(further - 1) if further else b""
        if len(data) < PAGE:
            raise ValueError("no such page")
        payload += data[4 : 4 + size - len(payload)]
        further = int.from_bytes(data[:4], "big")
    return payload


def _row(payload: bytes) -> tuple[object, ...]:
    """The values of a row. Raises IndexError or ValueError where it is none."""
    end, at = _varint(payload, 0)
    body = end
    row: list[object] = []
    while at < end:
        kind, at = _varint(payload, at)
        sizes = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
        if kind in (10, 11):
            raise ValueError("no such kind")
        size = sizes[kind] if kind < 10 else (kind - 12) // 2
        value = payload[body : body + size]
        if len(value) < size or len(row) > 6:
            raise ValueError("the row ends before its values")
        body += size
        if kind >= 12:
            row.append(value.decode("utf-8") if kind % 2 else value)
        elif 1 <= kind <= 6:
            row.append(int.from_bytes(value, "big", signed=True))
        else:
            row.append({8: 0, 9: 1}.get(kind))
    return tuple(row)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9
