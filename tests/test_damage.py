"""A damaged store is noticed, and the same command mends it in one run."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import oversight
from oversight import Claims, Evidence, Mechanism, Study, Verdicts
from oversight.running.replicate import Replicate
from tests.damages import EDITS, content, damage

FLAT = ("runs.csv", "summary.csv", "differences.csv")
REPLICATES = 8
CELLS = 3


class Fails(Mechanism):
    """Fails in one replicate, so that the store has a failure too."""

    name = "fails"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.pool.draws.key[1] == 1:
            raise ZeroDivisionError("always here")
        return Verdicts.of(claims.item * 0.0)


def study(replicates: int = REPLICATES) -> Study:
    return Study.model_validate(
        {
            "name": "small",
            "replicates": replicates,
            "world": {"train_items": 20, "test_items": 20, "features": 2},
            "protocols": {"unaided": "direct", "debate": "debate", "fails": Fails()},
        }
    )


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "out"
    oversight.compare(study(), out=folder)
    return folder


def tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FLAT}


def again(folder: Path) -> tuple[list[Replicate], str]:
    """Run the same once more: what was run, and its warnings."""
    ran: list[Replicate] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        oversight.compare(study(), out=folder, progress=ran.append)
    return ran, "\n".join(str(one.message) for one in caught)


def trial(undamaged: Path, folder: Path, number: int, edit: str = "") -> str:
    """Damage a copy and run the same again. Returns what came of it: mended, or harmless where
    nothing that was kept had changed."""
    shutil.copytree(undamaged, folder)
    path = folder / "results.sqlite"
    if edit:
        database = sqlite3.connect(path)
        with database:
            database.execute(edit)
        database.close()
        done = edit
    else:
        done = damage(path, random.Random(number))
    changed = content(path) != content(undamaged / "results.sqlite")
    ran, text = again(folder)
    assert tables(folder) == tables(undamaged), (number, done)
    assert content(path) == content(undamaged / "results.sqlite"), (number, done)
    reported = "damaged" in text
    assert reported or not changed, (number, done)
    cells = sum(len(one.rows) + len(one.failed) for one in ran)
    if reported:
        lacked = re.search(r"(\d+) cells that the damaged store lacked were run", text)
        assert lacked, text
        assert int(lacked[1]) == cells
        kept = re.search(r"(\d+) whole rows are kept", text)
        assert kept, text
        assert int(kept[1]) + cells == CELLS * REPLICATES, (number, done)
    else:
        assert not cells
    assert again(folder) == ([], ""), (number, done)
    shutil.rmtree(folder)
    return "mended" if reported else "harmless"


@pytest.mark.parametrize("number", range(25))
def test_random_damage(undamaged: Path, tmp_path: Path, number: int) -> None:
    trial(undamaged, tmp_path / "out", number)


@pytest.mark.parametrize("edit", EDITS)
def test_edits(undamaged: Path, tmp_path: Path, edit: str) -> None:
    """Whatever somebody writes into the store, the numbers are right in the end."""
    trial(undamaged, tmp_path / "out", 0, edit)


@pytest.mark.attack
def test_500_random_damages(undamaged: Path, tmp_path: Path) -> None:
    came = [trial(undamaged, tmp_path / f"out{number}", number) for number in range(25, 525)]
    assert len(came) == 500
    assert came.count("mended") > 250
    print({kind: came.count(kind) for kind in sorted(set(came))})


def test_a_store_that_was_killed_while_it_was_made_is_not_damaged(
    undamaged: Path, tmp_path: Path
) -> None:
    """A journal beside a half written file: SQLite undoes it, and the run begins anew."""
    made = (
        "import os, sqlite3, sys\n"
        "from oversight.running import tables\n"
        "database = tables.connected(__import__('pathlib').Path(sys.argv[1]))\n"
        "database.execute('PRAGMA cache_size = 1')\n"
        "database.execute('BEGIN IMMEDIATE')\n"
        "for statement in tables.CREATE.values(): database.execute(statement)\n"
        "for i in range(9):\n"
        "    row = (b'0' * 16, i, b'0' * 900, b'')\n"
        "    database.execute(tables.INSERT['numbers'], row)\n"
        "os._exit(1)\n"
    )
    folder = tmp_path / "out"
    shutil.copytree(undamaged, folder)
    path = folder / "results.sqlite"
    path.unlink()
    subprocess.run([sys.executable, "-c", made, str(path)], check=False)
    assert path.stat().st_size
    assert path.with_name("results.sqlite-journal").exists()
    ran, text = again(folder)
    assert (len(ran), text) == (REPLICATES, "")
    assert tables(folder) == tables(undamaged)
