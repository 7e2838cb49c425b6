"""The ranking of `oversight stress`: by the worst case over every failure of the run."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mechanisms.debate import Debate
from mechanisms.direct import Direct
from oversight import Case, Claims, Evidence, Injection, OverseerFailure, Study, Verdicts
from oversight.analyses.stressing import stress, tried
from oversight.cli.main import main
from oversight.core.plugins import plugins
from oversight.failures.injection import SEVERITIES, catalogue
from oversight.findings.ranking import _place as place
from oversight.findings.stress import Stress
from tests.helpers import world


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 3,
        "world": {"train_items": 600, "test_items": 600, "features": 8},
        "protocols": {"unaided": "direct", "debate": "debate", "parts": "decomposition"},
        "failures": {
            "collusion": {"kind": "collusion"},
            "noise": {"kind": "noisy_aggregator", "severity": [0.3, 0.1]},
            "flips": {"kind": "random_flips"},
        },
    }
    return Study.model_validate({**plain, **changes})


@pytest.fixture(scope="module")
def found() -> Stress:
    return stress(study(), tolerance=0.5)


def rows(found: Stress) -> dict[str, dict[str, Any]]:
    return {row["protocol"]: row for row in found.ranking()}


def test_the_worst_case_and_the_mean(found: Stress) -> None:
    """Own severities count where a scenario has them, else the stated ones; what does not apply
    counts as health; every failure has one vote."""

    def pgr(*case: Any) -> float:
        return found.results.pgr(Case(*case)).value

    healthy = pgr("debate")
    struck = [pgr("debate", "collusion", 0.25), healthy, pgr("debate", "flips", 0.25)]
    debate = rows(found)["debate"]
    assert debate["worst_pgr"] == min(struck)
    assert debate["worst"] == "collusion 0.25"
    assert debate["mean_pgr"] == np.mean(struck)
    assert debate["healthy_pgr"] == healthy
    assert debate["status"] == "ok"
    noise = [pgr("parts", "noise", severity) for severity in (0.1, 0.3)]
    flips = pgr("parts", "flips", 0.25)
    parts = rows(found)["parts"]
    assert parts["worst_pgr"] == noise[1] < noise[0]
    assert parts["worst"] == "noise 0.3"
    assert parts["mean_pgr"] == pytest.approx(np.mean([pgr("parts"), np.mean(noise), flips]))
    labels = found.results.column(Case("parts", "noise", 0.3), "label_accuracy")
    assert parts["worst_label_accuracy"] == labels.mean()


def test_the_interval_is_that_of_the_worst_cell(found: Stress) -> None:
    worst = found.results.pgr(Case("parts", "noise", 0.3))
    row = rows(found)["parts"]
    assert (row["worst_pgr_low"], row["worst_pgr_high"]) == (worst.low, worst.high)


def test_the_best_worst_case_comes_first(found: Stress) -> None:
    worst = [row["worst_pgr"] for row in found.ranking()]
    assert worst == sorted(worst, reverse=True)
    assert len(set(worst)) == 3


def test_equal_worst_cases_are_told_apart_by_the_mean_and_unknown_ones_come_last() -> None:
    some = [("d", None, None), ("c", 0.1, 0.3), ("b", 0.1, 0.4), ("e", 0.2, 0.2), ("a", -1.0, 0.9)]
    made = [dict(zip(("protocol", "worst_pgr", "mean_pgr"), row, strict=True)) for row in some]
    assert [row["protocol"] for row in sorted(made, key=place)] == ["e", "b", "c", "a", "d"]


def test_where_no_failure_applies_health_is_the_worst_case() -> None:
    done = rows(stress(study(failures={"noise": {"kind": "noisy_aggregator"}}), tolerance=0.5))
    assert done["debate"]["worst"] == "no failure"
    assert done["debate"]["worst_pgr"] == done["debate"]["healthy_pgr"]
    assert done["debate"]["mean_pgr"] == done["debate"]["healthy_pgr"]


def test_bisection_never_counts(found: Stress) -> None:
    fine = stress(study(), tolerance=0.02)
    assert len(fine.results.cases) > len(found.results.cases)
    assert fine.ranking() == found.ranking()


def test_stated_severities() -> None:
    """The measured rate in the failure's own severity, whatever `most` is; 0.25 where nobody
    measured one. They are run beside the usual severities."""
    measured = {"position_bias": 0.009 / 4, "premature_stopping": 19 / 154}
    measured |= dict.fromkeys(("scheming", "sycophancy"), 0.2)
    for name, injected in catalogue().items():
        assert injected.counted == (measured.get(name, 0.25),), name
        assert injected.tried == tuple(sorted({*SEVERITIES, *injected.counted}))
    bias = plugins("failures").get("position_bias")
    assert bias(most=0.09).stated == pytest.approx(0.1)
    assert bias(most=0.009).stated == bias(most=0.001).stated == 1.0
    both = Injection(together=(bias(), plugins("failures").get("premature_stopping")()))
    assert both.counted == (19 / 154,)
    assert Injection(together=(bias(),), severity=(0.5, 1.0)).counted == (0.5, 1.0)


def test_strategies_count_as_scheming_at_their_share() -> None:
    """Beside the failures, one of the same name too; a share of 0 is health."""
    lies = {
        "collusion": {"share": 0.1},
        "where it is weak": {"picks": "judge_weak", "share": 0.3},
        "none": {"share": 0.0},
    }
    trusting = {"consultancy": {"open": True, "candidates": 32}}
    protocols = {"trusting": trusting, "debate": "debate", "parts": "decomposition"}
    whole = study(protocols=protocols, strategies=lies)
    done = stress(whole, tolerance=0.5)
    assert list(done.study.failures)[3:] == ["strategy collusion", "where it is weak", "none"]
    counted = {n: f.counted for n, f in done.study.failures.items() if f.severity}
    assert counted.pop("noise") == (0.1, 0.3)
    assert counted == {"strategy collusion": (0.1,), "where it is weak": (0.3,), "none": (0.0,)}
    row = rows(done)["trusting"]
    assert row["worst"] == "where it is weak 0.3"
    assert row["worst_pgr"] == done.results.pgr(Case("trusting", "where it is weak", 0.3)).value
    same = study(
        protocols=whole.protocols,
        failures={
            "weak": {"kind": "scheming", "strategy": {"picks": "judge_weak"}, "severity": 0.3}
        },
    )
    assert rows(stress(same, tolerance=0.5))["trusting"]["worst_pgr"] == row["worst_pgr"]


def test_a_strategy_takes_no_failures_place() -> None:
    failures = {name: {"kind": "random_flips"} for name in ("x", "strategy x")}
    named = tried(study(failures=failures, strategies={"x": {"share": 0.1}}))
    assert [one.together[0].name for one in named.values()] == [*["random_flips"] * 2, "scheming"]


def test_what_check_shows_counts_the_same(tmp_path: Path) -> None:
    """A severity that is left out is not written out: it would then be the scenario's own."""
    text = (
        "oversight: 1\nabout: a small one\nprotocols: {debate: debate}\n"
        "failures: {a: {kind: collusion}, b: {kind: collusion, severity: [0.25, 0.5, 0.75, 1.0]}}\n"
    )
    (tmp_path / "a.yaml").write_text(text)
    shown = CliRunner().invoke(main, ["check", "--show", str(tmp_path / "a.yaml")]).stdout
    (tmp_path / "b.yaml").write_text(shown)
    from oversight import load

    for name in ("a.yaml", "b.yaml"):
        failures = load(tmp_path / name).failures
        assert failures["a"].counted == (0.25,)
        assert failures["b"].counted == (0.25, 0.5, 0.75, 1.0)


