"""Sweeps: a grid is what its points are, and crossings are where they were put."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import ttest_1samp

import oversight
from oversight import Study
from oversight.analyses.comparing import FIRST_LOOK, enough, first_look
from oversight.analyses.sweeping import spanned
from oversight.cli.main import main
from oversight.cli.progress import CellCount
from oversight.core.errors import KnobError
from oversight.findings.sweep import placed
from oversight.metrics.crossings import crossings
from oversight.metrics.pgr import fieller
from oversight.reports.comparison import document
from oversight.reports.sweep import spark
from oversight.running.replicate import COLUMNS
from oversight.studies.cases import Case
from oversight.studies.knobs import varied
from tests.helpers import binomial_error


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 3,
        "world": {"train_items": 200, "test_items": 200, "features": 4},
        "protocols": {"unaided": "direct", "debate": {"debate": {"turns": 2}}},
        "sweep": {"overseer.structure": [0.2, 0.8], "protocols.debate.debate.turns": [1, 4]},
    }
    return Study.model_validate({**plain, **changes})


def test_a_grid_is_what_its_points_are(tmp_path: Path) -> None:
    swept = oversight.sweep(study(), out=tmp_path, jobs=2)
    assert len(swept) == 4
    for structure, turns in product((0.2, 0.8), (1, 4)):
        alone = study(
            sweep={},
            overseer={"structure": structure},
            protocols={"unaided": "direct", "debate": {"debate": {"turns": turns}}},
        )
        here, there = swept.at(structure, turns), oversight.compare(alone)
        for name in ("unaided", "debate"):
            for column in COLUMNS:
                ours, theirs = here.column(name, column), there.column(name, column)
                assert np.array_equal(ours, theirs, equal_nan=True)
    with (tmp_path / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["overseer.structure"] for row in rows] == ["0.2"] * 4 + ["0.8"] * 4
    assert [row["protocols.debate.debate.turns"] for row in rows] == ["1", "1", "4", "4"] * 2
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")
    with (tmp_path / "runs.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4 * 2 * 3


def test_a_killed_sweep_goes_on(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(_: Any) -> None:
        ran.append(1)
        if len(ran) == 5:
            raise Killed

    ran: list[int] = []
    with pytest.raises(Killed):
        oversight.sweep(study(), out=tmp_path, progress=kill)
    oversight.sweep(study(), out=tmp_path, progress=kill)
    assert len(ran) == 12
    oversight.sweep(study(), out=tmp_path / "whole")
    for name in ("runs.csv", "summary.csv", "differences.csv", "crossings.csv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_paths() -> None:
    plain = study(
        sweep={},
        desk={},
        protocols={
            "a": {"vote": {"members": [{"debate": {"turns": 1}}, "human"]}},
            "b": {"cascade": {"share": 0.5}},
        },
        failures={"f": {"kind": "random_flips", "items": {"share": 0.5}}},
    )
    made = varied(plain, "protocols.a.vote.members.0.debate.turns", 5)
    assert made.protocols["a"].members[0].turns == 5
    assert varied(plain, "protocols.b.cascade.share", 0.1).protocols["b"].share == 0.1
    assert varied(plain, "failures.f.items.share", 0.2).failures["f"].together[0].items.share == 0.2
    assert varied(plain, "desk.people", 3.0).desk.people == 3
    assert varied(plain, "world.tree.depth", 1).world.task_tree.height == 1
    for path, value, says in (
        ("protocols.c.debate.turns", 1, "unknown key 'c'"),
        ("world.train_items", 10.5, "10.5 is not right"),
        ("overseer.minutes.root.x", 1, "no key 'x'"),
        ("overseer.structure", 2.0, "less than or equal to 1"),
        ("overseer.accuracy.root", 0.99, "at most the ceiling"),
    ):
        with pytest.raises(KnobError, match=says):
            varied(plain, path, value)


def test_values_that_do_not_go_together_are_told_before_anything_runs(tmp_path: Path) -> None:
    apart = study(sweep={"world.ceiling": [0.93, 0.95], "overseer.accuracy.root": [0.7, 0.94]})
    with pytest.raises(KnobError, match=r"at most the ceiling 0\.93"):
        spanned(apart)
    text = (
        "oversight: 1\nprotocols: {a: direct}\nsweep:\n  world.ceiling: [0.93, 0.95]\n"
        "  overseer.accuracy.root: [0.7, 0.94]\n"
    )
    (tmp_path / "s.yaml").write_text(text)
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "s.yaml"), "--out", str(out)])
    assert done.exit_code == 2
    assert "at most the ceiling 0.93" in done.stderr
    assert not out.exists()


def test_crossings_are_found_where_they_are_and_cover_it() -> None:
    """Differences that fall by 1 with every e-fold: zero at 100. Intervals hold that 95 times in
    100."""
    rng = np.random.default_rng(3)
    values = [20.0, 50.0, 90.0, 200.0, 700.0]
    true = np.log(100) - np.log(values)
    inside, tries = 0, 600
    for _ in range(tries):
        apart = true[:, None] + rng.standard_normal((5, 12))
        found = crossings("k", "", "a", "b", values, apart)
        one = next((c for c in found if (c.ahead_below, c.ahead_above) == ("a", "b")), None)
        assert one is not None
        inside += one.low <= 100 <= one.high
    assert abs(inside / tries - 0.95) < 4 * np.sqrt(0.95 * 0.05 / tries)
    (sharp,) = crossings("k", "", "a", "b", values, np.tile(true[:, None], (1, 4)))
    # Between neighbors the truth is a line in the logarithm, so that interpolation is exact.
    assert sharp.value == pytest.approx(100)
    assert sharp.low == sharp.high == pytest.approx(100)


@pytest.mark.parametrize(("means", "value"), [([-1, 0, 1], 2.0), ([1, 0, 0, -1], 3.0)])
def test_a_tie_on_the_way_is_a_crossing(means: list[float], value: float) -> None:
    luck = 0.01 * np.random.default_rng(6).standard_normal((len(means), 12))
    apart = np.array(means)[:, None] * (1 + luck)
    at = [float(2**i) for i in range(len(means))]  # ties at 2, or at 2 and 4
    (found,) = crossings("k", "", "a", "b", at, apart)
    assert found.value == pytest.approx(np.sqrt(8.0) if value == 3.0 else value)
    assert found.low <= found.value <= found.high


def test_a_failed_cell_costs_its_replicate_and_no_crossing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A replicate fails at one value, and another at another."""
    from oversight.running import labeling

    fixed = {"swept": {"debate": {"turns": 1}}, "fixed": {"debate": {"turns": 4}}}
    grid = {"protocols.swept.debate.turns": [1, 4, 16]}
    small = study(protocols=fixed, sweep=grid, replicates=30)
    (whole,) = oversight.sweep(small).crossings()
    real = labeling.Labeler.label

    def label(self: Any, case: Case) -> Any:
        turns = self.study.protocols["swept"].turns
        if self.pool.draws.key[1] == turns and case.protocol == "swept":
            raise ValueError("now and then")
        return real(self, case)

    monkeypatch.setattr(labeling.Labeler, "label", label)
    swept = oversight.sweep(small)
    # With 4 turns the two are one protocol, which is run once.
    assert [lost.replicate for lost in swept.failed] == [1, 16]
    assert [bool(lost.traceback) for lost in swept.failed] == [True, False]
    (found,) = swept.crossings()
    assert found.value == whole.value == pytest.approx(4)


