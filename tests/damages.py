"""Random damages of a store: bits, pages, ends of the file, and edits by somebody with SQL."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

PAGE = 4096
EDITS = (
    "UPDATE numbers SET numbers = x'00'",
    "UPDATE numbers SET numbers = NULL WHERE replicate = 1",
    "UPDATE numbers SET numbers = zeroblob(length(numbers)) WHERE replicate = 0",
    "UPDATE numbers SET numbers = substr(numbers, 1, 8) WHERE replicate = 2",
    "UPDATE numbers SET numbers = 'text'",
    "UPDATE numbers SET replicate = replicate + 100",
    "UPDATE numbers SET replicate = -replicate",
    "UPDATE numbers SET replicate = 'one' WHERE replicate = 1",
    "UPDATE numbers SET cell = zeroblob(16) WHERE replicate = 1 AND cell = "
    "(SELECT min(cell) FROM numbers)",
    "UPDATE numbers SET mark = x'00'",
    "UPDATE numbers SET mark = NULL",
    "UPDATE numbers SET numbers = (SELECT n.numbers FROM numbers n WHERE n.replicate = 0 "
    "AND n.cell = numbers.cell)",
    "DELETE FROM numbers",
    "DELETE FROM numbers WHERE replicate = 1",
    "DROP TABLE numbers",
    "DROP TABLE failed",
    "DROP TABLE store",
    "ALTER TABLE numbers RENAME TO other",
    "ALTER TABLE numbers ADD COLUMN more",
    "CREATE TABLE more (a)",
    "INSERT INTO failed VALUES (x'00', 0, 'e', 'o', 't', x'00')",
    "INSERT INTO failed SELECT cell, 0, 'error', 'origin', '', x'00' FROM numbers WHERE replicate "
    "= 0",
    "UPDATE store SET value = 'x'",
    "UPDATE store SET value = '99' WHERE key = 'schema'",
    "UPDATE store SET value = '2' WHERE key = 'rows'",
    "UPDATE store SET value = '2', mark = NULL WHERE key = 'engine'",
    "DELETE FROM store",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 0",
)


def damage(path: Path, luck: random.Random) -> str:
    """Damage a store in some way. Returns what was done."""
    kind = luck.choice(("bit", "bits", "bytes", "page", "truncated", "edit", "header", "swap"))
    if kind == "edit":
        edit = luck.choice(EDITS)
        database = sqlite3.connect(path)
        with database:
            database.execute(edit)
        database.close()
        return edit
    data = bytearray(path.read_bytes())
    pages = len(data) // PAGE
    if kind in ("bit", "bits"):
        for _ in range(1 if kind == "bit" else 30):
            data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
    elif kind == "bytes":
        at = luck.randrange(len(data))
        data[at : at + 64] = luck.randbytes(len(data[at : at + 64]))
    elif kind == "page":
        at = PAGE * luck.randrange(pages)
        data[at : at + PAGE] = bytes(PAGE) if luck.random() < 0.5 else luck.randbytes(PAGE)
    elif kind == "truncated":
        del data[luck.randrange(len(data)) :]
    elif kind == "header":
        at = luck.randrange(100)
        data[at : at + 16] = luck.randbytes(16)
    else:
        first, second = (PAGE * luck.randrange(pages) for _ in range(2))
        one, other = data[first : first + PAGE], data[second : second + PAGE]
        data[first : first + PAGE], data[second : second + PAGE] = other, one
    path.write_bytes(data)
    return kind


def content(path: Path) -> list[tuple[object, ...]] | None:
    """All rows of a store in order; None where they cannot be read."""
    try:
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        database.text_factory = bytes
        try:
            return [
                *database.execute("SELECT * FROM numbers ORDER BY cell, replicate"),
                *database.execute("SELECT * FROM failed ORDER BY cell, replicate"),
                *database.execute("SELECT * FROM store ORDER BY key"),
            ]
        finally:
            database.close()
    except (sqlite3.Error, ValueError):
        return None
