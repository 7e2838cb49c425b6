"""`--out` never touches what the program did not write, and says what a folder comes from."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

import oversight
from oversight import Study
from oversight.analyses.analyzing import analyze
from oversight.analyses.designing import design
from oversight.cli.main import main
from oversight.core.errors import FolderError, StoreError
from oversight.running import tables
from oversight.studies.revision import revision, revision_of

SMALL = """
oversight: 1
name: small
replicates: 2
world: {train_items: 400, test_items: 400, features: 3}
failures:
  flips: {kind: random_flips, severity: [0.5]}
protocols:
  unaided: {direct: {}}
  a/b: {debate: {}}
  a_b: {debate: {turns: 3}}
design: {evaluations: 3, batch: 3, replicates: 2, depth: 1, mechanisms: [direct, debate]}
"""
COMMANDS = {
    "compare": ("compare", "small.yaml"),
    "sweep": ("compare", "small.yaml", "--hours", "1", "2"),
    "stress": ("stress", "small.yaml", "--tolerance", "0.5"),
    "design": ("design", "small.yaml"),
    "sensitivity": (
        *("sensitivity", "small.yaml", "--samples", "2", "--replicates", "1"),
        *("--knob", "overseer.structure=0.2:0.8"),
    ),
    "play": ("play", "small.yaml", "--loss", "label"),
}


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 2,
        "world": {"train_items": 60, "test_items": 60, "features": 3},
        "protocols": {"unaided": "direct", "debate": "debate"},
    }
    return Study.model_validate({**plain, **changes})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_manifest_says_what_was_run_and_when(kind: str, here: Path) -> None:
    done = CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"])
    assert done.exit_code == 0, done.stderr
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["kind"] == kind
    assert manifest["command"]
    assert manifest["date"].startswith("20")
    assert manifest["engine"]
    assert manifest["git_revision"] or manifest["git_revision_from"].startswith("none: ")
    own = {"manifest.json", "results.sqlite", "results.lock"}
    assert {*manifest["files"]} | own == files(Path("out")).keys()


def test_the_command_line_is_that_of_the_process(here: Path) -> None:
    words = ["compare", "small.yaml", "--replicates", "1", "--out", "out"]
    run = [sys.executable, "-m", "oversight", *words]
    subprocess.run(run, check=True, capture_output=True)
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["command"] == "oversight " + " ".join(words)


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("name", ["summary.csv", "transcripts/interview.txt", "front/f1.yaml", "x"])
def test_a_folder_of_somebody_else_is_refused(kind: str, name: str, here: Path) -> None:
    own = Path("out", name)
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    done = CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"])
    assert done.exit_code == 2
    assert "which this program did not write; expected an empty or new folder" in done.stderr
    assert files(Path("out")) == {name: b"mine"}


def test_files_beside_our_own_stay(here: Path) -> None:
    """Every command after every other takes its own files away, and no others."""
    users = ["notes.txt", "transcripts/interview.txt", "timelines/day.svg", "front/mine.yaml"]
    for kind in COMMANDS:
        done = CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"])
        assert done.exit_code == 0, done.stderr
        for name in users:
            Path("out", name).parent.mkdir(exist_ok=True)
            Path("out", name).write_text("mine")
        listed = json.loads(Path("out/manifest.json").read_text())["files"]
        own = {"manifest.json", "results.sqlite", "results.lock"}
        assert {*listed, *users} | own == files(Path("out")).keys()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("compare", "transcripts/a_b.txt"),
        ("sweep", "curves.svg"),
        ("stress", "breaks.csv"),
        ("design", "front/f1.yaml"),
        ("sensitivity", "sensitivity.csv"),
        ("play", "worst.csv"),
    ],
)
def test_a_file_in_the_way_is_refused_before_anything_runs(
    kind: str, name: str, here: Path
) -> None:
    other = "compare" if kind != "compare" else "design"
    assert CliRunner().invoke(main, [*COMMANDS[other], "--out", "out"]).exit_code == 0
    Path("out", name).parent.mkdir(exist_ok=True)
    Path("out", name).write_text("mine")
    before = files(Path("out"))
    done = CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"])
    assert done.exit_code == 2
    assert f"{name}: is in the way" in done.stderr
    assert files(Path("out")) == before


def test_no_name_is_no_folder(here: Path) -> None:
    for kind, words in COMMANDS.items():
        done = CliRunner().invoke(main, [*words, "--out", ""])
        assert done.exit_code == 2, kind
        assert "expected the name of a folder" in done.stderr
    with pytest.raises(FolderError, match="expected the name of a folder"):
        oversight.compare(study(), out="")
    assert os.listdir(here) == ["small.yaml"]


def test_protocols_have_files_of_their_own(here: Path) -> None:
    oversight.compare(oversight.load("small.yaml"), out="out")
    texts = {p.name: p.read_text().splitlines()[0] for p in Path("out/transcripts").iterdir()}
    assert texts == {"unaided.txt": "unaided", "a_b.txt": "a/b", "a_b-2.txt": "a_b"}


def test_a_folder_that_cannot_be_written_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on read-only media: no lock, no journal, no export."""
    first = oversight.compare(study(), out=tmp_path)
    before = files(tmp_path)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(FileLock, "acquire", refused)
    again = oversight.compare(study(), out=tmp_path)
    assert again.rows == first.rows
    assert files(tmp_path) == before
    with pytest.raises(StoreError, match="cannot write results"):
        oversight.compare(study(replicates=3), out=tmp_path)
    assert files(tmp_path) == before