def test_rounds_of_precision_are_counted_once(tmp_path: Path) -> None:
    progress = CellCount()
    wide = study(sweep={})
    done = oversight.compare(wide, precision=0.02, most=12, out=tmp_path, progress=progress)
    assert done.replicates == 12
    assert progress.line().startswith("24 of 24 cells")
    assert progress.there == 0
    again = CellCount()
    oversight.compare(wide, precision=0.02, most=12, out=tmp_path, progress=again)
    assert again.line().startswith("24 of 24 cells")
    assert again.there == 24


def test_what_another_run_left_is_not_taken_for_this_one(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    oversight.sweep(study(), out=tmp_path)
    table = pyarrow.parquet.read_table(tmp_path / "runs.parquet")
    assert table.num_rows == 4 * 2 * 3
    assert "overseer.structure" in table.column_names
    oversight.compare(study(sweep={}), out=tmp_path)
    assert pyarrow.parquet.read_table(tmp_path / "runs.parquet").num_rows == 2 * 3
    assert not (tmp_path / "crossings.csv").exists()
    assert not (tmp_path / "curves.svg").exists()


def test_hours_can_be_swept_without_a_desk() -> None:
    (here, there) = (
        oversight.sweep(study(sweep={"desk.hours": [10, 20]})),
        oversight.sweep(study(sweep={}), hours=(10, 20)),
    )
    assert list(here.summary()) == list(there.summary())


def test_no_crossing_is_told_of_those_who_are_alike() -> None:
    rng = np.random.default_rng(4)
    told = sum(
        len(crossings("k", "", "a", "b", [0.0, 1, 2, 3], 1e-3 * rng.standard_normal((4, 8))))
        for _ in range(300)
    )
    assert told < 300 * 0.02  # both sides must be clear, by chance: about .05 squared, some ways


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 1.0]])
def test_a_stretch_lies_between_the_values(values: list[float]) -> None:
    rng = np.random.default_rng(5)
    apart = np.array([[0.5], [-0.5]]) + 0.05 * rng.standard_normal((2, 30))
    (found,) = crossings("k", "", "a", "b", values, apart)
    assert values[0] < found.low < found.value < found.high < values[1]


