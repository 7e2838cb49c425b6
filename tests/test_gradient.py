"""The gradient student: its steps are what the scenario says, its slopes those of its loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from oversight.core.errors import TrainingError
from oversight.running.processes import one_thread
from oversight.students.base import Lesson
from oversight.students.gradient import GradientStudent
from oversight.students.network import Hidden, Lift, Net, Probe, drawn
from oversight.students.objective import mean_loss, mixed, own_answers, slope
from oversight.students.probe import BLOCK, fit_probes

RNG = np.random.default_rng(6)
X = RNG.standard_normal((240, 5))
SOFT = expit(X @ RNG.standard_normal((5, 3)) + RNG.standard_normal((240, 3)))
HARD = (SOFT > 0.5).astype(float)
PROBE: dict[str, Any] = {"hidden": 0, "batch": None}


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """As in a run: threads that wait for each other cost more than they bring."""
    with one_thread():
        yield


def learned(student: GradientStudent, targets: np.ndarray, new: np.ndarray = X) -> np.ndarray:
    """Log-odds of every column's student, (items, columns)."""
    fitted = student.fit(X, targets)
    return np.stack([fitted.log_odds(i, new) for i in range(targets.shape[1])], axis=1)


# The loss, its slope, and the nets.


def nets() -> dict[str, Net]:
    luck = np.random.default_rng(2)
    made: dict[str, Net] = {"probe": Probe(5, 3)}
    for bend in ("relu", "tanh"):
        first = drawn(luck, 5, 7, bend)  # type: ignore[arg-type]
        made[f"random {bend}"] = Probe(5, 3, Lift(first, bend))  # type: ignore[arg-type]
        made[f"hidden {bend}"] = Hidden(first, 3, bend)  # type: ignore[arg-type]
    for net in made.values():
        for parameter in net.parameters:
            parameter += 0.4 * luck.standard_normal(parameter.shape)
    return made


@pytest.mark.parametrize("name", list(nets()))
@pytest.mark.parametrize("loss", ["cross-entropy", "half", "balance"])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_those_of_finite_differences(name: str, loss: str, weighted: bool) -> None:
    net = nets()[name]
    seen, labels = net.see(X), SOFT.T
    weights = RNG.integers(1, 4, labels.shape).astype(float) if weighted else None
    log_odds = net.forward(seen)
    aims = labels
    if loss != "cross-entropy":  # the threshold is held fixed
        aims = mixed(labels, own_answers(log_odds, loss, labels), 0.6)  # type: ignore[arg-type]
    gradients = [each.copy() for each in net.gradients(seen, slope(log_odds, aims, weights))]
    small = 1e-5
    for parameter, gradient in zip(net.parameters, gradients, strict=True):
        assert gradient.shape == parameter.shape
        for place in np.ndindex(parameter.shape):
            middle, sides = parameter[place], []
            for side in (small, -small):
                parameter[place] = middle + side
                sides.append(mean_loss(net.answers(seen), aims, weights)[place[0]])
            parameter[place] = middle
            numeric = (sides[0] - sides[1]) / (2 * small)
            # A unit's kink may lie within the step.
            assert gradient[place] == pytest.approx(numeric, abs=3e-5 if "relu" in name else 1e-8)


def test_the_loss_is_cross_entropy() -> None:
    p = expit(SOFT * 3)
    wanted = -(HARD * np.log(p) + (1 - HARD) * np.log(1 - p)).mean(axis=0)
    np.testing.assert_allclose(mean_loss(3 * SOFT.T, HARD.T, None), wanted)
    mix = mixed(SOFT.T, HARD.T > 0, 0.3)
    np.testing.assert_allclose(
        mean_loss(SOFT.T, mix, None),
        0.7 * mean_loss(SOFT.T, SOFT.T, None) + 0.3 * mean_loss(SOFT.T, HARD.T, None),
    )


def test_thresholds() -> None:
    log_odds = np.array([[0.1, 5.0, 2.0, 3.0, -1.0], [9.0, 8.0, 7.0, 6.0, 5.0]])
    labels = np.array([[1.0, 0, 0, 0, 0], [0.9, 0.9, 0.9, 0.9, 0.4]])
    assert own_answers(log_odds, "half", labels).tolist() == [
        [False, True, False, True, False],  # above the median, which is an item of an odd batch
        [True, True, False, False, False],
    ]
    assert own_answers(log_odds, "balance", labels).tolist() == [
        [False, True, False, False, False],
        [True, True, True, True, False],
    ]
    for all_alike in (0.0, 1.0):
        own = own_answers(log_odds, "balance", np.full((2, 5), all_alike))
        assert own.all() == own.any() == bool(all_alike)


