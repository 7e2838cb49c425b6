"""What a results folder holds beside the store: a manifest, flat tables, transcripts, timelines."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from oversight.core.columns import Column, names
from oversight.core.files import replacing, write, writing
from oversight.findings import columns
from oversight.findings.results import Results, Row, write_csv
from oversight.reports.timeline import picture
from oversight.running.failed import Failed
from oversight.running.transcripts import timetables, transcripts
from oversight.studies.cases import Case
from oversight.studies.fingerprint import installed
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


def export(results: Results, folder: Path) -> None:
    """Write manifest.json, runs.csv, summary.csv, differences.csv, transcripts/ and, of a desk,
    timelines/; the tables as Parquet too. What a sweep left there is taken away."""
    study = results.study
    export_study(study, results.failed, folder)
    results.to_csv(folder / "runs.csv", runs=True)
    results.to_csv(folder / "summary.csv")
    with writing(folder / "differences.csv") as file:
        write_csv(file, names(columns.DIFFERENCE), results.differences_rows())
    parquet(folder / "runs.parquet", columns.RUNS, results.row_blocks())
    parquet(folder / "summary.parquet", columns.SUMMARY, [results.summary()])
    for name in ("crossings.csv", "curves.svg"):
        (folder / name).unlink(missing_ok=True)


def export_study(study: Study, failed: Iterable[Failed], folder: Path) -> None:
    """Write manifest.json, transcripts/ and timelines/: what does not depend on how many results
    there are."""
    about = json.dumps(manifest(study, failed), indent=2, ensure_ascii=False)
    write(folder / "manifest.json", about + "\n")
    texts = {
        f"transcripts/{file_name(name)}.txt": text for name, text in transcripts(study).items()
    }
    if study.desk is not None:
        for name, table in timetables(study):
            svg = picture(f"{study.name}: {name}", study.desk, table)
            texts[f"timelines/{file_name(name)}.svg"] = svg
    for name, text in texts.items():
        write(folder / name, text)
    for old in (*folder.glob("transcripts/*.txt"), *folder.glob("timelines/*.svg")):
        if old.relative_to(folder).as_posix() not in texts:
            old.unlink()  # of another scenario


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
        "git_revision": _revision(),
        "failed": [
            {**vars(lost), "case": _case_row(lost.case), "traceback": lost.traceback.splitlines()}
            for lost in failed
        ],
    }


def _case_row(case: Case) -> Row:
    return {"protocol": case.protocol, "failure": case.failure, "severity": case.severity}


def parquet(path: Path, declared: Iterable[Column], blocks: Iterable[list[Row]]) -> None:
    """Rows as Parquet, a block at a time, in the types that their columns declare. Where the extra
    `parquet` is not installed, an older file is removed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        path.unlink(missing_ok=True)
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


def file_name(protocol: str) -> str:
    """A protocol's name as a file name.

    >>> file_name("debate at the leaves, 3/4")
    'debate-at-the-leaves_-3_4'
    """
    return (
        "".join(c if c.isalnum() or c in "-_. " else "_" for c in protocol)
        .strip()
        .replace(" ", "-")
    )


def _revision() -> str | None:
    """The git revision of the checkout that the program runs from, if it does."""
    folder = Path(__file__).resolve().parents[2] / ".git"
    head = folder / "HEAD"
    if not head.is_file():
        return None
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    ref = folder / text.removeprefix("ref: ")
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None
