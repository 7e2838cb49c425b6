"""What a results folder holds beside the store: a manifest, flat tables, transcripts, timelines."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from unicodedata import normalize

from oversight.core.columns import Column, names
from oversight.core.files import replacing, write, writing
from oversight.findings import columns
from oversight.findings.results import Results
from oversight.findings.rows import Row, write_csv
from oversight.reports.timeline import picture
from oversight.running.failed import Failed
from oversight.running.folder import Folder
from oversight.running.transcripts import timetables, transcripts
from oversight.studies.fingerprint import installed, of_engine
from oversight.studies.revision import revision
from oversight.studies.study import Study

LIBRARIES = (
    "oversight-simulator",
    "numpy",
    "scipy",
    "networkx",
    "pydantic",
    "ruamel.yaml",
    "simpy",
)
TABLES = ("runs.csv", "summary.csv", "differences.csv", "runs.parquet", "summary.parquet")
"""What `compare` writes, besides transcripts and timelines."""
LONGEST = 200
"""Bytes of a protocol's name in a file name."""


def names_of(study: Study, *tables: str) -> list[str]:
    """What a folder may hold of a study: these tables, curves, transcripts and timelines."""
    curves = ["curves.csv"] if study.student.curve and "runs.csv" in tables else []
    files = file_names(study.cells).values()
    texts = [f"transcripts/{file}.txt" for file in files]
    days = [f"timelines/{file}.svg" for file in files if study.desk is not None]
    return [*tables, *curves, *texts, *days]


@contextmanager
def exporting(
    folder: Folder, study: Study, failed: Iterable[Failed], texts: bool = True
) -> Iterator[Path]:
    """Write what the caller writes to the path and, with `texts`, transcripts and timelines. In the
    end all that takes the place of what earlier runs left there."""
    with folder.renewing(manifest(study, failed)) as path:
        for name, text in _texts(study).items() if texts else ():
            write(path / name, text)
        yield path


def _texts(study: Study) -> dict[str, str]:
    """Transcripts and timelines, by file."""
    files = file_names(study.cells)
    texts = {f"transcripts/{files[name]}.txt": text for name, text in transcripts(study).items()}
    if study.desk is not None:
        for name, table in timetables(study):
            svg = picture(f"{study.name}: {name}", study.desk, table)
            texts[f"timelines/{files[name]}.svg"] = svg
    return texts


def write_tables(results: Results, folder: Path) -> None:
    """Write the tables of a study, those of TABLES, and the curves of a student that has some."""
    results.to_csv(folder / "runs.csv", runs=True)
    results.to_csv(folder / "summary.csv")
    with writing(folder / "differences.csv") as file:
        write_csv(file, names(columns.DIFFERENCE), results.differences_rows())
    if results.study.student.curve:
        with writing(folder / "curves.csv") as file:
            write_csv(file, names(columns.CURVES), results.curves())
    parquet(folder / "runs.parquet", results.run_columns, results.row_blocks())
    parquet(folder / "summary.parquet", results.summary_columns, [results.summary()])


def manifest(study: Study, failed: Iterable[Failed]) -> dict[str, object]:
    """What these results come from: the scenario as resolved, seeds, versions of everything,
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
            **{name: installed(name) for name in LIBRARIES},
        },
        "plugins": dict(sorted(plugins.items())),
        "engine": of_engine(),
        **revision(),
        "failed": [
            {**vars(lost), "case": lost.case._asdict(), "traceback": lost.traceback.splitlines()}
            for lost in failed
        ],
    }


def parquet(path: Path, declared: Iterable[Column], blocks: Iterable[list[Row]]) -> None:
    """Rows as Parquet, a block at a time, in the types that their columns declare; nothing where
    the extra `parquet` is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "flag": pyarrow.bool_(),
    }
    with replacing(path) as part:
        schema = pyarrow.schema([(column.name, types[column.kind]) for column in declared])
        with pyarrow.parquet.ParquetWriter(part, schema) as writer:
            for rows in filter(None, blocks):
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


def file_names(protocols: Iterable[str]) -> dict[str, str]:
    """A file name for each protocol, no two alike even where case does not count.

    >>> list(file_names(["debate at the leaves, 3/4", "a/b", "a_b", "A_b"]).values())
    ['debate-at-the-leaves_-3_4', 'a_b', 'a_b-2', 'A_b-3']
    """
    files: dict[str, str] = {}
    taken: set[str] = set()
    for name in protocols:
        plain = "".join(c if c.isalnum() or c in "-_. " else "_" for c in name)
        plain = plain.strip().replace(" ", "-").encode()[:LONGEST].decode(errors="ignore")
        file, number = plain, 1
        while (alike := normalize("NFKC", file).casefold()) in taken:
            number += 1
            file = f"{plain}-{number}"
        taken.add(alike)
        files[name] = file
    return files
