"""Exit status 2 promises that nothing is written: what is refused is refused before."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import oversight
from oversight import Claims, Evidence, Mechanism, Study, Verdicts
from oversight.analyses.playing import play
from oversight.analyses.stressing import stress
from oversight.cli import options
from oversight.cli.main import main
from oversight.core.errors import OptionError, PlayError, WorkersError
from oversight.running.processes import Processes

SMALL = """
oversight: 1
name: small
replicates: 2
world: {train_items: 60, test_items: 60, features: 8}
student: {features: 2}
protocols: {unaided: direct, debate: debate}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, out: str = "new/out") -> Result:
    return CliRunner().invoke(main, [words[0], "small.yaml", *words[1:], "--out", out])


def given(monkeypatch: pytest.MonkeyPatch, protocol: Mechanism) -> None:
    """Have the command line read a study with this protocol."""
    study = oversight.load("small.yaml").model_copy(update={"protocols": {"mine": protocol}})
    monkeypatch.setattr(options, "load", lambda scenario: study)


def test_ranges_that_clash_only_inside_are_refused_before_anything_runs(here: Path) -> None:
    """Every end fits the scenario as it is; features of world and student do not go together."""
    knobs = ("--knob", "world.features=2:8", "--knob", "student.features=2:8")
    done = run("sensitivity", "--samples", "8", *knobs)
    assert done.exit_code == 2, done.stderr
    assert "ranges that do not go together: " in done.stderr
    assert not Path("new").exists()
    assert run("sensitivity", "--samples", "2", knobs[0], knobs[1]).exit_code == 0


def test_an_empty_space_is_refused_before_anything_runs(here: Path) -> None:
    empty = "design: {mechanisms: [debate], knobs: {debate: {turns: [-1]}}}\n"
    Path("small.yaml").write_text(SMALL + empty)
    done = run("design")
    assert done.exit_code == 2, done.stderr
    assert "the space holds no protocol" in done.stderr
    assert not Path("new").exists()


def test_what_cannot_be_sent_is_refused_before_anything_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Local(Mechanism):
        name = "local"

        def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
            return Verdicts.of(claims.item * 0.0 + 1.0)

    given(monkeypatch, Local())
    done = run("compare", "-j", "2")
    assert done.exit_code == 2, done.stderr
    assert "cannot be sent to worker processes" in done.stderr
    assert not Path("new").exists()


def test_workers_without_a_plugin_are_refused_before_anything_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    plugin = "from mechanisms.direct import Direct\nclass Mine(Direct):\n    name = 'mine'\n"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        Path("plugin_there.py").write_text(plugin)
        monkeypatch.syspath_prepend(here)
        import plugin_there  # type: ignore[import-not-found]

        given(monkeypatch, plugin_there.Mine())
        done = run("compare", "--cluster", cluster.scheduler_address)
    assert done.exit_code == 2, done.stderr
    assert "cannot load 'mine'" in done.stderr
    assert not Path("new").exists()


def test_workers_that_cannot_go_on_are_no_bad_input(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: Any) -> Any:
        raise WorkersError("worker processes die as soon as they start (out of memory, or killed)")

    monkeypatch.setattr(Processes, "submit", dead)
    done = run("compare", "-j", "2")
    assert done.exit_code == 1
    assert "die as soon as they start" in done.stderr
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert run("compare").exit_code == 0


def test_a_folder_that_cannot_be_made_leaves_no_part_of_itself(here: Path) -> None:
    done = run("compare", out=f"new/{'x' * 300}/out")
    assert done.exit_code == 2, done.stderr
    assert "cannot keep results there" in done.stderr
    assert not Path("new").exists()


def test_a_store_of_another_version_stays_alone(here: Path) -> None:
    assert run("compare").exit_code == 0
    for path in Path("new/out").rglob("*"):
        if path.is_file() and path.name != "results.sqlite":
            path.unlink()
    for folder in ("transcripts",):
        Path("new/out", folder).rmdir()
    store = sqlite3.connect("new/out/results.sqlite")
    with store:
        from oversight.running.tables import checked

        store.execute("DELETE FROM store WHERE key = 'schema'")
        store.execute("INSERT INTO store VALUES (?, ?, ?)", checked("store", "schema", "99"))
    store.close()
    done = run("compare")
    assert done.exit_code == 2, done.stderr
    assert "written by another version of this program (schema 99" in done.stderr
    assert [path.name for path in Path("new/out").iterdir()] == ["results.sqlite"]


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 1), (errno.EACCES, 2)], ids=["full", "forbidden"]
)
@pytest.mark.parametrize("kind", ["scenario", "mechanism"])
def test_what_cannot_be_started_leaves_nothing(
    kind: str, number: int, status: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", refused)
    done = CliRunner().invoke(main, ["new", kind, "mine", "--into", "new/deeper"])
    assert done.exit_code == status
    assert f"cannot be written: {os.strerror(number)}" in done.stderr
    assert os.listdir() == ["small.yaml"]


SMALLEST: dict[str, Any] = {
    "replicates": 2,
    "world": {"train_items": 60, "test_items": 60, "features": 3},
    "protocols": {"unaided": "direct"},
}


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), 0.0, -0.02, 1e-9, 0.6])
def test_a_tolerance_that_is_none_is_refused(tolerance: float, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"expected a number from 0\.001 to 0\.5"):
        stress(Study.model_validate(SMALLEST), tolerance=tolerance, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), 0.0, -0.02])
def test_a_tolerance_of_a_game_is_refused_too(tolerance: float, tmp_path: Path) -> None:
    with pytest.raises(PlayError, match="expected a number above 0, at most 1"):
        play(Study.model_validate(SMALLEST), tolerance=tolerance, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_game_without_rows_is_refused_before_anything_runs(here: Path) -> None:
    Path("small.yaml").write_text(SMALL.replace(", debate: debate", ""))
    done = run("play", "--loss", "harm")
    assert done.exit_code == 2
    assert "harm is no loss of the unaided overseer" in done.stderr
    assert not Path("new").exists()


def test_failures_that_strike_nothing_are_refused_in_python_too(tmp_path: Path) -> None:
    study = Study.model_validate(SMALLEST)
    with pytest.raises(OptionError, match="nothing to strike in any protocol: no "):
        stress(study, only=["collusion"], out=tmp_path / "out")
    with pytest.raises(OptionError, match="tries no failure 'colusion'; did you mean 'collusion'"):
        stress(study, only=["colusion"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("precision", [float("nan"), float("inf"), 0.0, -1.0])
@pytest.mark.parametrize("function", [oversight.compare, oversight.sweep])
def test_a_precision_that_is_none_is_refused(function: Any, precision: float) -> None:
    with pytest.raises(OptionError, match=r"expected half an interval, like 0\.02"):
        function(Study.model_validate(SMALLEST), precision=precision)
    with pytest.raises(OptionError, match="expected at least 1 replicate"):
        function(Study.model_validate(SMALLEST), precision=0.1, most=0)
