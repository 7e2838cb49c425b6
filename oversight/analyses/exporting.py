"""What a results folder holds beside the store: a manifest, flat tables, transcripts, timelines."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oversight.core.files import replacing, write, writing
from oversight.findings.results import DIFFERENCE, Results, Row, write_csv
from oversight.reports.timeline import picture
from oversight.running.replicate import Failed
from oversight.running.transcripts import timetables, transcripts
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
        write_csv(file, [*DIFFERENCE], results.differences_rows())
    parquet(folder / "runs.parquet", results.row_blocks())
    parquet(folder / "summary.parquet", [results.summary()])
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


def manifest(study: Study, failed: Iterable[Failed]) -> dict[str, Any]:
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
            {**vars(lost), "case": lost.case._asdict(), "traceback": lost.traceback.splitlines()}
            for lost in failed
        ],
    }


def parquet(path: Path, blocks: Iterable[list[Row]]) -> None:
    """Rows as Parquet, a block at a time, where the extra `parquet` is installed; else an older
    file is taken away."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as part:
        writer = None
        for rows in filter(None, blocks):
            schema = writer.schema if writer else _schema(rows)
            table = pyarrow.Table.from_pylist(rows, schema=schema)
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(part, table.schema)
            writer.write_table(table)
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(part, pyarrow.schema([]))
        writer.close()


def _schema(rows: list[Row]) -> Any:
    """Text, whole numbers and numbers; what is empty in every row of a block is a number."""
    import pyarrow

    fields = []
    for key in rows[0]:
        kinds = {type(row[key]) for row in rows} - {type(None)}
        whole = kinds == {int} and key not in ("severity",)
        kind = (
            pyarrow.string() if kinds == {str} else pyarrow.int64() if whole else pyarrow.float64()
        )
        fields.append((key, kind))
    return pyarrow.schema(fields)


def file_name(protocol: str) -> str:
    """A protocol's name as a file name."""
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
