"""Words that people try out of habit get what they ask for, or the right command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from oversight.cli.main import main
from oversight.cli.progress import FIRST, THEN, CellCount
from tests.test_bad_input import OK


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("run quickstart", "oversight compare SCENARIO"),
        ("show quickstart", "oversight check --show"),
        ("-v", "--version"),
        ("--quiet compare quickstart", "2>/dev/null"),
        ("compare quickstart -v", "--version"),
        ("compare quickstart --quiet", "2>/dev/null"),
        ("compare quickstart --plot", "--out DIR writes pictures"),
        ("compare quickstart --set seed=3", "a `sweep` section"),
        ("compare quickstart --protocol debate", "leave others out"),
        ("compare weak-60 weak-70", "run compare for each"),
        ("compare debate", "is a mechanism, and no scenario; `oversight list debate`"),
        ("compare collusion", "is a failure, and no scenario"),
        ("list debte", "did you mean 'debate'?"),
    ],
)
def test_a_hint_at_the_right_command(command: str, hint: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert hint in " ".join(result.stderr.split())


def test_an_option_without_a_hint_is_refused_as_ever() -> None:
    result = CliRunner().invoke(main, ["compare", "quickstart", "--replicate", "3"])
    assert result.exit_code == 2
    assert "Did you mean" in result.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("help", "Start with: oversight compare quickstart"),
        ("help compare", "Run every protocol of SCENARIO"),
        ("list debate", "mechanisms:\ndebate  Both sides argue"),
        ("list", "\nscenarios:\n"),
    ],
)
def test_what_was_asked_for(command: str, words: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 0
    assert words in result.stdout


def test_a_failure_that_strikes_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "direct.yaml").write_text(OK)
    result = CliRunner().invoke(
        main,
        [
            "stress",
            str(tmp_path / "direct.yaml"),
            "--failure",
            "collusion",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    assert result.exit_code == 2
    assert "nothing to strike in any protocol: no " in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_lines_of_progress_end_at_the_total(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("oversight.cli.progress.time.monotonic", lambda: now[0])
    with CellCount() as cells:
        cells.planned(630)
        cells.kept(217)
        now[0] = FIRST + 1
        cells.kept(0)
        now[0] += THEN / 2
        cells.kept(413)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["217 of 630 cells", "630 of 630 cells"]


def test_a_short_run_prints_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with CellCount() as cells:
        cells.planned(3)
        cells.kept(3)
    assert capsys.readouterr().err == ""


def test_names_are_no_markup_and_no_formula(tmp_path: Path) -> None:
    names = ["[/] x", "[red]y", "=1+1", "+z", "-z", "@z"]
    small = "oversight: 1\nreplicates: 1\nworld: {train_items: 50, test_items: 50}\nprotocols:\n"
    protocols = "".join(f"  '{name}': direct\n" for name in names)
    (tmp_path / "names.yaml").write_text(small + protocols)
    command = ["compare", str(tmp_path / "names.yaml")]
    table = CliRunner().invoke(main, command)
    assert table.exit_code == 0
    shown = [line.split("  ")[0] for line in table.stdout.splitlines()]
    assert set(names) <= set(shown)
    csv = CliRunner().invoke(main, [*command, "--format", "csv"])
    first = [line.split(",")[1] for line in csv.stdout.splitlines()[1:]]
    assert first == ["[/] x", "[red]y", "'=1+1", "'+z", "'-z", "'@z"]


def test_names_in_pictures_are_no_mathematics(tmp_path: Path) -> None:
    small = "oversight: 1\nreplicates: 2\nworld: {train_items: 50, test_items: 50}\n"
    protocols = "protocols:\n  '$\\bad$': {debate: {turns: 1}}\n  _x: direct\n"
    (tmp_path / "s.yaml").write_text(
        small + protocols + "sweep: {overseer.structure: [0.1, 0.5]}\n"
    )
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["compare", str(tmp_path / "s.yaml"), "--out", str(out)])
    assert result.exit_code == 0, result.exception
    picture = (out / "curves.svg").read_text(encoding="utf-8")
    assert "$\\bad$" in picture
    assert "_x" in picture