def test_another_program_that_reads_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PATIENCE", 0.1)
    first = oversight.compare(study(), out=tmp_path)
    reader = sqlite3.connect(tmp_path / "results.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM numbers").fetchone()
    assert oversight.compare(study(), out=tmp_path).rows == first.rows
    with pytest.raises(StoreError, match="another program holds it"):
        oversight.compare(study(replicates=3), out=tmp_path)
    reader.close()
    oversight.compare(study(replicates=3), out=tmp_path)


def test_a_locked_store_is_no_bad_input(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PATIENCE", 0.1)
    assert CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"]).exit_code == 0
    holder = sqlite3.connect("out/results.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"])
    assert done.exit_code == 1
    assert "another program holds it" in done.stderr
    assert "move it away" not in done.stderr


def test_the_revision_is_right_in_any_checkout(tmp_path: Path) -> None:
    def git(*words: str, at: Path = tmp_path / "main") -> str:
        own = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main"]
        run = subprocess.run(
            ["git", *own, *words], cwd=at, check=True, capture_output=True, text=True
        )
        return run.stdout.strip()

    (tmp_path / "main").mkdir()
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert revision_of(tmp_path / "main" / ".git") == head
    git("pack-refs", "--all")
    assert not (tmp_path / "main" / ".git" / "refs" / "heads" / "main").exists()
    assert revision_of(tmp_path / "main" / ".git") == head
    git("worktree", "add", "-q", "-b", "other", "../tree")
    git("commit", "-q", "--allow-empty", "-m", "two", at=tmp_path / "tree")
    other = git("rev-parse", "HEAD", at=tmp_path / "tree")
    assert revision_of(tmp_path / "tree" / ".git") == other != head
    git("checkout", "-q", "--detach")
    assert revision_of(tmp_path / "main" / ".git") == head
    assert revision_of(tmp_path / "nothing" / ".git") is None


def test_a_built_package_knows_its_revision(tmp_path: Path) -> None:
    built = tmp_path / "built_from.txt"
    built.write_text("0" * 40 + "\n")
    assert revision(tmp_path, built)["git_revision"] == "0" * 40
    nothing = revision(tmp_path, tmp_path / "none")
    assert nothing["git_revision"] is None
    assert str(nothing["git_revision_from"]).startswith("none: ")


@pytest.mark.parametrize("space", ["depth: 1, mechanisms: [direct, debate]", "depth: 2"])
def test_a_budget_below_every_protocol_is_refused_at_once(space: str, here: Path) -> None:
    """Before anything runs, and nothing is written."""
    cut = SMALL.index("design:")
    Path("small.yaml").write_text(SMALL[:cut] + f"design: {{evaluations: 16, {space}}}\n")
    done = CliRunner().invoke(main, ["design", "small.yaml", "--minutes", "0.001", "--out", "out"])
    assert done.exit_code == 2, done.stderr
    assert "at most 0.001 human minutes an item; the cheapest, " in done.stderr
    assert "protocols tried" not in done.stderr
    assert not Path("out").exists()


def test_a_search_that_comes_to_nothing_keeps_what_it_tried(here: Path) -> None:
    cut = SMALL.index("design:")
    few = SMALL[:cut].replace("400", "20")
    Path("small.yaml").write_text(few + SMALL[cut:])
    done = CliRunner().invoke(main, ["design", "small.yaml", "--out", "out"])
    assert done.exit_code == 1
    assert "What was tried is kept in out" in done.stderr
    rows = sqlite3.connect("out/results.sqlite").execute("SELECT count(*) FROM numbers")
    assert rows.fetchone()[0] > 0
    assert json.loads(Path("out/manifest.json").read_text())["kind"] == "design"


@pytest.mark.parametrize("run", [oversight.compare, oversight.stress, design, analyze])
def test_functions_refuse_the_same(run: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match="did not write"):
        run(study(), out=tmp_path)
    assert files(tmp_path) == {"mine.txt": b"mine"}
