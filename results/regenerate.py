"""Renew the reference results: python results/regenerate.py [SCENARIO ...]"""

from __future__ import annotations

import sys
from pathlib import Path

import oversight
from oversight.analyses.designing import design
from oversight.findings.results import write_csv
from oversight.studies.scenario import names

HERE = Path(__file__).parent

if __name__ == "__main__":
    for name in sys.argv[1:] or names():
        study = oversight.load(name)
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        if study.sweep:
            swept = oversight.sweep(study, jobs=2)
            swept.to_csv(folder, ("summary", "crossings"))
            print(name, "failed" if swept.failed else "done")
            continue
        results = oversight.compare(study)
        results.to_csv(folder / "summary.csv")
        if study.failures:
            oversight.stress(study, jobs=2).export(folder)
        if study.design:
            rows = design(study, jobs=2).rows()
            with (folder / "design.csv").open("w", encoding="utf-8", newline="") as file:
                write_csv(file, list(rows[0]), rows)
        print(name, "failed" if results.failed else "done")
