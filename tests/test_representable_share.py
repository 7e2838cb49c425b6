"""The representable share recovers planted shares, its interval covers, and it says when it means
nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import stdtrit

import oversight
from oversight import Human, Mechanism, Study
from oversight.metrics.pgr import Ratio, Status
from oversight.metrics.representable_share import Axes, representable_share, share_measures
from oversight.students.probe import fit_probes
from oversight.worlds.base import MARGINS
from oversight.worlds.concept import ConceptWorld
from tests.helpers import Flipped, binomial_error, pool, setting, tree, world

RUNS, ITEMS = 12, 4000
SMALL = world(train_items=ITEMS, tree=tree())


def share_of(
    answers: Sequence[np.ndarray],  # type: ignore[type-arg]
    axes: Sequence[Axes],
    marks: Sequence[np.ndarray] | None = None,  # type: ignore[type-arg]
) -> Ratio:
    """The share of these answers, a replicate each, where `marks` says what is labeled."""
    marks = [np.ones_like(a) for a in answers] if marks is None else marks
    columns: list[tuple[float, ...]] = []
    for answer, at, marked in zip(answers, axes, marks, strict=True):
        right, positive = (answer == (at.margin > 0))[marked].mean(), answer[marked].mean()
        columns.append((*share_measures(answer, marked, at).values(), right, positive))
    linear, margin, shift, right, positive = np.array(columns).T
    return representable_share(linear, margin, shift, right, positive, int(marks[0].sum()))


def measured(answers: list[np.ndarray], pools: list) -> Ratio:  # type: ignore[type-arg]
    return share_of(answers, [Axes.of(p) for p in pools])


def error_of(share: Ratio, t: float = 2.2) -> float:
    """Standard error; 2.2 is t of 11 degrees of freedom."""
    return (share.high - share.low) / 2 / t


def drawn(
    rng: np.random.Generator, runs: int, items: int, accuracy: float, structure: float
) -> tuple[list[np.ndarray], list[Axes]]:  # type: ignore[type-arg]
    """Answers of overseers of this accuracy and structure, and the axes of their items."""
    r = np.cos(np.pi * (1 - accuracy))
    answers, axes = [], []
    for _ in range(runs):
        x = rng.standard_normal((items, 8))
        m, b, noise = x[:, 0], x[:, 1], rng.standard_normal(items)
        error = np.sqrt(structure) * b + np.sqrt(1 - structure) * noise
        answers.append(r * m + np.sqrt(1 - r**2) * error > 0)
        axes.append(Axes(x, (x**2).sum(axis=1), m, b))
    return answers, axes


def labels_of(overseer: Human | Mechanism, root: float = 0.7) -> Ratio:
    pools = [pool(SMALL, replicate=i) for i in range(RUNS)]
    made = [overseer.prepare(p, setting(root=root)).assess(p.roots).answer for p in pools]
    return measured(made, pools)


@pytest.mark.parametrize("structure", [0.0, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("accuracy", [0.6, 0.7, 0.85])
def test_planted_shares_are_recovered(structure: float, accuracy: float) -> None:
    found = labels_of(Human(structure=structure), root=accuracy)
    error = error_of(found)
    assert found.value == pytest.approx(structure, abs=4.5 * error)
    assert error < 0.15


def test_independent_flips_have_no_structure() -> None:
    found = labels_of(Flipped(share=0.3))
    assert found.value == pytest.approx(0, abs=4.5 * error_of(found))


def test_a_probes_labels_are_all_structure() -> None:
    pools, answers = [pool(SMALL, replicate=i) for i in range(RUNS)], []
    for p in pools:
        # Taught by other items' labels, for its own noise would be in what it learned.
        other = p.world.pool(1, p._replicate, "test")
        taught = Human().prepare(other, setting()).assess(other.roots).belief
        w, b = fit_probes(other.x, taught[:, None])
        answers.append(p.x @ w[:, 0] + b[0] > 0)
    found = measured(answers, pools)
    assert found.value == pytest.approx(1, abs=4.5 * error_of(found))


def test_replicates_of_differing_accuracy_are_no_structure() -> None:
    people, runs = Human(structure=0.0, skill_sd=0.447), 40
    pools = [pool(SMALL, replicate=i) for i in range(runs)]
    answers = [people.prepare(p, setting(root=0.78)).assess(p.roots).answer for p in pools]
    share = measured(answers, pools)
    error = error_of(share, 2.02)  # t of 39 degrees of freedom
    assert share.value == pytest.approx(0, abs=4.5 * error)
    assert 4.5 * error < 0.04  # it read .07


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "structure"), [(3, 0.5), (5, 0.25), (20, 1.0)])
def test_its_interval_covers(runs: int, structure: float) -> None:
    rng, sets = np.random.default_rng(runs), 1000
    shares = [share_of(*drawn(rng, runs, 500, 0.7, structure)) for _ in range(sets)]
    kept = [share for share in shares if share.defined]
    assert len(kept) > 0.95 * sets
    covered = np.mean([share.low <= structure <= share.high for share in kept])
    # Published: .93 to .97 at 500 items.
    error = binomial_error(0.95, sets)
    assert 0.93 - 2 * error < covered < 0.97 + 2 * error


def test_its_bias_falls_as_one_over_items() -> None:
    biases, errors, sizes = [], [], (60, 240)
    for items in sizes:
        share = share_of(*drawn(np.random.default_rng(1), 1_500_000 // items, items, 0.7, 0.5))
        biases.append((share.value - 0.5) * items)
        errors.append(error_of(share, 1.96) * items)
    assert biases[0] > 4.5 * errors[0]  # there is one
    assert biases[0] == pytest.approx(biases[1], abs=4.5 * float(np.hypot(*errors)))


def test_a_lopsided_share_is_flagged_and_still_a_number() -> None:
    pools = [pool(SMALL, replicate=i) for i in range(RUNS)]
    lopsided = measured([p.margin(p.roots) > 0.3 for p in pools], pools)
    assert lopsided.status.startswith("flagged: 38% of the labels are positive")
    assert lopsided.defined
    assert np.isfinite(lopsided.value)
    one = measured([pools[0].margin(pools[0].roots) > 0.3], pools[:1])
    assert one.status == "ok: one replicate, no interval"
    assert np.isnan(one.low)


def test_an_imbalance_within_its_own_error_is_no_flag() -> None:
    def flagged(positive: list[float]) -> bool:
        runs = np.ones(len(positive))
        sums = 0.25 * runs, 0.2 * runs, 0 * runs
        share = representable_share(*sums, 0.75 * runs, np.array(positive), 60)
        assert share.value == pytest.approx(0.25)  # tan of a quarter turn is 1
        return share.state is Status.FLAGGED

    assert not flagged([0.45, 0.61, 0.49, 0.57])  # .53 +- .037
    assert flagged([0.53, 0.53, 0.54, 0.52])
    assert not flagged([0.515, 0.515, 0.516, 0.514])  # clear of one half, and near it


def test_undefined_at_chance_and_for_perfect_labels() -> None:
    chance = labels_of(Flipped(share=0.5))
    assert chance.status.startswith("undefined: labels are right with chance")
    perfect = labels_of(Flipped(share=1e-6))
    assert perfect.status.startswith("undefined: labels are right with chance 1.0000")
    none = np.array([])
    nothing = representable_share(none, none, none, none, none, 0)
    assert nothing.status == "undefined: nothing was labeled"


def test_it_is_defined_for_random_items_alone() -> None:
    rng = np.random.default_rng(8)
    answers, axes = drawn(rng, RUNS, ITEMS, 0.8, 1.0)
    sure = [  # z of s = 1, at A .8
        np.abs(np.cos(np.pi / 5) * at.margin + np.sin(np.pi / 5) * at.misconception) for at in axes
    ]
    confident = share_of(answers, axes, [z > np.quantile(z, 0.75) for z in sure])
    assert confident.status == "undefined: the labeled items are no random sample of all"
    for share in (0.25, 0.9, 0.999):
        marks = [rng.permutation(ITEMS) < share * ITEMS for _ in answers]
        at_random = share_of(answers, axes, marks)
        assert at_random.state is Status.OK, at_random.status
        assert at_random.value == pytest.approx(1, abs=4.5 * error_of(at_random))


def test_a_small_choice_of_items_shows_over_replicates() -> None:
    # Labeled: all but 8 % of the items of the smallest margin, of a random half.
    rng = np.random.default_rng(9)
    answers, axes = drawn(rng, 30, 1000, 0.8, 0.5)
    marks = [(rng.random(1000) < 0.5) & (np.abs(at.margin) > 0.1) for at in axes]
    assert not share_of(answers, axes, marks).defined


def test_a_world_without_margins_has_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(world=world(train_items=400, test_items=400), protocols={"m": Human()})
    monkeypatch.setattr(ConceptWorld, "has", ConceptWorld.has - {MARGINS})
    row = oversight.compare(study.changed(replicates=2)).summary()[0]
    assert row["representable_share"] is None
    assert row["representable_share_status"] == "undefined: the world has no margins"


def test_its_interval_is_a_jackknife_flagged_or_not() -> None:
    rng = np.random.default_rng(3)
    linear, margin, right = rng.uniform(0.2, 0.3, 7), rng.uniform(0.1, 0.2, 7), 0.7 * np.ones(7)
    right += rng.uniform(-0.02, 0.02, 7)

    def share(kept: np.ndarray, positive: float) -> Ratio:  # type: ignore[type-arg]
        columns = (each[kept] for each in (linear, margin, 0 * linear, right))
        return representable_share(*columns, positive * np.ones(kept.sum()), 4000)

    every = np.ones(7, dtype=bool)
    one_out = np.array([share(np.arange(7) != i, 0.5).value for i in range(7)])
    half = stdtrit(6, 0.975) * np.sqrt(6 / 7 * ((one_out - one_out.mean()) ** 2).sum())
    for positive in (0.5, 0.6):
        found = share(every, positive)
        assert (found.state is Status.FLAGGED) == (positive == 0.6)
        assert found.low == pytest.approx(found.value - half, abs=1e-12)
        assert found.high == pytest.approx(found.value + half, abs=1e-12)


def test_what_it_is_made_of_pair_by_pair() -> None:
    """The mean over pairs of different labeled items of L_i L_j x_i.x_j; and the shift of a random
    sample of a finite population is 1 for each of its four coordinates, on average."""
    rng = np.random.default_rng(4)
    (answer,), (axes,) = drawn(rng, 1, 30, 0.7, 0.5)
    labeled = rng.permutation(30) < 12
    signs = np.where(answer[labeled], 1.0, -1.0)
    signs -= signs.mean()
    apart = ~np.eye(12, dtype=bool)
    found = share_measures(answer, labeled, axes)
    for name, x in (("share_linear", axes.x), ("share_margin", axes.margin[:, None])):
        pairs = np.outer(signs, signs) * (x[labeled] @ x[labeled].T)
        assert found[name] == pytest.approx(pairs[apart].mean(), abs=1e-12)
    shifts = np.array(
        [
            share_measures(answer, rng.permutation(30) < 12, axes)["sample_shift"]
            for _ in range(4000)
        ]
    )
    assert shifts.mean() == pytest.approx(4, abs=4.5 * error(shifts))


def error(values: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(values.std(ddof=1) / np.sqrt(values.size))
