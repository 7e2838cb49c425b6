"""The probe is scikit-learn's, for many label sets at once, and none depends on its neighbors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from oversight.students import probe
from oversight.students.probe import BLOCK, fit_probes

RNG = np.random.default_rng(3)
X = RNG.standard_normal((1500, 12))
TRUE = RNG.standard_normal(12)
HARD = np.stack(
    [X @ TRUE + noise * RNG.standard_normal(1500) > 0 for noise in np.linspace(0.5, 8, 11)], axis=1
).astype(float)


def reference(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, l2: float = 1.0):  # type: ignore[no-untyped-def]
    return LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000).fit(x, y, weight)


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
def test_agrees_with_scikit_learn_on_hard_labels(l2: float) -> None:
    w, b = fit_probes(X, HARD, l2=l2)
    for i in range(HARD.shape[1]):
        wanted = reference(X, HARD[:, i], l2=l2).decision_function(X)
        ours = X @ w[:, i] + b[i]
        # The tolerance of the fit: about 1e-3 where log-odds are of order 1.
        np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=3e-3)
        assert np.mean((ours > 0) != (wanted > 0)) <= 1 / 1500


def test_agrees_with_scikit_learn_on_soft_labels() -> None:
    soft = 1 / (1 + np.exp(-(X @ TRUE) / 3 + RNG.standard_normal(1500)))
    w, b = fit_probes(X, soft[:, None])
    twice, both = np.vstack([X, X]), np.repeat([1.0, 0.0], 1500)
    fit = reference(twice, both, np.concatenate([soft, 1 - soft]))
    np.testing.assert_allclose(X @ w[:, 0] + b[0], fit.decision_function(X), rtol=1e-3, atol=3e-3)


def test_weight_zero_is_left_out() -> None:
    weights = (RNG.random(HARD.shape) < 0.6).astype(float)
    w, b = fit_probes(X, HARD, weights=weights)
    for i in (0, 5):
        kept = weights[:, i] > 0
        wanted = reference(X[kept], HARD[kept, i]).decision_function(X)
        np.testing.assert_allclose(X @ w[:, i] + b[i], wanted, rtol=1e-3, atol=3e-3)


def test_weights_above_one_count_more() -> None:
    weights = RNG.integers(0, 5, HARD[:, :2].shape).astype(float)
    w, b = fit_probes(X, HARD[:, :2], weights=weights)
    wanted = reference(X, HARD[:, 1], weights[:, 1]).decision_function(X)
    np.testing.assert_allclose(X @ w[:, 1] + b[1], wanted, rtol=1e-3, atol=3e-3)


def test_few_items_and_heavy_weights() -> None:
    few = X[:60]
    weights = np.where(np.arange(60) < 5, 200.0, 1.0)
    w, b = fit_probes(few, HARD[:60, :1], weights=weights[:, None])
    wanted = reference(few, HARD[:60, 0], weights).decision_function(few)
    np.testing.assert_allclose(few @ w[:, 0] + b[0], wanted, rtol=3e-3, atol=1e-2)


def test_a_column_without_weight_gets_a_zero_probe() -> None:
    w, b = fit_probes(X, HARD[:, :2], weights=np.array([[0.0, 1.0]]).repeat(1500, axis=0))
    assert not w[:, 0].any()
    assert b[0] == 0
    assert w[:, 1].any()


def test_ill_conditioned_features() -> None:
    scales = np.logspace(-4, 4, 12)
    x = np.hstack([X * scales, X[:, :3], np.zeros((1500, 1)), np.ones((1500, 1))])
    w, b = fit_probes(x, HARD[:, 2:4], l2=1e-3)
    ours = x @ w + b
    gradient = x.T @ (1 / (1 + np.exp(-ours)) - HARD[:, 2:4]) + 1e-3 * w
    spread = np.linalg.norm(x, axis=0)[:, None]
    assert np.abs(gradient / np.maximum(spread, 1)).max() < 1e-2
    plain, c = fit_probes(X, HARD[:, 2:4], l2=1e-9)
    assert np.mean((ours > 0) == (X @ plain + c > 0)) > 0.98


def test_separable_data() -> None:
    y = (X @ TRUE > 0).astype(float)
    w, b = fit_probes(X, y[:, None])
    wanted = reference(X, y).decision_function(X)
    np.testing.assert_allclose(X @ w[:, 0] + b[0], wanted, rtol=3e-3, atol=1e-2)


def test_constant_labels() -> None:
    w, b = fit_probes(X, np.ones((1500, 1)))
    assert np.isfinite(w).all()
    assert np.abs(w).max() < 0.05
    assert b[0] > 5


def test_no_column_depends_on_the_others() -> None:
    whole, b = fit_probes(X, HARD)
    order = np.random.default_rng(1).permutation(HARD.shape[1])
    moved, c = fit_probes(X, HARD[:, order])
    assert np.array_equal(moved, whole[:, order])
    assert np.array_equal(c, b[order])
    for i in range(HARD.shape[1]):
        alone, d = fit_probes(X, HARD[:, [i]])
        assert np.array_equal(alone[:, 0], whole[:, i])
        assert d[0] == b[i]
    many, _ = fit_probes(X, np.hstack([HARD, HARD[:, ::-1]]))
    assert np.array_equal(many[:, : HARD.shape[1]], whole)
    assert HARD.shape[1] % BLOCK != 0


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
def test_a_fit_arrives_in_few_steps(l2: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """These need at most 14; a wrong direction or length needs over 20, or never arrives."""
    long = fit_probes(X, HARD, l2=l2)
    monkeypatch.setattr(probe, "MOST_STEPS", 20)
    short = fit_probes(X, HARD, l2=l2)
    assert np.array_equal(long[0], short[0])
    assert np.array_equal(long[1], short[1])


def test_heavy_items_cost_few_steps_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """These need at most 20; over 150 where the heaviest item counts as one of weight 1."""
    weights = np.exp(RNG.uniform(0, np.log(1e4), (1500, 3)))
    long = fit_probes(X, HARD[:, :3], weights=weights)
    monkeypatch.setattr(probe, "MOST_STEPS", 40)
    short = fit_probes(X, HARD[:, :3], weights=weights)
    assert np.array_equal(long[0], short[0])
    assert np.array_equal(long[1], short[1])
