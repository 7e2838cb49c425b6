"""What a results folder holds beside the store: a manifest, flat tables, transcripts, timelines."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from oversight.code import installed
from oversight.results import DIFFERENCE, Results, Row, write_csv
from oversight.study import Study

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
    timelines/."""
    study = results.study
    told_of(study, results.failed, folder)
    results.to_csv(folder / "runs.csv", runs=True)
    results.to_csv(folder / "summary.csv")
    with (folder / "differences.csv").open("w", encoding="utf-8", newline="") as file:
        write_csv(file, [*DIFFERENCE], results.differences_rows())
    _parquet(folder / "runs.parquet", results.row_blocks())
    _parquet(folder / "summary.parquet", [results.summary()])


def told_of(study: Study, failed: Iterable[Any], folder: Path) -> None:
    """Write manifest.json, transcripts/ and timelines/: what does not depend on how many results
    there are."""
    from oversight.transcripts import transcripts

    (folder / "manifest.json").write_text(
        json.dumps(manifest(study, failed), indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    told = folder / "transcripts"
    told.mkdir(exist_ok=True)
    for name, text in transcripts(study).items():
        (told / f"{file_name(name)}.txt").write_text(text, encoding="utf-8")
    if study.desk is not None:
        from oversight.reports.timeline import picture
        from oversight.transcripts import timetables

        drawn = folder / "timelines"
        drawn.mkdir(exist_ok=True)
        for name, table in timetables(study):
            svg = picture(f"{study.name}: {name}", study.desk, table)
            (drawn / f"{file_name(name)}.svg").write_text(svg, encoding="utf-8")


def manifest(study: Study, failed: Iterable[Any]) -> dict[str, Any]:
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
            **{name: installed(name) for name in LIBRARIES},
        },
        "plugins": dict(sorted(plugins.items())),
        "git_revision": _revision(),
        "failed": [
            {**vars(lost), "case": lost.case._asdict(), "traceback": lost.traceback.splitlines()}
            for lost in failed
        ],
    }


def _parquet(path: Path, blocks: Iterable[list[Row]]) -> None:
    """Rows as Parquet, a block at a time, where the extra `parquet` is installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return
    writer = None
    for rows in filter(None, blocks):
        table = pyarrow.Table.from_pylist(rows, schema=writer.schema if writer else _schema(rows))
        if writer is None:
            writer = pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
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
    folder = Path(__file__).resolve().parent.parent / ".git"
    head = folder / "HEAD"
    if not head.is_file():
        return None
    text = head.read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    ref = folder / text.removeprefix("ref: ")
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None
