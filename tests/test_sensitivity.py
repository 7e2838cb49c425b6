"""Sobol indices of PGR, held to a function whose indices are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from oversight import Study
from oversight.analyses.analyzing import WORLDS, Plan, analyze, resolved
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


KNOBS = {"overseer.structure": (0.0, 1.0), "model.shared_bias": (0.0, 1.0)}


def known(noise: float, samples: int) -> tuple[Plan, np.ndarray]:
    """The plan of 4 x + 2 y + noise u over unit ranges, and the true shares of its variance: 16, 4
    and noise squared, over their sum."""
    of = study(knobs={key: list(ends) for key, ends in KNOBS.items()}, samples=samples)
    return Plan(of, resolved(of)), np.array([16, 4, noise**2]) / (20 + noise**2)


def test_indices_of_a_function_without_noise() -> None:
    """The sequence is even: at 512 samples the indices of a linear function are right to 1e-5."""
    plan, shares = known(0.0, 512)
    done = plan.analysis(plan.gains(Linear(0.0).row), [])
    for knob, share in zip([*KNOBS, NOISE], shares, strict=True):
        index = done.of("debate", knob)
        assert index.first == pytest.approx(share, abs=1e-5)
        assert index.total == pytest.approx(share, abs=1e-5)
    assert done.mean["debate"] == pytest.approx(3, abs=1e-3)
    assert done.variance["debate"] == pytest.approx(20 / 12, rel=1e-4)
    assert done.knobs == ["overseer.structure", "model.shared_bias", NOISE]


def test_indices_of_a_function_with_noise() -> None:
    """Over many draws of the noise: the mean of every index, and its spread as the tool has it."""
    noise, samples, draws = 3.0, 128, 100
    plan, shares = known(noise, samples)
    number = (plan.points[:, -1] * WORLDS).astype(np.int64)
    values, halves = [], []
    for draw in range(draws):
        uniform = np.random.default_rng(draw).random(WORLDS)[number]
        pgr = plan.points[:, :2] @ [4, 2] + noise * uniform
        done = plan.analysis({"debate": pgr}, [])
        values.append([(i.first, i.total) for i in done.indices])
        halves.append([(i.first_half, i.total_half) for i in done.indices])
    spread = np.std(values, axis=0, ddof=1)
    # Ratios of means over `samples` points have a bias of the order of 1 / samples.
    apart = np.abs(np.mean(values, axis=0) - shares[:, None])
    assert (apart < 4.5 * spread / np.sqrt(draws) + shares[:, None] / samples).all()
    # Half a 95 % interval is 1.96 standard errors. Knobs are spread evenly, which the bootstrap
    # does not know: their intervals are too wide, never too narrow.
    ratio = np.mean(halves, axis=0) / (1.96 * spread)
    error = 1 / np.sqrt(2 * draws)
    assert ratio[-1] == pytest.approx(1, abs=4.5 * error)
    assert (ratio > 1 - 4.5 * error).all()


def test_noise_is_read_from_the_replicates_of_each_point() -> None:
    plan, _ = known(3.0, 8)
    uniform = [
        np.random.default_rng(min(int(u * WORLDS), WORLDS - 1)).random() for u in plan.points[:, -1]
    ]
    wanted = plan.points[:, :2] @ [4, 2] + 3 * np.array(uniform)
    assert plan.gains(Linear(3.0).row)["debate"] == pytest.approx(wanted, abs=1e-9)


def test_a_knob_that_a_protocol_does_not_know_has_no_share() -> None:
    done = analyze(study(knobs={"model.shared_bias": [0.0, 0.9]}, samples=8))
    unaided = done.of("unaided", "model.shared_bias")
    assert unaided.total == 0
    assert unaided.first == pytest.approx(0, abs=1e-12)
    assert done.of("debate", "model.shared_bias").status == "ok"
    assert done.runs == 8 * 4


def test_where_noise_is_all_its_share_is_one() -> None:
    samples, draws = 64, 100
    of = study(knobs={"model.shared_bias": [0.0, 0.9]}, samples=samples)
    plan, shares = Plan(of, resolved(of)), []
    number = (plan.points[:, -1] * WORLDS).astype(np.int64)
    for draw in range(draws):
        pgr = np.random.default_rng(draw).random(WORLDS)[number]
        index = plan.analysis({"unaided": pgr}, []).of("unaided", NOISE)
        shares.append((index.first, index.total))
    error = np.std(shares, axis=0, ddof=1) / np.sqrt(draws)
    assert np.mean(shares, axis=0) == pytest.approx([1, 1], abs=4.5 * error.max() + 1 / samples)
    assert 4.5 * error.max() < 0.1


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
    done = CliRunner().invoke(main, [*arguments, *knob, "--format", "json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
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
