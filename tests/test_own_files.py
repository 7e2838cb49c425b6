"""Only a file that is as the program wrote it is replaced or taken away."""

from __future__ import annotations

import json
import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import oversight
from oversight.cli.main import main
from oversight.core.errors import StoreError
from tests.test_folder import COMMANDS, SMALL, files, study

EDITED = {
    "compare": "summary.csv",
    "sweep": "curves.svg",
    "stress": "transcripts/a_b.txt",
    "design": "front/f1.yaml",
    "sensitivity": "sensitivity.csv",
    "play": "equilibrium.csv",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_file_that_was_edited_is_refused(kind: str, here: Path) -> None:
    """By the command that would replace it, and by one that would take it away."""
    assert CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"]).exit_code == 0
    path = Path("out", EDITED[kind])
    whole = path.read_bytes()
    path.write_bytes(whole + b"# mine\n")
    before = files(Path("out"))
    other = "compare" if kind in ("design", "sensitivity", "play") else "design"
    for again in (kind, other):
        done = CliRunner().invoke(main, [*COMMANDS[again], "--out", "out"])
        assert done.exit_code == 2, done.stderr
        assert f"{path}: is not as this program wrote it; move it away" in done.stderr
        assert files(Path("out")) == before
    path.rename("mine")
    done = CliRunner().invoke(main, [*COMMANDS[kind], "--out", "out"])
    assert done.exit_code == 0, done.stderr
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results.lock", "mine"),
        ("results.part", None),
        ("results.sqlite.part", "mine"),
        ("manifest.json.part", "mine"),
        ("runs.csv", None),
    ],
)
def test_names_that_the_program_needs_are_not_taken(
    name: str, text: str | None, here: Path
) -> None:
    """None stands for a folder of that name, with a file in it."""
    assert CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"]).exit_code == 0
    path = Path("out", name)
    path.unlink(missing_ok=True)
    if text is None:
        path.mkdir()
        (path / "mine").write_text("mine")
    else:
        path.write_text(text)
    before = files(Path("out"))
    done = CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"])
    assert done.exit_code == 2, done.stderr
    assert f"{path}: is " in done.stderr
    assert "move it away to keep it, or name another folder" in done.stderr
    assert files(Path("out")) == before


def test_a_file_where_a_folder_is_needed_is_refused(here: Path) -> None:
    assert CliRunner().invoke(main, [*COMMANDS["sensitivity"], "--out", "out"]).exit_code == 0
    shutil.rmtree("out/transcripts")
    Path("out/transcripts").write_text("mine")
    done = CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"])
    assert done.exit_code == 2
    assert "transcripts: is no folder; move it away" in done.stderr


def test_a_manifest_that_was_edited_is_refused(here: Path) -> None:
    assert CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"]).exit_code == 0
    path = Path("out/manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "notes": "mine"}))
    before = files(Path("out"))
    done = CliRunner().invoke(main, [*COMMANDS["compare"], "--out", "out"])
    assert done.exit_code == 2
    assert "manifest.json: was changed by somebody else" in done.stderr
    assert files(Path("out")) == before


def test_a_file_that_is_edited_while_the_run_goes_on_stays(tmp_path: Path) -> None:
    oversight.compare(study(), out=tmp_path)
    whole = (tmp_path / "summary.csv").read_bytes()

    def edit(_: Any) -> None:
        (tmp_path / "summary.csv").write_text("mine")

    with pytest.raises(StoreError, match=r"not as this program wrote it.*The numbers are kept"):
        oversight.compare(study(replicates=3), out=tmp_path, progress=edit)
    assert (tmp_path / "summary.csv").read_text() == "mine"
    (tmp_path / "summary.csv").unlink()
    ran: list[Any] = []
    oversight.compare(study(), out=tmp_path, progress=ran.append)
    assert ran == []
    assert (tmp_path / "summary.csv").read_bytes() == whole


class Killed(BaseException):
    """Ends a run at once, as a kill does."""


def test_a_run_that_was_killed_while_it_put_files_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every replacement of a file, twice in a row and with other results meanwhile."""
    oversight.compare(study(replicates=3), out=tmp_path / "whole")
    expected = files(tmp_path / "whole")
    replace, remove, left = Path.replace, shutil.rmtree, [0]

    def killed(path: Path, target: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)

    def tidies(path: Path, **how: Any) -> None:
        if left[0] >= 0:  # the dead tidy nothing
            remove(path, **how)

    for moment in range(100):
        out = tmp_path / str(moment)
        left[0] = 10**9
        oversight.compare(study(), out=out)  # with files that will be replaced
        monkeypatch.setattr(shutil, "rmtree", tidies)
        ended = True
        for replicates in (4, 3):
            left[0] = moment
            with suppress(Killed):
                oversight.compare(study(replicates=replicates), out=out)
            ended &= left[0] >= 0
        monkeypatch.setattr(shutil, "rmtree", remove)
        left[0] = 10**9
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # nothing is damaged
            oversight.compare(study(replicates=3), out=out)
        for name in expected.keys() - {"manifest.json", "results.sqlite"}:
            assert (out / name).read_bytes() == expected[name], (moment, name)
        assert files(out).keys() == expected.keys()
        if ended:
            break
    assert moment > 15
