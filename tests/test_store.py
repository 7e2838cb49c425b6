"""What `--out` leaves behind."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import oversight
from oversight import Study
from oversight.cli.main import main
from oversight.core.errors import FolderError
from oversight.running import store, tables, workers
from oversight.running.replicate import Replicate
from oversight.studies import fingerprint, identity


def study(replicates: int = 3, **changes: object) -> Study:
    plain: dict[str, object] = {
        "name": "small",
        "replicates": replicates,
        "world": {"train_items": 200, "test_items": 200, "features": 4},
        "protocols": {"unaided": "direct", "de/bate": "debate", "b": "decomposition"},
    }
    return Study.model_validate({**plain, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    flat = ("runs.csv", "summary.csv", "differences.csv")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["date"]
    return {
        "manifest.json": json.dumps(manifest).encode(),
        **{name: (folder / name).read_bytes() for name in flat},
    }


def count_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ran: list[int] = []
    real = workers.run_replicate

    def counted(study: Study, number: int, *cases: Any) -> Replicate:
        ran.append(number)
        return real(study, number, *cases)

    monkeypatch.setattr(workers, "run_replicate", counted)
    return ran


def test_everything_is_there(tmp_path: Path) -> None:
    oversight.compare(study(), out=tmp_path / "a" / "b")
    out = tmp_path / "a" / "b"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["scenario"]["protocols"]["b"]["decomposition"]["aggregate"] == "soft"
    assert set(manifest["versions"]) >= {"python", "numpy", "scipy", "oversight-simulator"}
    assert manifest["seed"] == 0
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + 3 * 3
    assert len((out / "summary.csv").read_text().splitlines()) == 1 + 3
    told = sorted(path.name for path in (out / "transcripts").iterdir())
    assert told == ["b.txt", "de_bate.txt", "unaided.txt"]


def test_parquet_holds_the_same_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    results = oversight.compare(study(), out=tmp_path)
    assert parquet.read_table(tmp_path / "runs.parquet").to_pylist() == results.rows
    assert parquet.read_table(tmp_path / "summary.parquet").to_pylist() == results.summary()


def test_transcripts_tell_what_the_run_did(tmp_path: Path) -> None:
    oversight.compare(study(), out=tmp_path)
    text = (tmp_path / "transcripts" / "de_bate.txt").read_text()
    small = study()
    pool = small.world.pool(0, 0, "train")
    verdicts = small.cells["de/bate"].prepare(pool, small.setting).assess(pool.roots)
    label = "yes" if verdicts.answer[0] else "no"
    assert f"label {label}" in text
    assert f"belief {verdicts.belief[0]:.2f}" in text
    assert "turn 1, for: " in text
    assert "a person" in text


def test_the_same_command_again_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = count_runs(monkeypatch)
    oversight.compare(study(), out=tmp_path)
    first = contents(tmp_path)
    assert ran == [0, 1, 2]
    oversight.compare(study(), out=tmp_path)
    assert ran == [0, 1, 2]
    assert contents(tmp_path) == first
    oversight.compare(study(5), out=tmp_path)
    assert ran == [0, 1, 2, 3, 4]
    fresh = tmp_path / "fresh"
    oversight.compare(study(5), out=fresh)
    assert contents(fresh) == contents(tmp_path)


def test_another_scenario_reuses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = count_runs(monkeypatch)
    oversight.compare(study(2), out=tmp_path)
    for changes in (
        {"seed": 1},
        {"overseer": {"structure": 0.5}},
        {"protocols": {"a": {"debate": {"turns": 5}}}},
    ):
        del ran[:]
        oversight.compare(study(2, **changes), out=tmp_path)
        assert ran == [0, 1]
    del ran[:]
    oversight.compare(study(2, about="told differently"), out=tmp_path)
    assert ran == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FolderError, match="cannot keep results"):
        oversight.compare(study(1), out=tmp_path / "taken" / "x")


def changed_schema(folder: Path, value: str) -> None:
    """As a program of another version would have written it."""
    with sqlite3.connect(folder / "results.sqlite") as database:
        database.execute("DELETE FROM store WHERE key = 'schema'")
        row = tables.checked("store", "schema", value)
        database.execute(tables.INSERT["store"], row)


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    oversight.compare(study(1), out=tmp_path)
    changed_schema(tmp_path, "99")
    done = CliRunner().invoke(
        main, ["compare", "quickstart", "--replicates", "1", "--out", str(tmp_path)]
    )
    assert done.exit_code == 2
    assert "written by another version of this program (schema 99" in done.stderr


def test_a_store_without_the_digest_of_its_code_is_refused(tmp_path: Path) -> None:
    """As the first version of this program wrote it."""
    oversight.compare(study(1), out=tmp_path)
    (tmp_path / "results.sqlite").unlink()
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT)")
        database.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY)")
    before = (tmp_path / "results.sqlite").read_bytes()
    with pytest.raises(FolderError, match="another version of this program, without a digest"):
        oversight.compare(study(1), out=tmp_path)
    assert (tmp_path / "results.sqlite").read_bytes() == before


def test_numbers_of_other_code_are_not_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = count_runs(monkeypatch)
    oversight.compare(study(2), out=tmp_path)
    for module in (identity, store, workers):
        monkeypatch.setattr(module, "of_engine", lambda: "other code")
    with pytest.warns(UserWarning, match="of another version of this program's code"):
        oversight.compare(study(2), out=tmp_path)
    assert ran == [0, 1, 0, 1]
    monkeypatch.undo()
    ran = count_runs(monkeypatch)
    with pytest.warns(UserWarning, match="of another version"):
        oversight.compare(study(2), out=tmp_path)
    assert ran == []


def test_the_engines_digest_covers_every_room() -> None:
    """Workers with another version of any file are refused."""
    root = Path(oversight.__file__).parent
    digested = {path.relative_to(root).as_posix() for path in fingerprint.engine_files()}
    assert digested == {path.relative_to(root).as_posix() for path in root.rglob("*.py")}
    rooms = {path.parent.name for path in root.glob("*/__init__.py")}
    assert len(rooms) >= 15
    assert {name.split("/")[0] for name in digested if "/" in name} == rooms


@pytest.mark.parametrize("run", [oversight.compare, oversight.sweep, oversight.stress])
def test_an_unknown_keyword_names_the_right_ones(run: Any) -> None:
    with pytest.raises(TypeError, match=r"takes no keyword 'job'; it takes .*jobs, out, retry"):
        run(study(1), job=2)