@pytest.mark.parametrize(
    ("ramp", "weights"),
    [
        (0.5, [0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8]),
        (1.0, [0.1 * k for k in range(8)]),
        (0.0, [0.8] * 8),
        (0.1, [0.0, *[0.8] * 7]),
    ],
)
def test_the_ramp(ramp: float, weights: list[float]) -> None:
    student = GradientStudent(loss="confidence", weight=0.8, ramp=ramp)
    assert [student.weight_at(k, 8) for k in range(8)] == pytest.approx(weights)
    assert GradientStudent(weight=0.8).weight_at(5, 8) == 0


# Its steps.


@pytest.mark.parametrize("threshold", ["half", "balance"])
def test_the_steps_of_a_probe_are_those_that_the_scenario_says(threshold: str) -> None:
    """Against a loop that shares nothing with it: from 0, plain steps, the intercept alike, the
    confidence weight from k = 0."""
    keys = {"epochs": 30, "rate": 0.7, "weight": 0.6, "ramp": 0.5}
    student = GradientStudent(**PROBE, **keys, loss="confidence", threshold=threshold)
    w, b = np.zeros(5), 0.0
    label = HARD[:, 1]
    for k in range(30):
        f = X @ w + b
        t = np.median(f) if threshold == "half" else np.quantile(f, 1 - label.mean())
        a = 0.6 * min(1, k / 15)
        off = expit(f) - ((1 - a) * label + a * (f > t))
        w, b = w - 0.7 * X.T @ off / 240, b - 0.7 * off.mean()
    found = learned(student, HARD)[:, 1]
    np.testing.assert_allclose(found, X @ w + b, rtol=1e-9, atol=1e-9)


def test_an_epoch_sees_every_label_once() -> None:
    """At a rate so small that nothing moves meanwhile, an epoch is one step on all labels."""
    small = {"hidden": 0, "epochs": 1, "rate": 1e-6}
    batches = learned(GradientStudent(**small, batch=16), SOFT)
    whole = learned(GradientStudent(**small, batch=None), SOFT)
    np.testing.assert_allclose(batches, whole * 240 / 16, rtol=1e-4, atol=1e-9)
    ragged = learned(GradientStudent(**small, batch=239), SOFT)
    assert not np.allclose(ragged, 2 * whole, rtol=1e-2), "the last batch is of one label"


def test_a_probe_converges_to_the_logistic_regression() -> None:
    slopes, intercepts = fit_probes(X, SOFT, l2=0)
    found = learned(GradientStudent(**PROBE, epochs=2000, rate=2.0), SOFT)
    np.testing.assert_allclose(found, X @ slopes + intercepts, atol=2e-3)


def test_random_features_are_fixed_and_only_their_weights_are_trained() -> None:
    """A probe on the features that the student sees; with all of them it converges to theirs."""
    student = GradientStudent(random_features=12, batch=None, epochs=4000, rate=0.5)
    net = student.fit(X, SOFT).places[0][0][0]
    features = net.see(X)
    assert features.shape == (240, 12)
    slopes, intercepts = fit_probes(features, SOFT, l2=0)
    np.testing.assert_allclose(learned(student, SOFT), features @ slopes + intercepts, atol=0.02)


def test_a_hidden_layer_learns_what_no_probe_can() -> None:
    luck = np.random.default_rng(1)
    x, new = luck.standard_normal((2, 2000, 4))
    label, gold = ((seen[:, 0] * seen[:, 1] > 0).astype(float) for seen in (x, new))
    right = [
        np.mean((student.fit(x, label[:, None]).log_odds(0, new) > 0) == (gold > 0))
        for student in (
            GradientStudent(hidden=0, rate=0.2, epochs=60),
            GradientStudent(rate=0.2, epochs=60),
        )
    ]
    assert right[0] < 0.56
    assert right[1] > 0.9


# Stopping, ensembles, draws.


