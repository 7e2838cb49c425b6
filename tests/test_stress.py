"""Dose-response, break points, ranking: `oversight stress`."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import oversight
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from oversight import Case, Claims, Evidence, OverseerFailure, Results, Study, Verdicts
from oversight.analyses.stressing import stress
from oversight.cli.main import main
from oversight.core.plugins import plugins
from oversight.failures.injection import Injection, catalogue
from oversight.findings.stress import Break, Outcome, Stress
from oversight.running.keys import Keys
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.running.runner import Runner
from oversight.running.store import Store
from oversight.running.workers import Workers
from oversight.studies.study import Study as StudyType
from tests.helpers import tree, world

BREAK_POINTS = {1: 0.274, 2: 0.210, 3: 0.184, 4: 0.171}
"""MODEL 5: gate noise at which three-fold repetition falls to .722, leaf .95, by depth."""


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 3,
        "world": {"train_items": 600, "test_items": 600, "features": 8},
        "protocols": {
            "unaided": "direct",
            "debate": "debate",
            "consultancy": {"consultancy": {"candidates": 4}},
            "decomposition": "decomposition",
        },
        "failures": {
            "collusion": {"kind": "collusion", "severity": [0.5, 1]},
            "noise": {"kind": "noisy_aggregator", "severity": [0.5, 1]},
            "simulator": {"kind": "human_simulator", "severity": 1},
        },
    }
    return Study.model_validate({**plain, **changes})


@pytest.fixture(scope="module")
def found() -> Stress:
    return stress(study())


def the(found: Stress, protocol: str, failure: str, measure: str = "label accuracy") -> Break:
    (one,) = (
        b
        for b in found.breaks()
        if (b.protocol, b.failure, b.measure) == (protocol, failure, measure)
    )
    return one


def repeats(depth: int) -> Study:
    return Study(
        world=world(tree=tree(*["repeat"] * depth), claim_correlation=0.0, train_items=8000),
        replicates=6,
        overseer={"accuracy": [0.722] + [0.95] * depth, "structure": 0},
        protocols={"it": Decomposition(aggregate="hard", short_circuit=False)},
        failures={"noise": {"kind": "noisy_aggregator"}},
    )


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_break_points_of_noisy_repetition(depth: int) -> None:
    done = stress(repeats(depth))
    found = the(done, "it", "noise")
    assert found.severity is not None
    assert found.knob is not None
    assert found.low is not None
    assert found.high is not None
    assert found.knob == found.severity * 0.5
    # Within the sampling interval, stretched to four standard errors, and the tolerance.
    half = 2 * (found.high - found.low) / 2 * 0.5 + 0.5 * done.tolerance
    assert abs(found.knob - BREAK_POINTS[depth]) < half
    assert found.silent is True
    assert found.excess is not None
    assert found.excess > 0.2


def test_brackets_are_as_narrow_as_asked() -> None:
    for tolerance in (0.3, 0.05):
        done = stress(study(), tolerance=tolerance, only=["noise"])
        between = done.bracket("decomposition", "noise", "label accuracy")
        assert between is not None
        assert between[1] - between[0] <= tolerance
    assert list(done.study.failures) == ["noise"]


def test_what_does_not_apply_is_said_not_zero(found: Stress) -> None:
    assert the(found, "debate", "noise").status == "not applicable: no aggregator in it"
    assert the(found, "decomposition", "collusion").status == "not applicable: no debater in it"
    after = the(found, "debate", "simulator")
    assert after.status == "not applicable: it comes after the labels"
    assert the(found, "unaided", "simulator", "PGR").status.startswith("not applicable: it is the")
    assert not [r for r in found.rows() if (r["protocol"], r["failure"]) == ("debate", "noise")]
    flat = study(failures={"cut": {"kind": "depth_cut", "severity": 1}})
    cut = stress(flat)
    assert "nothing for it to change" in the(cut, "debate", "cut").status
    assert not [r for r in cut.rows() if (r["protocol"], r["failure"]) == ("debate", "cut")]
    shown = oversight.compare(flat, failures=True).summary()
    (row,) = (r for r in shown if (r["protocol"], r["failure"]) == ("debate", "cut"))
    assert row["pgr"] is None
    assert row["pgr_status"].startswith("undefined: the failure does not apply")


def test_statuses(found: Stress) -> None:
    assert the(found, "decomposition", "noise").status == Outcome.BREAKS
    mild = stress(study(failures={"mild": {"kind": "collusion", "severity": 0.1}}))
    assert the(mild, "debate", "mild").status == Outcome.NEVER
    bad = stress(study(failures={"bias": {"kind": "belief_bias", "severity": 0.5}}))
    assert the(bad, "consultancy", "bias").status == Outcome.START
    assert the(bad, "consultancy", "bias").severity == 0.0


def test_where_pgr_is_undefined_so_are_its_break_points() -> None:
    """One of eight dimensions: what gold teaches such a student is worse than a person."""
    blind = study(student={"features": 1}, failures={"noise": {"kind": "noisy_aggregator"}})
    found = the(stress(blind), "decomposition", "noise", "PGR")
    assert found.status.startswith("undefined: ceiling - weak")
    assert the(stress(blind), "decomposition", "noise").status == Outcome.BREAKS


def test_loud_and_silent() -> None:
    """Colluding debaters leave a judge who knows that they heard nothing; noise nobody reckons with
    leaves the stated confidence where it was."""
    done = stress(study(failures={"collusion": {"kind": "collusion"}}, replicates=8))
    loud = done.results.summary_row(Case("debate", "collusion", 1.0))
    healthy = done.results.summary_row(Case("debate"))
    assert loud["label_confidence"] < healthy["label_confidence"] - 0.05
    noisy = the(stress(study()), "decomposition", "noise")
    assert noisy.silent is True
    assert noisy.fall is not None
    assert noisy.fall <= 0.05


def test_workers_and_a_second_run_change_nothing(tmp_path: Path, found: Stress) -> None:
    first = stress(study(), jobs=2, out=tmp_path)
    assert first.breaks() == found.breaks()
    before = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    assert {"breaks.csv", "ranking.csv", "runs.csv", "summary.csv"} <= set(before)
    ran: list[int] = []
    again = stress(study(), out=tmp_path, progress=lambda replicate: ran.append(1))
    assert ran == []
    assert again.breaks() == found.breaks()
    assert {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")} == before


def test_a_store_is_shared_with_compare(tmp_path: Path) -> None:
    oversight.compare(study(), failures=True, out=tmp_path)
    ran: list[int] = []
    first = study(failures={"noise": {"kind": "noisy_aggregator", "severity": [0.5, 1]}})
    oversight.compare(first, failures=True, out=tmp_path, progress=lambda replicate: ran.append(1))
    assert ran == []
    changed = {"kind": "noisy_aggregator", "most": 0.4, "severity": [0.5, 1]}
    oversight.compare(
        study(failures={"noise": changed}),
        failures=True,
        out=tmp_path,
        progress=lambda replicate: ran.append(len(replicate.rows)),
    )
    assert ran == [2, 2, 2]  # the two severities of the one protocol that it strikes


def test_compare_runs_failures_only_where_asked() -> None:
    plain = oversight.compare(study())
    assert {row["failure"] for row in plain.summary()} == {""}
    asked = oversight.compare(study(), failures=True)
    told = {(row["protocol"], row["failure"], row["severity"]) for row in asked.summary()}
    assert ("decomposition", "noise", 0.5) in told
    assert ("debate", "noise", 0.5) not in told
    healthy = {row["protocol"]: row for row in asked.summary() if not row["failure"]}
    assert [healthy[row["protocol"]] for row in plain.summary()] == plain.summary()
    assert asked.differences_rows() == plain.differences_rows()


def test_weak_is_the_healthy_overseer() -> None:
    done = oversight.compare(
        study(failures={"bias": {"kind": "belief_bias", "severity": 1}}), failures=True
    )
    struck = done.summary_row(Case("unaided", "bias", 1.0))
    healthy = done.summary_row(Case("unaided"))
    assert struck["weak_accuracy"] == healthy["label_accuracy"]
    assert struck["label_accuracy"] < healthy["label_accuracy"]


def test_every_failure_hurts_somebody_or_says_why() -> None:
    """At full severity labels or student fall, by four standard errors, under some protocol of the
    scenario for it."""
    every = full(catalogue())
    hacking = {"heavy_tailed_reward": every.pop("heavy_tailed_reward")}
    flat = flat_in(oversight.load("whole-catalogue"), every, 4)
    flat += flat_in(oversight.load("reward-hacking"), hacking, 10)
    assert [name for name in flat if not plugins("failures").get(name).why_flat] == []


def flat_in(study: Study, failures: dict[str, Injection], runs: int) -> list[str]:
    """The failures under which no protocol of a study clearly loses anything."""
    study = study.model_copy(update={"failures": failures, "replicates": runs})
    cases = study.cases(failures)
    store = Store.open()
    with Workers() as workers:
        Runner(store, workers).run([(Keys(study), cases)])
    found = Results(study, cases, store)
    lost: dict[str, list[float]] = {name: [] for name in failures}
    for case in cases:
        if case.failure:
            for column in ("label_accuracy", "student_accuracy"):
                fall = found.column(case.protocol, column) - found.column(case, column)
                lost[case.failure].append(fall.mean() - 4 * fall.std(ddof=1) / np.sqrt(runs))
    return [name for name, falls in lost.items() if max(falls) <= 0]


def full(failures: dict[str, Injection]) -> dict[str, Injection]:
    return {n: i.model_copy(update={"severity": (1.0,)}) for n, i in failures.items()}


class Fragile(OverseerFailure):
    """Raises above severity one half."""

    name = "fragile"
    can_strike = ("people",)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        if self.severity > 0.5:
            raise ArithmeticError("it broke")
        return replace(verdicts, evidence=verdicts.evidence * 0.5)


def test_a_failure_that_raises_costs_only_its_own_cases() -> None:
    whole = StudyType(
        world=world(train_items=300, test_items=300),
        replicates=2,
        protocols={"direct": Direct(), "debate": Debate()},
        failures={"fragile": Fragile(), "collusion": plugins("failures").get("collusion")()},
    )
    done = stress(whole)
    assert {failed.case.failure for failed in done.results.failed} == {"fragile"}
    assert "it broke" in done.results.failed[0].error
    assert the(done, "debate", "fragile").status == "undefined: it failed to run"
    assert the(done, "debate", "collusion").status in (Outcome.BREAKS, Outcome.NEVER)


def test_severity_0_in_a_list_is_health() -> None:
    two = study(failures={"noise": {"kind": "noisy_aggregator", "severity": [0, 0.5]}})
    rows = run_replicate(two, 0, two.cases(two.failures)).rows
    healthy, none = rows[Case("decomposition")], rows[Case("decomposition", "noise", 0.0)]
    assert np.array_equal(healthy, none, equal_nan=True)
    assert len(COLUMNS) == len(none)


def test_committed_break_points_of_the_deep_tree() -> None:
    """results/error-compounding has them for all four depths."""
    path = Path(__file__).parent.parent / "results" / "error-compounding" / "breaks.csv"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"] == "label accuracy"]
    at = {row["protocol"]: row for row in rows if row["failure"] == "noisy gates"}
    for depth, name in enumerate(("one level", "two levels", "three levels", "four levels"), 1):
        knob, half = float(at[name]["knob"]), float(at[name]["high"]) - float(at[name]["low"])
        assert abs(knob - BREAK_POINTS[depth]) < 0.4 * (half + 0.02)
        assert at[name]["silent"] == "True"


def run(*words: str) -> Any:
    return CliRunner().invoke(main, ["stress", *words])


@pytest.fixture
def small(tmp_path: Path) -> str:
    (tmp_path / "small.yaml").write_text(
        "oversight: 1\nabout: a small one\nreplicates: 3\n"
        "world: {train_items: 400, test_items: 400, features: 8}\n"
        "protocols: {debate: debate, decomposition: decomposition}\n"
        "failures:\n"
        "  collusion: {kind: collusion, severity: [0.5, 1]}\n"
        "  both: {together: [{kind: random_flips}, {kind: inattention}], severity: 0.5}\n"
    )
    return str(tmp_path / "small.yaml")


def test_json(small: str) -> None:
    done = run(small, "--format", "json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) == {"scenario", "rows", "breaks", "ranking"}
    assert {(r["failure"], r["severity"]) for r in told["rows"]} >= {("", 0), ("both", 0.5)}
    assert {b["measure"] for b in told["breaks"]} == {"label accuracy", "PGR"}
    assert len(told["breaks"]) == 2 * 2 * 3


def test_table_csv_and_markdown(small: str) -> None:
    table = run(small).stdout
    for words in ("collusion", "95 %", "Ranking by the worst case", "silent", "label accuracy"):
        assert words in table
    rows = list(csv.DictReader(run(small, "--format", "csv").stdout.splitlines()))
    assert {row["failure"] for row in rows} == {"", "collusion", "both"}
    assert "| failure | debate | decomposition |" in run(small, "--format", "markdown").stdout


def test_one_failure_only(small: str) -> None:
    told = json.loads(run(small, "--failure", "both", "--format", "json").stdout)
    assert {b["failure"] for b in told["breaks"]} == {"both"}
    bad = run(small, "--failure", "bth")
    assert bad.exit_code == 2
    assert "did you mean 'both'?" in bad.stderr


def test_compare_without_named_failures() -> None:
    done = CliRunner().invoke(main, ["compare", "quickstart", "--failures"])
    assert done.exit_code == 2
    assert "names no failures" in done.stderr


def test_what_check_shows_can_be_read_again(small: str, tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["check", "--show", small]).stdout
    (tmp_path / "again.yaml").write_text(shown)
    one, two = oversight.load(small), oversight.load(tmp_path / "again.yaml")
    assert {n: i.described() for n, i in one.failures.items()} == {
        n: i.described() for n, i in two.failures.items()
    }


def test_a_strangers_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from oversight.core import plugins as module

    entry = EntryPoint("fragile", "tests.test_stress:Fragile", "oversight.failures")
    there = module.read("failures", [entry])
    assert there.loaded == {"fragile": Fragile}
    none = module.read("failures", [EntryPoint("bad", "math:pi", "oversight.failures")])
    assert "is none" in none.broken["bad"]
