"""Items 10, 12 and 14: what PGR says, when it says nothing, and how often its interval is right."""

from __future__ import annotations

import numpy as np
import pytest

import oversight
from mechanisms.direct import Direct
from oversight import Study
from oversight.metrics import closed_forms as theory
from oversight.metrics.pgr import differences, fieller, gap_is_absent, holm, paired_p_value
from oversight.reports.comparison import notes
from tests.helpers import Gold, binomial_error


def study(replicates: int = 3, items: int = 600, **changes: object) -> Study:
    plain: dict[str, object] = {
        "replicates": replicates,
        "world": {"train_items": items, "test_items": items, "features": 8, "ceiling": 0.95},
        "protocols": {"unaided": "direct", "debate": "debate", "decomposition": "decomposition"},
    }
    return Study.model_validate({**plain, **changes})


def test_gains_add_up_to_pgr_and_direct_has_no_oversight_gain() -> None:
    for row in oversight.compare(study()).summary():
        assert row["pgr_status"] == "ok"
        total = row["oversight_gain"] + row["generalization_gain"]
        assert total == pytest.approx(row["pgr"], abs=1e-12)
        if row["protocol"] == "unaided":
            assert row["oversight_gain"] == 0


def test_labels_identical_to_gold_recover_exactly_everything() -> None:
    results = oversight.compare(study(protocols={"gold": Gold(), "debate": "debate"}))
    row = next(row for row in results.summary() if row["protocol"] == "gold")
    assert row["pgr"] == 1.0
    assert row["label_accuracy"] == 1.0
    assert row["pgr_low"] == pytest.approx(1.0, abs=1e-9)
    # Gold is the intended answer but for its noise, which has no direction.
    assert row["representable_share_low"] <= 0 <= row["representable_share_high"]


def test_random_errors_too_can_teach_more_than_noisy_gold() -> None:
    expert = {"accuracy": {"root": 0.9, "leaf": 0.95}, "structure": 0.0}
    direct = {"protocols": {"alone": "direct"}, "replicates": 12, "overseer": expert}
    for labels, reported in (("hard", 1.15), ("soft", 1.35)):
        found = oversight.compare(Study.model_validate({**direct, "student": {"labels": labels}}))
        assert 1 < found.pgr("alone").low < reported < found.pgr("alone").high


def test_an_overseer_as_good_as_the_ceiling_leaves_pgr_undefined() -> None:
    expert = {"accuracy": {"root": 0.95, "leaf": 0.99}}
    row = oversight.compare(study(overseer=expert)).summary()[0]
    assert row["pgr"] is None
    assert row["pgr_low"] is None
    assert row["pgr_status"].startswith("undefined: ceiling - weak is ")
    assert row["oversight_gain"] is None


def test_one_replicate_gives_a_value_and_no_interval() -> None:
    row = oversight.compare(study(replicates=1)).summary()[0]
    assert row["pgr"] is not None
    assert row["pgr_low"] is None
    assert row["pgr_status"] == "ok: one replicate, no interval"
    assert row["representable_share_status"] == "ok: one replicate, no interval"
    lines = notes(oversight.compare(study(replicates=1)))
    assert lines[-1] == "One replicate: no intervals and no comparisons."
    assert not any("*" in line for line in lines)


def test_the_unaided_overseer_is_always_run() -> None:
    added = oversight.compare(study(protocols={"debate": "debate"}))
    assert added.protocols == ["unaided", "debate"]
    named = oversight.compare(study(protocols={"debate": "debate", "alone": Direct()}))
    assert named.protocols == ["debate", "alone"]
    assert named.summary()[1]["oversight_gain"] == 0


def test_adding_replicates_changes_no_stored_row() -> None:
    few, many = oversight.compare(study(replicates=2)), oversight.compare(study(replicates=4))
    assert many.rows[: len(few.rows)] == few.rows


