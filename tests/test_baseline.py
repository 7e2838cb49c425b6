"""Whose labels are weak: the unaided overseer, or the protocol that a scenario names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import oversight
from oversight import Claims, Evidence, Mechanism, Study, Verdicts
from oversight.cli.main import main
from oversight.studies.cases import Case
from oversight.studies.scenario import written

SMALL: dict[str, Any] = {
    "replicates": 3,
    "world": {"train_items": 400, "test_items": 400, "features": 6},
    "protocols": {"debate": "debate", "parts": "decomposition"},
}


class Mute(Mechanism):
    """Labels nothing."""

    name = "mute"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return Verdicts.of(np.zeros(claims.shape), labeled=False)


def study(**changes: Any) -> Study:
    return Study.model_validate({**SMALL, **changes})


@pytest.mark.parametrize("desk", [None, {"hours": 60.0, "people": 2}])
def test_weak_is_the_baselines_label_accuracy(desk: Any) -> None:
    plain = oversight.compare(study())
    results = oversight.compare(study(baseline="debate", desk=desk))
    assert results.protocols == ["unaided", "debate", "parts"]  # the unaided overseer still runs
    assert results.baseline == "debate"
    healthy = plain.column("debate", "label_accuracy")
    for name in results.protocols:
        assert np.array_equal(results.column(name, "weak_accuracy"), healthy)
    if desk is None:
        rows = {row["protocol"]: row for row in results.summary()}
        assert rows["debate"]["oversight_gain"] == 0
        assert rows["unaided"]["oversight_gain"] < 0
        over = results.column("parts", "student_accuracy") - healthy
        gap = results.column("parts", "ceiling_accuracy") - healthy
        assert rows["parts"]["pgr"] == pytest.approx(over.mean() / gap.mean())


def test_the_default_named_is_the_default() -> None:
    for name, protocols in (("unaided", SMALL["protocols"]), ("alone", {"alone": "direct"})):
        named = study(baseline=name, protocols=protocols)
        assert named.identity() == study(protocols=protocols).identity()
        assert oversight.compare(named).rows == oversight.compare(study(protocols=protocols)).rows
    assert study(baseline="debate").identity() != study().identity()
    # What counts is what the protocol is, not what it is called.
    other = study(baseline="d", protocols={"d": "debate", "parts": "decomposition"})
    assert other.identity() == study(baseline="debate").identity()


def test_an_unknown_baseline_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("oversight: 1\nbaseline: debat\nprotocols: {debate: {debate: {}}}\n")
    refused = CliRunner().invoke(main, ["check", str(file)])
    assert refused.exit_code == 2
    assert (
        "s.yaml:2: baseline: 'debat' is no protocol here; did you mean 'debate'?" in refused.stderr
    )
    with pytest.raises(ValueError, match="is no protocol here"):
        study(baseline="debate").changed(protocols={"parts": "decomposition"})


def test_it_is_written_where_it_is_named() -> None:
    assert "baseline" not in written(study())
    assert "\nbaseline: debate\n" in written(study(baseline="debate"))


def test_a_baseline_under_a_failure_stays_healthy() -> None:
    failing = study(baseline="debate", failures={"lies": {"kind": "collusion", "severity": 1.0}})
    results = oversight.compare(failing, failures=True)
    struck = Case("debate", "lies", 1.0)
    weak = results.column(struck, "weak_accuracy")
    assert np.array_equal(weak, results.column("debate", "label_accuracy"))
    assert not np.array_equal(weak, results.column(struck, "label_accuracy"))


def test_a_search_and_a_stress_test_measure_against_it() -> None:
    stressed = oversight.stress(
        study(baseline="debate", failures={"noise": {"kind": "random_flips"}}), tolerance=0.5
    )
    assert {row["protocol"] for row in stressed.ranking()} == {"unaided", "parts", "debate"}
    weak = stressed.results.column("debate", "student_accuracy")
    ours = stressed.results.column("parts", "student_accuracy")
    assert np.array_equal(stressed.margin(Case("parts"), "PGR"), ours - weak)
    searched = oversight.design(
        study(
            baseline="debate",
            design={"evaluations": 3, "depth": 1, "mechanisms": ["direct", "decomposition"]},
        )
    )
    assert searched.confirmed.baseline == "debate"


def test_a_baseline_without_labels_fails_aloud() -> None:
    results = oversight.compare(study(baseline="mute", protocols={"mute": Mute()}))
    assert "the baseline 'mute' labels nothing" in results.failed[0].error
