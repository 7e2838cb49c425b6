"""Files damaged at random: no traceback, no hang, nothing written where one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oversight.cli.main import main
from tests.malformed import SLOW, File, damaged, outcome

COMMANDS = ("compare", "stress", "design", "sensitivity", "check")


def loaded(files: int, seed: int, folder: Path) -> list[tuple[int, str]]:
    """What should not be, of so many damaged files."""
    came = [outcome(file.write(folder)) for file in damaged(seed, files)]
    assert {"loaded", "refused"} <= {one.kind for one in came}
    return [(place, one.bad) for place, one in enumerate(came) if one.bad]


def run(file: File, command: str, folder: Path) -> Result:
    """A command over a damaged file; where it would run, `check` instead, which does not."""
    path = file.write(folder)
    if outcome(path).kind == "loaded":
        command = "check"
    options = [] if command == "check" else ["--out", str(folder / "results")]
    return CliRunner().invoke(main, [command, str(path), *options])


def commanded(files: int, seed: int, folder: Path) -> list[tuple[int, str]]:
    """What should not be, of so many damaged files on the command line."""
    bad = []
    for place, file in enumerate(damaged(seed, files)):
        result = run(file, COMMANDS[place % len(COMMANDS)], folder)
        written = {path.name for path in folder.iterdir()} - {"damaged.yaml", file.tree_name}
        if result.exit_code not in (0, 2) or "Traceback" in result.output:
            bad.append((place, repr(result.exception)))
        if result.exit_code == 2 and (written or result.stdout or not result.stderr):
            bad.append((place, f"{written} written"))
        if file.tree_name:
            (folder / file.tree_name).unlink()
    return bad


def test_a_sample_is_loaded_or_refused(tmp_path: Path) -> None:
    assert loaded(60, 1, tmp_path) == []


def test_a_sample_on_the_command_line(tmp_path: Path) -> None:
    assert commanded(25, 2, tmp_path) == []


def test_a_hang_or_a_traceback_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(damaged(1, 1)).write(tmp_path)
    monkeypatch.setattr("tests.malformed.load", lambda _: [][0])
    assert outcome(path).bad.startswith("IndexError")
    monkeypatch.setattr("tests.malformed.load", lambda _: None)
    clock = iter((0.0, SLOW + 1))
    monkeypatch.setattr("tests.malformed.time.process_time", lambda: next(clock))
    assert outcome(path).bad == "loaded after 3.0 s"


@pytest.mark.attack
@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_are_loaded_or_refused(seed: int, tmp_path: Path) -> None:
    assert loaded(1000, 100 + seed, tmp_path) == []


@pytest.mark.attack
def test_five_hundred_on_the_command_line(tmp_path: Path) -> None:
    assert commanded(500, 200, tmp_path) == []