def test_undefined_by_the_letter() -> None:
    gap = np.array([0.012, 0.008, 0.011, 0.009])
    assert fieller(gap / 2, gap - 0.001).status.startswith("undefined")  # mean .009 <= .01
    noisy = np.array([0.5, -0.3, 0.2, -0.1])  # mean .075, not clear of its standard error
    assert fieller(noisy, noisy).status.startswith("undefined")
    assert fieller([], []).status == "undefined: no replicate succeeded"
    assert fieller([0.05], [0.005]).status.startswith("undefined")


def simulated(rng: np.random.Generator, runs: int, studies: int) -> tuple[np.ndarray, np.ndarray]:
    """Replicates of (student - weak, ceiling - weak) that share the error of weak; true PGR .4."""
    weak, top, student = (rng.standard_normal((studies, runs)) * sd for sd in (0.02, 0.015, 0.02))
    return 0.08 + student - weak, 0.20 + top - weak


@pytest.mark.parametrize("runs", [3, 5, 10, 20])
def test_fiellers_interval_covers_its_nominal_share(runs: int) -> None:
    tops, gaps = simulated(np.random.default_rng(runs), runs, studies := 4000)
    reported = [fieller(top, gap) for top, gap in zip(tops, gaps, strict=True)]
    # What is not reported is not clear of zero at the same level: at most a few studies here, and
    # they count as covering, for their interval is unbounded.
    covers = [not r.defined or r.low <= 0.4 <= r.high for r in reported]
    assert np.mean([r.defined for r in reported]) > 0.99
    assert np.mean(covers) == pytest.approx(0.95, abs=4 * binomial_error(0.95, studies))


def test_differences_hold_together() -> None:
    rng, covered, studies = np.random.default_rng(5), [], 1500
    truth = {"a": 0.1, "b": 0.5, "c": 0.5}
    for _ in range(studies):
        weak, top = rng.standard_normal((2, 8)) * 0.02
        gap = 0.2 + top - weak
        students = {k: 0.7 + v * 0.2 + rng.standard_normal(8) * 0.02 for k, v in truth.items()}
        found = differences(students, gap)
        covered.append(
            all(
                pair.difference.low
                <= truth[pair.first] - truth[pair.second]
                <= pair.difference.high
                for pair in found
                if pair.difference.defined
            )
        )
    assert np.mean(covered) >= 0.95 - 4 * binomial_error(0.95, studies)


def test_the_interval_of_a_known_case() -> None:
    # Without error in the denominator, Fieller's interval is the t interval of the numerator.
    top, gap = np.array([0.08, 0.10, 0.12]), np.full(3, 0.2)
    found = fieller(top, gap)
    half = 4.302653 * 0.02 / np.sqrt(3) / 0.2
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-6)


def test_holms_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, float("nan"), 0.02])[0] == pytest.approx(0.5)
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_paired_p_values() -> None:
    assert paired_p_value(np.zeros(5)) == 1.0
    assert paired_p_value(np.full(5, 0.1)) == 0.0
    assert np.isnan(paired_p_value(np.array([0.1])))
    # Mean .02, standard error .01, one degree of freedom: t = 2, p = 1 - (2 / pi) atan(2).
    assert paired_p_value(np.array([0.01, 0.03])) == pytest.approx(1 - 2 / np.pi * np.arctan(2))
    assert paired_p_value(np.array([-0.01, -0.03])) == paired_p_value(np.array([0.01, 0.03]))


def test_one_replicate_has_a_value_and_two_a_wide_interval() -> None:
    one = fieller([0.06], [0.3])
    assert one.value == pytest.approx(0.2)
    assert np.isnan([one.low, one.high]).all()
    # Two replicates: t of one degree of freedom is 12.7; the bounds solve (over - rho under)^2 =
    # t^2 (Var over - 2 rho Cov + rho^2 Var under).
    over, under = np.array([0.05, 0.07]), np.array([0.300, 0.302])
    two, t = fieller(over, under), np.tan(np.pi * 0.475)
    assert two.value == pytest.approx(0.06 / 0.301)
    for rho in (two.low, two.high):
        apart = over - rho * under
        assert abs(apart.mean()) == pytest.approx(t * apart.std(ddof=1) / np.sqrt(2), rel=1e-6)
    assert two.low < two.value < two.high


