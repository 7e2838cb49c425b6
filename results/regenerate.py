"""Renew the reference results, or check them bit for bit.

    python results/regenerate.py [SCENARIO ...]            writes them
    python results/regenerate.py --check [SCENARIO ...]    compares, and writes nothing

Processors differ in the last bits, so that a check on another one than the results are from shows
differences there. `--folder DIR` writes to DIR, or compares with what an earlier run wrote there.
"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import oversight
from oversight.core.columns import names as columns_of
from oversight.findings.columns import DESIGN
from oversight.findings.rows import write_csv
from oversight.studies.scenario import names

HERE = Path(__file__).parent


def renew(name: str, folder: Path) -> bool:
    """Write the results of every command that has reference results of a scenario; whether some
    cells failed."""
    study = oversight.load(name)
    if study.sweep:
        swept = oversight.sweep(study, jobs=2)
        swept.to_csv(folder, ("summary", "crossings"))
        return bool(swept.failed)
    results = oversight.compare(study)
    results.to_csv(folder / "summary.csv")
    if study.failures:
        oversight.stress(study, jobs=2).export(folder)
    if study.strategies:
        oversight.play(study, jobs=2).export(folder)
    if study.design:
        rows = oversight.design(study, jobs=2).rows()
        with (folder / "design.csv").open("w", encoding="utf-8", newline="") as file:
            write_csv(file, columns_of(DESIGN), rows)
    return bool(results.failed)


def table(path: Path) -> list[list[str]]:
    """The cells of a CSV file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def difference(reference: Path, now: Path) -> str:
    """The first cell in which two folders' tables differ, in words; empty where none does."""
    files = sorted({path.name for folder in (reference, now) for path in folder.glob("*.csv")})
    for file in files:
        old, new = table(reference / file), table(now / file)
        heads = old[0] if old else []
        for i, rows in enumerate(zip_longest(old, new, fillvalue=[])):
            for j, (was, is_) in enumerate(zip_longest(*rows)):
                if was != is_:
                    column = heads[j] if j < len(heads) else j + 1
                    return f"{file} line {i + 1}, column {column}: {was!r} is now {is_!r}"
    return ""


def check(name: str, reference: Path) -> bool:
    """Run a scenario, and print whether its results are those in a folder; whether they are."""
    with TemporaryDirectory() as folder:
        renew(name, Path(folder))
        where = difference(reference, Path(folder))
    print(f"{name}: {f'differs: {where}' if where else 'equal'}", flush=True)
    return not where


if __name__ == "__main__":
    parser = ArgumentParser(description="Renew the reference results, or check them bit for bit.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all, if none is named")
    parser.add_argument("--check", action="store_true", help="exit status 1 if any cell differs")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the results are")
    options = parser.parse_args()
    chosen = options.scenarios or names()
    if options.check:
        equal = [check(name, options.folder / name) for name in chosen]
        sys.exit(0 if all(equal) else 1)
    for name in chosen:
        (options.folder / name).mkdir(parents=True, exist_ok=True)
        print(name, "failed" if renew(name, options.folder / name) else "done")
