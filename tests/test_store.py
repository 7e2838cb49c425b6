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
from oversight.core.errors import StoreError
from oversight.running import workers
from oversight.running.replicate import Replicate
from oversight.running.store import Store
from oversight.studies import fingerprint
from oversight.studies.cases import Case


def study(replicates: int = 3, **changes: object) -> Study:
    plain: dict[str, object] = {
        "name": "small",
        "replicates": replicates,
        "world": {"train_items": 200, "test_items": 200, "features": 4},
        "protocols": {"unaided": "direct", "de/bate": "debate", "b": "decomposition"},
    }
    return Study.model_validate({**plain, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    flat = ("runs.csv", "summary.csv", "differences.csv", "manifest.json")
    return {name: (folder / name).read_bytes() for name in flat}


def count_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    ran: list[int] = []
    real = workers.run_replicate

    def counted(study: Study, number: int, cases: list[Case]) -> Replicate:
        ran.append(number)
        return real(study, number, cases)

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
    with pytest.raises(StoreError, match="cannot keep results"):
        Store.open(tmp_path / "taken" / "x")


def test_a_store_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "results.sqlite").write_text("not a database at all, but long enough to be read")
    with pytest.raises(StoreError, match="cannot keep results"):
        Store.open(tmp_path)


def test_a_store_from_the_future_is_refused(tmp_path: Path) -> None:
    oversight.compare(study(1), out=tmp_path)
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE about SET value = '99' WHERE key = 'schema'")
    done = CliRunner().invoke(
        main, ["compare", "quickstart", "--replicates", "1", "--out", str(tmp_path)]
    )
    assert done.exit_code == 2
    assert "written by a newer version" in done.stderr


def test_the_engines_digest_covers_every_room() -> None:
    """Workers with another version of any file are refused."""
    root = Path(oversight.__file__).parent
    digested = {path.relative_to(root).as_posix() for path in fingerprint.engine_files()}
    assert digested == {path.relative_to(root).as_posix() for path in root.rglob("*.py")}
    rooms = {path.parent.name for path in root.glob("*/__init__.py")}
    assert len(rooms) >= 15
    assert {name.split("/")[0] for name in digested if "/" in name} == rooms


def test_a_store_of_another_schema_is_refused(tmp_path: Path) -> None:
    oversight.compare(study(1), out=tmp_path)
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE about SET value = '1' WHERE key = 'schema'")
    with pytest.raises(StoreError, match="reads schema 2; move it away, or name another folder"):
        Store.open(tmp_path)


@pytest.mark.parametrize("run", [oversight.compare, oversight.sweep, oversight.stress])
def test_an_unknown_keyword_names_the_right_ones(run: Any) -> None:
    with pytest.raises(TypeError, match=r"takes no keyword 'job'; it takes .*jobs, out, retry"):
        run(study(1), job=2)