def overfit(**keys: Any) -> tuple[GradientStudent, np.ndarray, np.ndarray]:
    student = GradientStudent(random_features=400, rate=0.02, epochs=60, batch=30, **keys)
    luck = np.random.default_rng(12)
    x = luck.standard_normal((300, 10))
    labels = (x[:, :1] > 0) ^ (luck.random((300, 12)) < 0.3)
    return student, x, labels.astype(float)


def test_stopping_keeps_the_epoch_that_fits_held_out_labels_best() -> None:
    student, x, labels = overfit(stop="weak_labels")
    epochs: list[np.ndarray] = []

    def watch(epoch: int, columns: Any, fitted: Any, losses: np.ndarray) -> None:
        assert epoch == len(epochs) or columns[0] >= BLOCK
        if columns[0] == 0:
            epochs.append(np.stack([fitted.log_odds(i, x) for i in columns]))

    stopped = student.attending(Lesson(watch=watch)).fit(x, labels)
    assert len(epochs) == 61
    # The held-out tenth: those whose label moves nothing at any epoch.
    kept = []
    for column in range(BLOCK):
        final = stopped.log_odds(column, x)
        same = [e for e in range(1, 61) if np.array_equal(epochs[e][column], final)]
        assert len(same) == 1
        kept += same
    assert 1 < np.mean(kept) < 40
    held = _held_out(student, x, labels)
    assert held.sum() == 30
    for column in range(BLOCK):
        losses = [
            mean_loss(each[column : column + 1, held], labels[held, column][None], None)[0]
            for each in epochs[1:]
        ]
        assert kept[column] == 1 + int(np.argmin(losses))
    new = np.random.default_rng(3).standard_normal((8000, 10))
    patient = student.on_gold.fit(x, labels)
    right = [
        [np.mean((fitted.log_odds(i, new) > 0) == (new[:, 0] > 0)) for i in range(12)]
        for fitted in (stopped, patient)
    ]
    gain = np.subtract(*right)
    assert gain.mean() > 4 * gain.std(ddof=1) / np.sqrt(12), "random features overfit"