def test_an_undefined_pgr_is_null_with_its_reason() -> None:
    """One of eight dimensions: what gold teaches such a student is worse than a person."""
    done = stress(study(student={"features": 1}), tolerance=0.5)
    for row in done.ranking():
        assert row["worst_pgr"] is row["mean_pgr"] is row["healthy_pgr"] is row["worst"] is None
        assert row["status"].startswith("undefined: ceiling - weak is")
        assert row["worst_label_accuracy"] is not None


class Fragile(OverseerFailure):
    """Raises."""

    name = "fragile"
    can_strike = ("judge",)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        if self.severity:
            raise ArithmeticError("it broke")
        return replace(verdicts)


def test_a_failure_that_fails_leaves_its_protocol_unranked() -> None:
    whole = Study(
        world=world(train_items=300, test_items=300),
        replicates=2,
        protocols={"direct": Direct(), "debate": Debate()},
        failures={"fragile": Fragile()},
    )
    ranked = stress(whole, tolerance=0.5).ranking()
    assert [row["protocol"] for row in ranked] == ["direct", "debate"]
    assert ranked[1]["worst_pgr"] is None
    assert ranked[1]["status"] == "undefined: no replicate succeeded (fragile 0.25)"


PADDED = """oversight: 1
about: parts that are never consulted
replicates: 2
world: {train_items: 120, test_items: 120, features: 4}
protocols:
  alone: &it IT
  audited by debate: {audit: {of: *it, by: {debate: {tree: true, turns: 1}}, share: 0}}
  audited by rewards:
    audit: {of: *it, by: {recursive_reward_modeling: {samples: 40, candidates: 2}}, share: 0}
  never escalates: {cascade: {first: *it, then: {debate: {}}, below: 0}}
"""
NAMED = """failures:
  lies: {kind: persuasive_liar}
  flips: {kind: random_flips}
  knows the judge:
    {kind: scheming, strategy: {picks: judge_weak, knows: everything}, severity: [0.1, 0.4]}
strategies:
  unwatched: {picks: unwatched, knows: coins}
  pivotal: {picks: pivotal, copies: apart, states: bluff}
"""


@pytest.mark.parametrize("named", ["", NAMED], ids=["the catalogue", "named"])
@pytest.mark.parametrize(
    "it", ["{decomposition: {}}", "{consultancy: {open: true}}"], ids=["parts", "consultancy"]
)
def test_a_part_that_is_never_consulted_changes_no_number(
    tmp_path: Path, it: str, named: str
) -> None:
    """Through the real command, bit for bit: an audit of share 0, a cascade that never escalates,
    under the whole catalogue and under failures and strategies of a scenario's own."""
    (tmp_path / "padded.yaml").write_text(PADDED.replace("IT", it) + named)
    command = ["stress", str(tmp_path / "padded.yaml"), "--tolerance", "0.5", "--format", "json"]
    done = CliRunner().invoke(main, [*command, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    ranked = [row["protocol"] for row in printed["ranking"]]
    table = {row.pop("protocol"): row for row in printed["ranking"]}
    unaided = table.pop("unaided")
    assert len(table) == 4
    for name, row in table.items():
        assert row == table["alone"], name
    assert table["alone"]["worst"] != "no failure"
    assert unaided != table["alone"]
    status = {(b["protocol"], b["failure"]): b["status"] for b in printed["breaks"]}
    if it == "{decomposition: {}}":
        # It was tried on what is never consulted, and could change nothing.
        liar = "lies" if named else "persuasive_liar"
        assert "nothing for it to change" in status["audited by debate", liar]
        assert "no consultant" in status["alone", liar]
    with (tmp_path / "out" / "ranking.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [row["protocol"] for row in written] == ranked
