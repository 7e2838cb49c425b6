"""Results on disk: an embedded SQLite store that only the parent writes, a manifest, transcripts,
flat exports."""

from __future__ import annotations

import json
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from types import TracebackType
from typing import Any

from oversight.replicate import COLUMNS, Replicate
from oversight.results import DIFFERENCE, Results, Row, write_csv
from oversight.study import Case, Study

SCHEMA = 1
LIBRARIES = ("oversight-simulator", "numpy", "scipy", "networkx", "pydantic", "ruamel.yaml")


class StoreError(Exception):
    """A results folder that cannot be used, in words for the person who named it."""


class Store:
    """A results folder: a row of numbers a case and replicate, under what decides them."""

    def __init__(self, folder: Path, study: Study, database: sqlite3.Connection) -> None:
        self.folder, self.study, self._database = folder, study, database
        self._study = _study(study)
        self._names: dict[Case, str] = {}

    @staticmethod
    def open(folder: Path, study: Study) -> Store:
        """Open or make the folder's store; raises StoreError where the folder cannot hold one."""
        path = folder / "results.sqlite"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(path)
            database.execute("CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT)")
            database.execute(
                "CREATE TABLE IF NOT EXISTS rows (study TEXT, what TEXT, replicate INTEGER, "
                "numbers TEXT, PRIMARY KEY (study, what, replicate))"
            )
            database.execute("INSERT OR IGNORE INTO about VALUES ('schema', ?)", (str(SCHEMA),))
            database.commit()
            (found,) = database.execute("SELECT value FROM about WHERE key = 'schema'").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{folder}: cannot keep results there: {error}") from None
        if int(found) > SCHEMA:
            raise StoreError(
                f"{path}: written by a newer version of this program (schema {found}, this "
                f"reads {SCHEMA})"
            )
        return Store(folder, study, database)

    def of(self, study: Study) -> Store:
        """The same folder, for another study."""
        return self if study is self.study else Store(self.folder, study, self._database)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def finished(self, cases: Iterable[Case]) -> Iterator[Replicate]:
        """What is kept here of these cases, a case and replicate at a time."""
        query = "SELECT replicate, numbers FROM rows WHERE study = ? AND what = ? AND replicate < ?"
        for case in cases:
            asked = (self._study, self._what(case), self.study.replicates)
            for number, numbers in self._database.execute(query, asked):
                yield Replicate(number, {case: tuple(float(v) for v in json.loads(numbers))})

    def keep(self, replicate: Replicate) -> None:
        """Commit what succeeded of one replicate, whole."""
        rows = [  # NaN as NaN: read back by the same library, to the last bit
            (self._study, self._what(case), replicate.number, json.dumps(row))
            for case, row in replicate.rows.items()
        ]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", rows)

    def _what(self, case: Case) -> str:
        if case not in self._names:
            self._names[case] = _what(self.study, case)
        return self._names[case]

    def export(self, results: Results) -> None:
        """Write manifest.json, runs.csv, summary.csv, differences.csv and transcripts/."""
        from oversight.transcripts import transcripts

        (self.folder / "manifest.json").write_text(
            json.dumps(manifest(self.study, results), indent=2, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )
        results.to_csv(self.folder / "runs.csv", runs=True)
        results.to_csv(self.folder / "summary.csv")
        with (self.folder / "differences.csv").open("w", encoding="utf-8", newline="") as file:
            write_csv(file, [*DIFFERENCE], results.differences_rows())
        _parquet(self.folder / "runs.parquet", results.rows)
        _parquet(self.folder / "summary.parquet", results.summary())
        told = self.folder / "transcripts"
        told.mkdir(exist_ok=True)
        for name, text in transcripts(self.study).items():
            (told / f"{file_name(name)}.txt").write_text(text, encoding="utf-8")


def _study(study: Study) -> str:
    """What decides the numbers of every case alike: the study, and the versions that matter."""
    versions = {name: _version(name) for name in LIBRARIES[:3]}
    return json.dumps([study.identity(), versions, list(COLUMNS)])


def _what(study: Study, case: Case) -> str:
    """What decides the numbers of one case: the protocol and the failure it suffers, not their
    names."""
    protocol = study.cells[case.protocol].identity()
    if not case.failure:
        return protocol
    return json.dumps([protocol, study.failures[case.failure].described(), case.severity])


def manifest(study: Study, results: Results) -> dict[str, Any]:
    """What made these results: the scenario as resolved, seeds, versions of everything,
    failures."""
    plugins = {
        f"{group}.{entry.name}": f"{entry.dist.name} {entry.dist.version}"
        if entry.dist
        else "unknown"
        for group in ("mechanisms", "failures", "worlds", "students")
        for entry in entry_points(group=f"oversight.{group}")
    }
    return {
        "scenario": study.resolved(),
        "seed": study.seed,
        "replicates": study.replicates,
        "versions": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **{name: _version(name) for name in LIBRARIES},
        },
        "plugins": dict(sorted(plugins.items())),
        "git_revision": _revision(),
        "failed": [{**vars(failed), "case": failed.case._asdict()} for failed in results.failed],
    }


def _parquet(path: Path, rows: list[Row]) -> None:
    """Rows as Parquet, where the extra `parquet` is installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def file_name(protocol: str) -> str:
    """A protocol's name as a file name."""
    return (
        "".join(c if c.isalnum() or c in "-_. " else "_" for c in protocol)
        .strip()
        .replace(" ", "-")
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _revision() -> str | None:
    """The git revision of the checkout that the program runs from, if it does."""
    folder = Path(__file__).resolve().parent.parent / ".git"
    head = folder / "HEAD"
    if not head.is_file():
        return None
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    ref = folder / text.removeprefix("ref: ")
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None