def _held_out(student: GradientStudent, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Items that an epoch does not learn from, found by turning labels, one a column."""
    same = np.repeat(labels[:, :1], len(x), axis=1)
    turned = np.abs(same - np.eye(len(x)))
    fitted = student.model_copy(update={"epochs": 1}).fit(x, np.hstack([labels[:, :1], turned]))
    before = fitted.log_odds(0, x)
    moved = [not np.array_equal(fitted.log_odds(1 + i, x), before) for i in range(len(x))]
    return ~np.array(moved)


def test_too_few_labels_to_stop_by() -> None:
    student, x, labels = overfit(stop="weak_labels")
    weights = np.ones_like(labels)
    weights[99:, 1] = 0
    with pytest.raises(TrainingError, match="at least 100, not 99"):
        student.fit(x, labels, weights)
    weights[99:, 1] = 1
    student.fit(x, labels, weights)


def test_an_ensemble_is_the_mean_of_its_starts() -> None:
    keys: dict[str, Any] = {"hidden": 6, "rate": 0.3, "epochs": 10}
    three = GradientStudent(**keys, members=3).fit(X, HARD)
    members = three.places[1][0]
    alone = np.stack([net.answers(net.see(X), 1)[0] for net in members])
    np.testing.assert_allclose(three.log_odds(1, X), alone.mean(axis=0))
    assert not np.allclose(alone[0], alone[1], atol=0.01)
    first = GradientStudent(**keys).fit(X, HARD)
    assert np.array_equal(alone[0], first.log_odds(1, X)), "more members leave the others alone"


def test_draws_are_of_the_replicate_and_the_same_for_every_protocol() -> None:
    student = GradientStudent(hidden=6, epochs=2)
    one, again, other, seed = (
        student.attending(Lesson(*key)).fit(X, HARD).log_odds(0, X)
        for key in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, seed)
    twins = GradientStudent(hidden=6, members=2).fit(X, np.repeat(HARD[:, :1], 2, axis=1))
    assert np.array_equal(twins.log_odds(0, X), twins.log_odds(1, X))


@pytest.mark.parametrize("body", [{"hidden": 0}, {"hidden": 5}, {"random_features": 9}])
@pytest.mark.parametrize("loss", ["cross-entropy", "confidence"])
def test_no_column_depends_on_the_others(body: dict[str, int], loss: str) -> None:
    """Nor on who labels which items; more columns than a block holds."""
    student = GradientStudent(**body, loss=loss, epochs=3, rate=0.1, batch=50, members=2)
    labels = np.hstack([HARD, SOFT, 1 - SOFT, HARD[:, ::-1]])
    weights = np.ones_like(labels)
    weights[::3, 4] = weights[::2, 10] = 0
    assert labels.shape[1] % BLOCK
    fitted = student.fit(X, labels, weights)
    order = np.random.default_rng(1).permutation(labels.shape[1])
    moved = student.fit(X, labels[:, order], weights[:, order])
    for place, column in enumerate(order):
        alone = student.fit(X, labels[:, [column]], weights[:, [column]]).log_odds(0, X)
        assert np.array_equal(fitted.log_odds(column, X), alone)
        assert np.array_equal(moved.log_odds(place, X), alone)


def test_unlabeled_items_are_as_if_they_were_not_there() -> None:
    """The batches of a column are of its own labels: as many steps as these fill."""
    weights = np.ones((240, 1))
    weights[100:] = 0
    some = GradientStudent(**PROBE, epochs=9).fit(X, SOFT[:, :1], weights).log_odds(0, X)
    own = GradientStudent(**PROBE, epochs=9).fit(X[:100], SOFT[:100, :1]).log_odds(0, X)
    np.testing.assert_allclose(some, own, rtol=1e-9, atol=1e-12)
    small: dict[str, Any] = {"hidden": 0, "epochs": 1, "rate": 1e-6, "batch": 20}
    many = GradientStudent(**small).fit(X, SOFT[:, :1], weights).log_odds(0, X)
    few = GradientStudent(**small).fit(X[:100], SOFT[:100, :1]).log_odds(0, X)
    np.testing.assert_allclose(many, few, rtol=1e-4, atol=1e-9)


def test_weights_count() -> None:
    weights = RNG.integers(1, 3, (240, 1)).astype(float)
    twice = np.repeat(np.arange(240), weights[:, 0].astype(int))
    found = GradientStudent(**PROBE).fit(X, SOFT[:, :1], weights).log_odds(0, X)
    wanted = GradientStudent(**PROBE).fit(X[twice], SOFT[twice, :1]).log_odds(0, X)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rate", [1e3, 1e8])
def test_a_rate_that_diverges_says_so(rate: float) -> None:
    with pytest.raises(TrainingError, match="diverges: its loss is 0"):
        GradientStudent(rate=rate, labels="hard").fit(X, np.round(RNG.random((240, 2))))


def test_soft_and_hard_labels() -> None:
    belief, answer = SOFT[:, 0], SOFT[:, 0] > 0.5
    assert np.array_equal(GradientStudent().targets(belief, answer), belief)
    assert np.array_equal(GradientStudent(labels="hard").targets(belief, answer), answer)


def test_its_ceiling_is_the_same_student_by_plain_cross_entropy() -> None:
    student = GradientStudent(hidden=9, epochs=7, loss="confidence", stop="weak_labels")
    assert student.on_gold == GradientStudent(hidden=9, epochs=7)
    assert GradientStudent().on_gold == GradientStudent()


# What the confidence loss does where a probe has converged.


@pytest.mark.parametrize("threshold", ["half", "balance"])
def test_the_confidence_loss_changes_no_answer_of_a_converged_isotropic_probe(
    threshold: str,
) -> None:
    """It changes how sure the student is. Noise is how far two students of other labels differ."""
    luck = np.random.default_rng(5)
    x, new = luck.standard_normal((2, 8000, 8))
    chance = expit(x @ luck.standard_normal(8) / 2)
    labels = (luck.random((8000, 2)) < chance[:, None]).astype(float)
    plain = GradientStudent(**PROBE, rate=2.0, epochs=300)
    sure = plain.model_copy(update={"loss": "confidence", "threshold": threshold})
    one, other = (plain.fit(x, labels).log_odds(i, new) for i in (0, 1))
    confident = sure.fit(x, labels).log_odds(0, new)
    noise = np.mean((one > 0) != (other > 0))
    assert np.mean((one > 0) != (confident > 0)) < 0.6 * noise
    assert np.corrcoef(one, confident)[0, 1] > 0.998
    assert np.abs(confident).mean() > 1.5 * np.abs(one).mean()
