"""Gradient students in whole runs: curves by epoch, ceilings, what fails and what is refused."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import oversight
from oversight import Study
from oversight.cli.main import main
from oversight.core.errors import ScenarioError
from oversight.reports.comparison import notes
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.studies.cases import Case
from oversight.studies.scenario import load

GRADIENT = {"kind": "gradient", "hidden": 8, "epochs": 4, "batch": 50, "rate": 0.5}
STOPPED = {**GRADIENT, "stop": "weak_labels", "loss": "confidence", "members": 2}


def study(student: dict[str, Any], **changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 2,
        "world": {"train_items": 150, "test_items": 100, "features": 4},
        "student": student,
        "protocols": {"unaided": "direct", "debate": "debate"},
    }
    return Study.model_validate({**plain, **changes})


def rows_of(folder: Path, name: str = "curves.csv") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


FAILURES = {
    "blind": {"kind": "narrow_view", "severity": 1.0},
    "mimic": {"kind": "human_simulator", "severity": 1.0},
}


def test_curves_by_epoch(tmp_path: Path) -> None:
    oversight.compare(study(GRADIENT, failures=FAILURES), failures=True, out=tmp_path / "out")
    rows, runs = rows_of(tmp_path / "out"), rows_of(tmp_path / "out", "runs.csv")
    assert list(rows[0]) == [
        *("protocol", "failure", "severity", "replicate", "epoch"),
        *("student_accuracy", "agreement_when_right", "agreement_when_wrong", "loss"),
    ]
    about = ("protocol", "failure", "severity", "replicate")
    curves: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        curves.setdefault(tuple(row[key] for key in about), []).append(row)
    assert list(curves) == [tuple(run[key] for key in about) for run in runs]
    for curve, run in zip(curves.values(), runs, strict=True):
        assert [row["epoch"] for row in curve] == ["0", "1", "2", "3", "4"]
        for measure in ("student_accuracy", "agreement_when_right", "agreement_when_wrong"):
            assert curve[-1][measure] == run[measure]
        assert float(curve[0]["loss"]) == pytest.approx(math.log(2))
        assert float(curve[-1]["loss"]) < float(curve[0]["loss"])
    mimic = curves["debate", "mimic", "1.0", "1"]
    assert {row["agreement_when_wrong"] for row in mimic} == {"1.0"}, "it says what it was told"


def test_the_end_of_a_stopped_curve_is_not_the_student(tmp_path: Path) -> None:
    oversight.compare(study(STOPPED), out=tmp_path / "out")
    rows, runs = rows_of(tmp_path / "out"), rows_of(tmp_path / "out", "runs.csv")
    for run in runs:
        same = [row for row in rows if row["protocol"] == run["protocol"]]
        same = [row for row in same if row["replicate"] == run["replicate"]]
        assert len(same) == 5
        assert run["student_accuracy"] in {row["student_accuracy"] for row in same[1:]}


def test_nothing_that_is_watched_changes(tmp_path: Path) -> None:
    """Neither watching, nor jobs, nor an interruption moves a bit."""
    small = study(STOPPED, failures=FAILURES)
    unwatched = oversight.compare(small, failures=True)
    assert not list(unwatched.curves())
    whole = oversight.compare(small, failures=True, out=tmp_path / "whole")
    assert unwatched.rows == whole.rows
    oversight.compare(small, failures=True, out=tmp_path / "two", jobs=2)
    oversight.compare(small.changed(replicates=1), out=tmp_path / "resumed")
    oversight.compare(small, failures=True, out=tmp_path / "resumed")
    for name in ("curves.csv", "runs.csv"):
        wanted = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "two" / name).read_bytes() == wanted
        assert (tmp_path / "resumed" / name).read_bytes() == wanted


def test_only_students_that_have_epochs_have_curves(tmp_path: Path) -> None:
    oversight.compare(study(GRADIENT), out=tmp_path / "out")
    assert (tmp_path / "out" / "curves.csv").exists()
    oversight.compare(study({"kind": "linear"}), out=tmp_path / "out")
    assert not (tmp_path / "out" / "curves.csv").exists()


def test_curves_along_a_sweep(tmp_path: Path) -> None:
    swept = study(GRADIENT, sweep={"student.rate": [0.1, 0.5]})
    oversight.sweep(swept, out=tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert list(rows[0])[:2] == ["student.rate", "protocol"]
    assert len(rows) == 2 * 2 * 2 * 5


def cell(of: Study, name: str, case: Case) -> float:
    return run_replicate(of, 0, [case]).rows[case][COLUMNS.index(name)]


def test_the_ceiling_is_the_same_student_on_gold() -> None:
    """By plain cross-entropy and without a stop, whatever the loss; alone or beside others."""
    unaided = Case("unaided")
    plain = cell(study(GRADIENT), "ceiling_accuracy", unaided)
    for changes in ({"stop": "weak_labels"}, {"loss": "confidence"}):
        assert cell(study({**GRADIENT, **changes}), "ceiling_accuracy", unaided) == plain
    longer = cell(study({**GRADIENT, "epochs": 1}), "ceiling_accuracy", unaided)
    assert longer != plain
    linear = {"kind": "linear", "features": 2}
    logistic, squared = (
        cell(study({**linear, "loss": loss}), "ceiling_accuracy", unaided)
        for loss in ("cross-entropy", "squared")
    )
    assert logistic == squared


def test_a_rate_that_diverges_is_a_failed_cell_that_says_so() -> None:
    done = run_replicate(study({**GRADIENT, "rate": 1e6}), 0)
    assert not done.rows
    assert {failed.case for failed in done.failed} == {Case("unaided"), Case("debate")}
    assert "the student diverges: its loss is 0.693 at the start" in done.failed[0].error
    assert "a rate below 1e+06 may help" in done.failed[0].error


def test_a_desk_that_labels_too_little_to_stop_by_is_a_failed_cell() -> None:
    """The other protocols keep their results."""
    small = study(STOPPED, desk={"hours": 10}, protocols={"unaided": "direct", "quick": QUICK})
    done = run_replicate(small, 0)
    assert [failed.case for failed in done.failed] == [Case("unaided")]
    assert "a tenth of the labels; expected at least 100, not" in done.failed[0].error
    assert list(done.rows) == [Case("quick")]


QUICK = {"direct": {"overseer": "model"}}

OK = "oversight: 1\nprotocols: {debate: debate}\n"
REFUSED = {
    "both bodies": ("kind: gradient, hidden: 64, random_features: 9", "student", "not both"),
    "no body": ("kind: gradient, hidden: null", "student", "either `hidden`"),
    "ramp above 1": ("kind: gradient, ramp: 1.5", "student.ramp", "less than or equal to 1"),
    "ramp below 0": ("kind: gradient, ramp: -0.1", "student.ramp", "or equal to 0"),
    "weight above 1": ("kind: gradient, weight: 2", "student.weight", "1"),
    "too large": ("kind: gradient, hidden: 500000000", "student.hidden", "GiB of memory"),
    "too many": (
        *("kind: gradient, random_features: 900000000", "student.random_features"),
        "GiB of memory",
    ),
    "no rate": ("kind: gradient, rate: 0", "student.rate", "greater than 0"),
    "no epochs": ("kind: gradient, epochs: 0", "student.epochs", "1"),
    "no such stop": ("kind: gradient, stop: gold", "student.stop", "'weak_labels'"),
    "confident probe": ("kind: linear, loss: confidence", "student.loss", "'squared'"),
    "squared steps": ("kind: gradient, loss: squared", "student.loss", "'confidence'"),
    "hidden probe": ("kind: linear, hidden: 3", "student.hidden", "unknown key"),
    "in a file": ("kind: gradient, lesson: null", "student.lesson", "not in a file"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_bad_students_are_refused(name: str, tmp_path: Path) -> None:
    keys, place, message = REFUSED[name]
    path = tmp_path / "bad.yaml"
    path.write_text(f"{OK}student: {{{keys}}}\n")
    with pytest.raises(ScenarioError) as caught:
        load(str(path))
    assert len(caught.value.problems) == 1
    assert f"bad.yaml:3: {place}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_stop_without_enough_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.yaml"
    for items, exit_code in ((99, 2), (100, 0)):
        path.write_text(
            f"{OK}world: {{train_items: {items}}}\nstudent: {{kind: gradient, stop: weak_labels}}\n"
        )
        result = CliRunner().invoke(main, ["check", str(path)])
        assert result.exit_code == exit_code
    path.write_text(path.read_text().replace("100", "50"))
    result = CliRunner().invoke(main, ["compare", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "few.yaml:4: student.stop: weak_labels holds out a tenth" in result.output
    assert not (tmp_path / "out").exists()


def test_what_is_shown_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    for keys in ("random_features: 7", "hidden: 0, batch: null", "members: 2"):
        path.write_text(f"{OK}student: {{kind: gradient, {keys}}}\n")
        once = load(str(path))
        shown = CliRunner().invoke(main, ["check", "--show", str(path)]).output
        path.write_text(shown)
        assert load(str(path)).student == once.student


def test_the_representable_share_says_that_it_predicts_another_student() -> None:
    whole = {"world": {"train_items": 2000, "test_items": 50, "features": 4}, "replicates": 3}
    for student, other in ((GRADIENT, True), ({"kind": "linear", "loss": "squared"}, False)):
        results = oversight.compare(study(student, **whole))
        says = "predicts a linear student, and this one is 'gradient'"
        assert says in results.summary()[0]["representable_share_status"] or not other
        assert (f"The representable share {says}." in notes(results)) == other