@pytest.mark.parametrize("values", [[0.0, 1.0, 3.0, 4.0, 8.0], [1.0, 2.0, 5.0, 20.0, 30.0]])
def test_a_stretch_ends_where_the_paired_t_test_says(values: list[float]) -> None:
    """At both ends p is .05; in between it is larger, everywhere."""
    scale = np.log if min(values) > 0 else np.asarray
    rng, count = np.random.default_rng(8), 0

    def p(apart: np.ndarray, place: np.ndarray) -> np.ndarray:
        between = [np.interp(scale(place), scale(values), each) for each in apart.T]
        return ttest_1samp(between, 0.0).pvalue

    for _ in range(60):
        slope = np.array([2.0, 0.8, 0.1, -0.3, -2.0])[:, None]
        apart = slope + rng.uniform(0.1, 2, (5, 1)) * rng.standard_normal((5, 9))
        for found in crossings("k", "", "a", "b", values, apart):
            count += 1
            assert p(apart, np.array([found.low, found.high])) == pytest.approx(0.05, rel=1e-6)
            inside = np.linspace(found.low, found.high, 999)[1:-1]
            assert p(apart, inside).min() > 0.05
            assert found.low < found.value < found.high
    assert count > 40


def test_both_sides_of_a_crossing_differ_from_zero() -> None:
    rng, count = np.random.default_rng(9), 0
    for _ in range(400):
        apart = np.array([[0.7], [-0.7]]) + rng.standard_normal((2, 9))
        p, mean = ttest_1samp(apart.T, 0.0).pvalue, apart.mean(axis=1)
        expected = p.max() < 0.05 and mean[0] * mean[1] < 0
        assert len(crossings("k", "", "a", "b", [0.0, 1.0], apart)) == expected
        count += expected
    assert 40 < count < 360


def test_two_values_and_two_replicates_are_enough_for_a_crossing() -> None:
    apart = np.array([[0.99, 1.01], [-0.99, -1.01]])
    assert len(crossings("k", "", "a", "b", [0.0, 1.0], apart)) == 1
    assert crossings("k", "", "a", "b", [0.0], apart[:1]) == []
    assert crossings("k", "", "a", "b", [0.0, 1.0], apart[:, :1]) == []
    lost = np.array([[0.99, 1.01], [np.nan, 0.0], [-0.99, -1.01]])
    (found,) = crossings("k", "", "a", "b", [0.0, 1.0, 2.0], lost)
    assert found.value == pytest.approx(1.0)


def test_hours_need_no_desk(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main,
        [
            "compare",
            "quickstart",
            "--replicates",
            "2",
            "--hours",
            "0",
            "40",
            "80",
            "--format",
            "json",
        ],
    )
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["knobs"] == ["desk.hours"]
    rows = {(row["desk.hours"], row["protocol"]): row for row in answer["rows"]}
    assert rows[0, "debate"]["pgr_status"] == "undefined: nothing was labeled"
    assert rows[40, "unaided"]["coverage"] == 200 / 4000
    assert rows[80, "tree debate"]["hours_used"] == pytest.approx(80)
    again = CliRunner().invoke(
        main,
        ["compare", "quickstart", "--replicates", "2", "--hours", "0,40,80", "--format", "json"],
    )
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["quickstart", "--hours", "many"], "expected numbers of person-hours"),
        (["quickstart", "--hours", "-3"], "expected 0 or more"),
        (["quickstart", "--hours", "3", "3"], "given twice"),
        (["quickstart", "debate"], "one scenario at a time"),
        (["quickstart", "--hours", ""], "expected numbers of person-hours"),
        (["quickstart", "--precision", "0"], "is not in the range"),
    ],
)
def test_bad_budgets(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["compare", *arguments])
    assert done.exit_code == 2
    assert says in done.stderr