def test_what_is_undefined_has_no_p_value_and_is_not_counted() -> None:
    two = oversight.load("quickstart").changed(replicates=2, seed=1)
    results = oversight.compare(two.changed(world=two.world.changed(test_items=50)))
    rows = results.differences_rows()
    assert all(row["p_value"] is None for row in rows if row["difference"] is None)
    assert sum(row["difference"] is None for row in rows) == len(rows)  # no gap, at 50 items
    assert notes(results)[-1] == "No two protocols can be compared."


def test_replicates_that_agree_by_luck_tell_nothing() -> None:
    gap = np.array([0.2, 0.21])
    students = {"a": np.array([0.8, 0.82]), "b": np.array([0.7, 0.72]), "c": np.array([0.7, 0.71])}
    by_name = {(d.first, d.second): d for d in differences(students, gap)}
    assert by_name["a", "b"].difference.defined
    assert np.isnan(by_name["a", "b"].p_value)  # .1 twice: it was 0
    two = paired_p_value(np.array([0.1, 0.11])), paired_p_value(np.array([0.0, 0.01]))
    assert by_name["a", "c"].p_value == pytest.approx(holm(two)[0])
    assert by_name["b", "c"].p_value == pytest.approx(holm(two)[1])


def test_a_gap_is_absent_where_its_upper_bound_is_below_the_least() -> None:
    # Standard error d / sqrt(3); t of 3 degrees of freedom at 99.9 % is 10.2145.
    around = np.array([-0.001, -0.001, 0.001, 0.001])
    half = 10.2145 * 0.001 / np.sqrt(3)
    assert gap_is_absent(0.01 - half - 1e-6 + around)
    assert not gap_is_absent(0.01 - half + 1e-6 + around)
    assert gap_is_absent(np.array([*(0.01 - half - 1e-6 + around), np.nan]))
    assert not gap_is_absent(np.array([0.0]))
    assert gap_is_absent(np.array([0.0, 0.0]))


def test_identical_protocols_do_not_differ() -> None:
    results = oversight.compare(study(protocols={"a": "debate", "b": {"debate": {"turns": 3}}}))
    pair = next(d for d in results.differences() if {d.first, d.second} == {"a", "b"})
    assert pair.p_value == 1.0
    assert pair.difference.value == 0


@pytest.mark.parametrize(("accuracy", "structure"), [(0.6, 0.25), (0.7, 0.5), (0.8, 0.75)])
def test_pgr_of_the_closed_form_with_its_finite_sample_shift(
    accuracy: float, structure: float
) -> None:
    items, features, eta = 8000, 32, 0.05
    lone = {"kind": "balanced", "depth": 0, "gates": []}
    stated = eta + (1 - 2 * eta) * accuracy
    found = oversight.compare(
        study(
            replicates=10,
            world={"train_items": items, "test_items": 20_000, "features": features, "tree": lone},
            overseer={"accuracy": {"root": stated, "leaf": stated}, "structure": structure},
            student={"labels": "hard"},
            protocols={"unaided": "direct"},
        )
    )
    finite = theory.finite_student_angle(accuracy, structure, items, features)
    student = eta + (1 - 2 * eta) * float(theory.accuracy_of(finite))
    # The measured ceiling lies below 1 - eta and lifts PGR over its limit.
    ceiling = float(found.column("unaided", "ceiling_accuracy").mean())
    wanted = (student - stated) / (ceiling - stated)
    pgr = found.pgr("unaided")
    error = (pgr.high - pgr.low) / 2 / 2.26  # t of 9 degrees of freedom
    # The finite-sample angle is approximate: it may be off by a tenth of its own shift.
    shift = abs(finite - float(theory.student_angle(accuracy, structure))) / np.pi
    assert pgr.value == pytest.approx(wanted, abs=4.5 * error + 0.1 * shift / (ceiling - stated))
    assert ceiling < 1 - eta
