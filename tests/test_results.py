"""The committed results are what the program gives."""

from __future__ import annotations

import csv
from math import prod
from pathlib import Path

import pytest

import oversight
from oversight.studies.scenario import names

RESULTS = Path(__file__).parent.parent / "results"
CLOSE = 2e-3
"""Processors differ in the last bits, and one item in 4,000 may turn."""


def stored(name: str) -> list[dict[str, str]]:
    with (RESULTS / name / "summary.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", names())
def test_every_shipped_scenario_has_results_of_all_its_protocols(name: str) -> None:
    study = oversight.load(name)
    rows = stored(name)
    points = prod(len(values) for values in study.sweep.values())
    assert [row["protocol"] for row in rows] == list(study.cells) * points
    assert {int(row["replicates"]) for row in rows} == {study.replicates}
    assert study.about


def test_there_are_no_results_of_scenarios_that_are_gone() -> None:
    assert {path.name for path in RESULTS.iterdir() if path.is_dir()} == set(names())


def test_quickstart_again() -> None:
    found = oversight.compare(oversight.load("quickstart")).summary()
    for row, reference in zip(found, stored("quickstart"), strict=True):
        for key, value in row.items():
            if isinstance(value, float):
                assert value == pytest.approx(float(reference[key]), abs=CLOSE, rel=CLOSE), key
            else:
                assert str("" if value is None else value) == reference[key]


def test_the_lesson_of_quickstart() -> None:
    pgr = {row["protocol"]: float(row["pgr"]) for row in stored("quickstart")}
    assert pgr["unaided"] < pgr["consultancy"] < pgr["debate"] < pgr["debate at the leaves"]
    assert pgr["debate at the leaves"] < pgr["tree debate"]
