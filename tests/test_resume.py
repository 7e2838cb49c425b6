"""Runs that are killed, folders that are shared, full or old: nothing is lost, nothing differs."""

from __future__ import annotations

import errno
import importlib
import json
import linecache
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import oversight
from oversight import (
    Claims,
    Evidence,
    Mechanism,
    PeopleSettings,
    Results,
    Study,
    Verdicts,
)
from oversight.cli.main import main
from oversight.core.errors import StoreError
from oversight.running import store
from oversight.running.folder import Folder
from oversight.studies import identity
from oversight.studies.cases import Case

SCENARIO = """
oversight: 1
name: small
replicates: {replicates}
world: {{train_items: 150, test_items: 100, features: 4}}
failures:
  flips: {{kind: random_flips, severity: [0.5, 1.0]}}
protocols:
  unaided: {{direct: {{}}}}
  debate: {{debate: {{}}}}
  decomposition: {{decomposition: {{aggregate: hard}}}}
"""
FLAT = ("runs.csv", "summary.csv", "differences.csv")
KILLS = 20


def study(replicates: int = 3, **changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": replicates,
        "world": {"train_items": 150, "test_items": 100, "features": 4},
        "protocols": {"unaided": "direct", "debate": "debate"},
    }
    return Study.model_validate({**plain, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FLAT}


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "oversight", "compare", "small.yaml", "--failures", *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Who runs the tests in the background may have them ignore Ctrl-C; children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def scenario(folder: Path, replicates: int) -> None:
    (folder / "small.yaml").write_text(SCENARIO.format(replicates=replicates))


@pytest.mark.slow
def test_kill_nine_at_any_moment(tmp_path: Path) -> None:
    """The same command, again and again: bytes as if nobody had interrupted."""
    scenario(tmp_path, 40)
    whole = started(tmp_path, "--out", "whole")
    begun = time.monotonic()
    assert whole.wait() == 0
    took = time.monotonic() - begun
    luck, kills, folder = random.Random(7), 0, 0
    while kills < KILLS:
        folder += 1
        out, jobs = f"out{folder}", ("-j", "2") if folder % 2 else ()
        for _ in range(6):
            run = started(tmp_path, "--out", out, *jobs)
            time.sleep(luck.uniform(0.3, 0.8) * took)
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                kills += 1
            run.wait()
        assert started(tmp_path, "--out", out, *jobs).wait() == 0
        assert contents(tmp_path / out) == contents(tmp_path / "whole")


def test_interrupting_says_how_to_go_on(tmp_path: Path) -> None:
    scenario(tmp_path, 100_000)
    for more, says in (
        (("--out", "kept"), "is kept in kept; the same command goes on from there"),
        (("-j", "2", "--out", "kept"), "is kept in kept"),
        ((), "without --out DIR nothing is kept"),
    ):
        before = kept(tmp_path / "kept")
        run = started(tmp_path, *more)
        end = time.monotonic() + (30 if more else 6)
        while time.monotonic() < end and kept(tmp_path / "kept") == before:
            time.sleep(0.1)
        os.kill(run.pid, signal.SIGINT)
        _, told = run.communicate(timeout=30)
        assert run.returncode == 130, told
        assert "interrupted: " in told
        assert says in told
        assert "Traceback" not in told


def kept(folder: Path) -> int:
    """How many rows of numbers a folder has."""
    try:
        with sqlite3.connect(f"file:{folder}/results.sqlite?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM numbers").fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    scenario(tmp_path, 100_000)
    run = started(tmp_path, "-j", "2")
    children: list[int] = []
    end = time.monotonic() + 30
    while len(children) < 3 and time.monotonic() < end:  # a tracker of resources, two workers
        time.sleep(0.2)
        listed = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        children = [int(pid) for pid in listed]
    time.sleep(1.5)  # let them begin
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    while any(alive(pid) for pid in children) and time.monotonic() < end + 30:
        time.sleep(0.1)
    assert len(children) >= 2
    assert not [pid for pid in children if alive(pid)]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_two_runs_on_one_folder(tmp_path: Path) -> None:
    held = Folder.open(tmp_path, "compare")
    with pytest.raises(StoreError, match="another run is writing there"):
        Folder.open(tmp_path, "compare")
    arguments = ["compare", "quickstart", "--replicates", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "another run is writing there" in done.stderr
    held.release()
    oversight.compare(study(1), out=tmp_path)


def test_a_killed_run_leaves_no_lock(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from oversight.running.folder import Folder\n"
        "held = Folder.open(Path(sys.argv[1]), 'compare'); print('held', flush=True)\n"
        "time.sleep(60)"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match="another run"):
        Folder.open(tmp_path, "compare")
    run.kill()
    run.wait()
    Folder.open(tmp_path, "compare").release()


def test_a_full_disk(tmp_path: Path) -> None:
    """Writing fails on the way; what was written before is there, and the run goes on later."""
    scenario(tmp_path, 60)
    assert started(tmp_path, "--out", "whole").wait() == 0
    (tmp_path / "full").mkdir()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    command = [sys.executable, "-m", "oversight", "compare", "small.yaml", "--failures"]
    done = subprocess.run(
        [*command, "--out", "full"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=limited,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot write results" in done.stderr
    assert "move it away" not in done.stderr
    assert "Traceback" not in done.stderr
    with sqlite3.connect(tmp_path / "full" / "results.sqlite") as database:
        (kept,) = database.execute("SELECT count(*) FROM numbers").fetchone()
    assert 0 < kept < 60 * 9
    assert started(tmp_path, "--out", "full").wait() == 0
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")


@pytest.mark.parametrize("step", ["open", "replace", "mkdir"])
def test_tables_that_cannot_be_written(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk after the numbers are kept: older tables stand until new ones can."""
    oversight.compare(study(), out=tmp_path)
    before = contents(tmp_path)
    working = getattr(Path, step)

    def full(path: Path, *values: Any, **named: Any) -> Any:
        if "results.part" in path.parts and (step != "open" or "w" in values):
            raise OSError(errno.ENOSPC, "No space left on device")
        return working(path, *values, **named)

    monkeypatch.setattr(Path, step, full)
    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        oversight.compare(study(4), out=tmp_path)
    monkeypatch.undo()
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob("*.part"))
    ran: list[int] = []
    oversight.compare(study(4), out=tmp_path, progress=lambda done: ran.append(done.number))
    assert ran == []
    assert contents(tmp_path) != before


@pytest.mark.parametrize("text", [b"something else altogether" * 99, b"not a database", b"\0"])
def test_a_store_that_is_no_database(text: bytes, tmp_path: Path) -> None:
    """It is kept aside, and the run starts anew."""
    oversight.compare(study(), out=tmp_path)
    before = contents(tmp_path)
    (tmp_path / "results.sqlite").write_bytes(text)
    ran: list[int] = []
    with pytest.warns(UserWarning, match=r"file is now results.damaged-1.sqlite"):
        oversight.compare(study(), out=tmp_path, progress=lambda done: ran.append(done.number))
    assert ran == [0, 1, 2]
    assert (tmp_path / "results.damaged-1.sqlite").read_bytes() == text
    assert contents(tmp_path) == before


def test_numbers_need_not_fit_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = oversight.compare(study(20), out=tmp_path / "a")
    monkeypatch.setattr(store, "ROOM", 1)
    monkeypatch.setattr(oversight.findings.results, "ROWS", 3)
    little = oversight.compare(study(20), out=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert whole.rows == little.rows


def test_results_can_be_read_without_a_folder() -> None:
    results: Results = oversight.compare(study())
    assert len(results.rows) == 6
    with pytest.raises(KeyError, match="no results of 'nobody'"):
        results.column("nobody", "brier")


class Fragile(Mechanism):
    name = "fragile"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.pool.draws.key[1] == 1 and not os.environ.get("OVERSIGHT_TEST_MENDED"):
            raise ZeroDivisionError("a bug of its author")
        return Verdicts.of(np.where(self.pool.gold, 1.0, -1.0)[claims.item])


def test_what_failed_is_kept_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = study()
    mixed = whole.model_copy(update={"protocols": {**whole.protocols, "fragile": Fragile()}})
    first = oversight.compare(mixed, out=tmp_path)
    (lost,) = first.failed
    assert (lost.case, lost.replicate) == (Case("fragile"), 1)
    assert lost.error == "ZeroDivisionError: a bug of its author"
    assert "test_resume.py:" in lost.origin
    assert "raise ZeroDivisionError" in lost.traceback
    monkeypatch.setenv("OVERSIGHT_TEST_MENDED", "1")
    ran: list[int] = []
    again = oversight.compare(mixed, out=tmp_path, progress=lambda done: ran.append(done.number))
    assert (ran, again.failed) == ([], [lost])
    told = json.loads((tmp_path / "manifest.json").read_text())["failed"]
    assert told[0]["traceback"][-1] == "ZeroDivisionError: a bug of its author"
    mended = oversight.compare(
        mixed, out=tmp_path, retry=True, progress=lambda done: ran.append(done.number)
    )
    assert (ran, mended.failed) == ([1], [])


def test_identity_covers_what_decides_and_nothing_else(tmp_path: Path) -> None:
    class More(PeopleSettings):
        mood: float = 0.0

    plain = study()
    for same in (
        study(overseer={"structure": 0.6}, replicates=7, about="else", name="other"),
        plain.model_copy(update={"overseer": More()}),
        plain.model_copy(update={"protocols": dict(reversed(plain.protocols.items()))}),
    ):
        assert identity.of_study(same) == identity.of_study(plain)
        assert identity.of_case(same, Case("debate")) == identity.of_case(plain, Case("debate"))
    for other in (
        study(seed=1),
        study(overseer={"structure": 0.5}),
        study(desk={}),
        study(world={"train_items": 151, "test_items": 100, "features": 4}),
        plain.model_copy(update={"overseer": More(mood=0.1)}),
    ):
        assert identity.of_study(other) != identity.of_study(plain)


MODULE = '''
"""A plugin{words}."""
from oversight import Mechanism, Verdicts
import made_of
class Made(Mechanism):
    """It says yes{words}."""
    name = "made"
    def assess(self, claims, evidence=None):  # {words}
        return Verdicts.of(claims.item * 0 + {number} * made_of.SIGN)
'''


def test_the_code_of_a_plugin_is_part_of_it_and_its_words_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    done = []
    texts = (("", 1.0, 1), (", or so", 1.0, 1), ("", 2.0, 1), ("", 1.0, -1))
    for i, (words, number, sign) in enumerate(texts):
        # A module's name is told too; so the same name each time.
        (tmp_path / "made_up.py").write_text(MODULE.format(words=words, number=number))
        (tmp_path / "made_of.py").write_text(f"SIGN = {sign}")
        for name in ("made_up", "made_of"):
            sys.modules.pop(name, None)
            os.utime(tmp_path / f"{name}.py", (i, i))
        linecache.clearcache()
        importlib.invalidate_caches()
        made = importlib.import_module("made_up").Made()
        of = study().model_copy(update={"protocols": {"made": made}})
        done.append(identity.of_case(of, Case("made")))
    assert done[0] == done[1]
    assert len(set(done)) == 3  # what it imports is part of it


SCRIPT = """
from dataclasses import replace
import sys, oversight
from mechanisms.direct import Direct
def twist(verdicts):
    return replace(verdicts, evidence={sign} * verdicts.evidence)
class Mine(Direct):
    name = "mine"
    def assess(self, claims, evidence=None):
        return twist(super().assess(claims, evidence))
made = {{}}
exec("from __main__ import Mine as Base\\nclass Other(Base):\\n    name = 'other'\\n", made)
from oversight import Study
world = {{"train_items": 100, "test_items": 100, "features": 4}}
study = Study(protocols={{"mine": Mine(), "other": made["Other"]()}}, replicates=1, world=world)
ran = []
oversight.compare(study, out=sys.argv[1], progress=lambda replicate: ran.extend(replicate.rows))
print(sorted(case.protocol for case in ran))
"""


def test_a_script_is_part_of_the_mechanisms_in_it(tmp_path: Path) -> None:
    """All of it; and what has no source to read is run again."""
    script = tmp_path / "script.py"
    for sign, expected in ((1, ["mine", "other", "unaided"]), (1, ["other"]), (-1, None)):
        script.write_text(SCRIPT.format(sign=sign))
        command = [sys.executable, str(script), str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(expected or ["mine", "other"])
