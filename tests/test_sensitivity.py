"""Sobol indices of PGR, held to a function whose indices are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from oversight import Study
from oversight.analyses.analyzing import Plan, analyze, resolved
from oversight.cli.main import main
from oversight.core.errors import SensitivityError
from oversight.findings.sensitivity import NOISE
from oversight.running.keys import Keys
from oversight.running.replicate import COLUMNS
from oversight.studies.sensitivity import Sensitivity

pytest.importorskip("SALib")


def study(**sensitivity: Any) -> Study:
    return Study.model_validate(
        {
            "name": "small",
            "world": {"train_items": 200, "test_items": 200, "features": 4},
            "protocols": {"unaided": "direct", "debate": "debate"},
            "sensitivity": sensitivity,
        }
    )


class Linear:
    """A store in which PGR is 4 structure + 2 shared bias, plus replicate noise, on a gap of .2."""

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def row(self, keys: Keys, case: Any, number: int) -> np.ndarray:
        at = keys.study
        uniform = np.random.default_rng(number).random()
        pgr = 4 * at.overseer.structure + 2 * at.model.shared_bias + self.noise * uniform
        told = np.full(len(COLUMNS), np.nan)
        for name, value in (
            ("weak_accuracy", 0.7),
            ("ceiling_accuracy", 0.9),
            ("student_accuracy", 0.7 + 0.2 * pgr),
        ):
            told[COLUMNS.index(name)] = value
        return told


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_indices_of_a_function_that_is_known(noise: float) -> None:
    """Shares of variance of 4 x + 2 y + noise u over unit ranges: 16, 4 and noise squared, over
    their sum."""
    knobs = {"overseer.structure": (0.0, 1.0), "model.shared_bias": (0.0, 1.0)}
    of = study(knobs={key: list(ends) for key, ends in knobs.items()}, samples=512)
    plan = Plan(of, resolved(of))
    done = plan.analysis(plan.gains(Linear(noise).row), [])
    whole = 16 + 4 + noise**2
    shares = {"overseer.structure": 16, "model.shared_bias": 4, NOISE: noise**2}
    for knob, share in shares.items():
        index = done.of("debate", knob)
        assert index.first is not None
        assert index.total is not None
        for value, half in ((index.first, index.first_half), (index.total, index.total_half)):
            assert half is not None
            assert abs(value - share / whole) <= 2 * half + 1e-3
    # The sequence is even in the knobs; noise is drawn 1024 times: its covariance with them and its
    # own variance have a relative standard error of .03 together.
    assert done.variance["debate"] == pytest.approx(whole / 12, rel=0.12 if noise else 0.01)
    assert done.knobs[0] == "overseer.structure"
    assert done.knobs[-1] == NOISE


def test_a_knob_that_a_protocol_does_not_know_has_no_share() -> None:
    done = analyze(study(knobs={"model.shared_bias": [0.0, 0.9]}, samples=8))
    unaided = done.of("unaided", "model.shared_bias")
    assert unaided.total == 0
    assert done.of("unaided", NOISE).total == pytest.approx(1, abs=0.5)
    assert done.of("debate", "model.shared_bias").status == "ok"
    assert done.runs == 8 * 4


def test_a_killed_analysis_goes_on(tmp_path: Path) -> None:
    of = study(knobs={"overseer.structure": [0.2, 0.9]}, samples=4, replicates=2)
    ran: list[int] = []

    def kill(_: Any) -> None:
        ran.append(1)
        if len(ran) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze(of, out=tmp_path, progress=kill)
    done = analyze(of, out=tmp_path, progress=kill)
    assert len(ran) == done.runs == 32
    assert done.indices == analyze(of, jobs=2).indices
    assert (tmp_path / "sensitivity.csv").read_text().startswith("protocol,knob,first,")


def test_pgr_that_is_undefined_somewhere_has_no_indices() -> None:
    done = analyze(study(knobs={"overseer.accuracy.root": [0.6, 0.94]}, samples=16))
    index = done.of("debate", "overseer.accuracy.root")
    assert index.total is None
    assert index.status.startswith("undefined: PGR is undefined at ")


def test_whole_numbers_stay_whole() -> None:
    of = study(knobs={"protocols.debate.debate.turns": [1, 6]}, samples=8)
    turns = {keys.study.protocols["debate"].turns for keys, _ in Plan(of, resolved(of)).runs()}
    assert turns <= set(range(1, 7))
    assert len(turns) > 3


def test_the_usual_knobs_are_those_that_fit() -> None:
    assert len(resolved(study()).knobs) == 8
    listed = Study.model_validate(
        {
            "overseer": {"accuracy": [0.7, 0.8, 0.9]},
            "protocols": {"a": "direct"},
        }
    )
    assert "overseer.accuracy.root" not in resolved(listed).knobs
    asked = Sensitivity(knobs={"overseer.nothing": (0, 1)})
    with pytest.raises(SensitivityError, match="unknown key"):
        resolved(listed.model_copy(update={"sensitivity": asked}))


def test_the_command() -> None:
    arguments = ["sensitivity", "quickstart", "--samples", "2", "--replicates", "1"]
    knob = ["--knob", "overseer.structure=0.3:0.9"]
    said = CliRunner().invoke(main, [*arguments, *knob, "--format", "json"])
    assert said.exit_code == 0, said.output
    rows = json.loads(said.stdout)["rows"]
    assert {row["knob"] for row in rows} == {"overseer.structure", NOISE}
    told = CliRunner().invoke(main, [*arguments, *knob])
    assert "replicate noise" in told.stdout
    for wrong, says in (
        (["--knob", "overseer.structure"], "expected like"),
        (["--knob", "overseer.structre=0.3:0.9"], "did you mean 'structure'"),
        (["--knob", "overseer.structure=0.9:0.3"], "expected low, then high"),
        (["--samples", "3"], "no power of two"),
    ):
        bad = CliRunner().invoke(main, [*arguments, *wrong])
        assert bad.exit_code == 2, wrong
        assert says in bad.stderr