def test_precision_adds_replicates_until_intervals_are_narrow() -> None:
    plain = study(sweep={}, replicates=4)
    loose = oversight.compare(plain, precision=10.0)
    assert loose.replicates == FIRST_LOOK
    done = oversight.compare(plain, precision=0.08, most=400)
    half = [(done.pgr(name).high - done.pgr(name).low) / 2 for name in done.protocols]
    assert max(half) <= 0.08
    assert FIRST_LOOK < done.replicates <= 400
    before = oversight.compare(plain.model_copy(update={"replicates": done.replicates}))
    assert before.rows == done.rows  # as if so many had been asked for
    assert oversight.compare(plain, precision=1e-6, most=9).replicates == 9


def test_precision_does_not_wait_for_what_is_never_labeled() -> None:
    none = oversight.compare(study(sweep={}, desk={"hours": 0.0}))
    assert enough(none, 0.01, 1000) == none.replicates


def test_precision_gives_up_where_there_is_no_gap() -> None:
    expert = {"accuracy": {"root": 0.95, "leaf": 0.99}}
    small = study(sweep={}, overseer=expert, world={"train_items": 500, "features": 8})
    done = oversight.compare(small, precision=0.05)
    assert done.replicates == FIRST_LOOK
    assert done.gap_is_absent
    text = document(done, 0.05).markdown()
    assert "More would not help where ceiling - weak is below 0.01." in text
    swept = oversight.sweep(small.changed(sweep={"overseer.structure": [0.2, 0.8]}), precision=0.05)
    assert swept.study.replicates == FIRST_LOOK


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [0.8, 0.4, 0.2, 0.1])
def test_intervals_that_a_wish_for_precision_stops_at_cover(
    wanted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A protocol whose PGR is .4, each replicate normal around it; as many studies as it takes."""
    studies, covered = 2500, []
    rng = np.random.default_rng(int(100 * wanted))
    start = study(sweep={}, replicates=2)

    def simulated(runs: int) -> SimpleNamespace:
        nonlocal gains
        more = rng.standard_normal(max(runs - len(gains), 0))
        gains = np.concatenate([gains, more])
        cases = [Case("debate")]
        ratio = fieller(0.4 + gains[:runs], np.ones(runs))
        return SimpleNamespace(
            replicates=runs, cases=cases, gap_is_absent=False, pgr=lambda case: ratio
        )

    for _ in range(studies):
        gains = np.array([])
        runs = first_look(start, 1000).replicates
        while (more := enough(simulated(runs), wanted, 1000)) > runs:  # type: ignore[arg-type]
            runs = more
        ratio = simulated(runs).pgr(None)
        covered.append(ratio.low <= 0.4 <= ratio.high)
    error = binomial_error(0.95, studies)
    # The rule costs at most .006 (at 20 to 40 replicates); a first look after 2 costs .05.
    assert 0.944 - 3 * error < np.mean(covered) < 0.95 + 3 * error


def test_precision_at_every_point() -> None:
    swept = oversight.sweep(study(), precision=0.3, most=60)
    assert swept.study.replicates > 3
    for point in swept.points:
        for row in swept.at(*point).summary():
            assert row["replicates"] == swept.study.replicates
            assert (row["pgr_high"] - row["pgr_low"]) / 2 <= 0.3


def test_failures_are_crossed_with_the_grid() -> None:
    broken = study(failures={"flips": {"kind": "random_flips", "severity": [0.5, 1.0]}})
    swept = oversight.sweep(broken, failures=True)
    cases = [(row["protocol"], row["failure"], row["severity"]) for row in swept.summary()]
    assert len(cases) == 4 * 2 * 3
    assert ("debate", "flips", 1.0) in cases
    assert swept.at(0.2, 1).column(Case("debate", "flips", 1.0), "label_accuracy").shape == (3,)


def test_a_point_says_what_it_is() -> None:
    at = placed(study(), {"overseer.structure": 0.4, "desk.hours": 10.0})
    assert at.overseer.structure == 0.4
    assert at.desk is not None
    assert (at.desk.hours, at.desk.people, at.sweep) == (10.0, "unlimited", {})


def test_sparks() -> None:
    assert spark([0.0, None, 0.5, 1.0], 0.0, 1.0) == "▁ ▅█"
    assert spark([0.3, 0.3], 0.3, 0.3) == "▁▁"
    assert spark([None], 0.0, 0.0) == " "
    assert spark([0.0, 0.1], 0.0, 1.0) == "▁▂"  # on the scale of the other lines
