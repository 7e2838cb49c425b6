"""How much of the label error a held-out classifier foresees: closed cases, and only on request."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import oversight
from oversight import Study
from oversight.cli.main import main
from oversight.metrics import predictable_share as module
from oversight.metrics.predictable_share import Forecasts
from oversight.running.processes import one_thread


def study(replicates: int, structure: float, difficulty: float, **world: Any) -> Study:
    lone = {"kind": "balanced", "depth": 0, "gates": []}
    plain = {"train_items": 12_000, "test_items": 10, "features": 2, "ceiling": 1.0, "tree": lone}
    people = {"accuracy": {"root": 0.7, "leaf": 0.7}, "structure": structure}
    return Study.model_validate(
        {
            "replicates": replicates,
            "world": {**plain, **world},
            "overseer": {**people, "difficulty": difficulty},
            "protocols": {"alone": "direct"},
        }
    )


def shares(of: Study) -> np.ndarray:  # type: ignore[type-arg]
    return oversight.compare(of, predictable=True).column("alone", "predictable_share")


def error(values: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(values.std(ddof=1) / np.sqrt(values.size))


def test_equally_hard_items_foretell_no_random_error() -> None:
    for features in (2, 8):  # however many there are to fit noise with
        found = shares(study(6, 0.0, 0.0, train_items=4000, features=features))
        assert abs(found.mean()) < max(4.5 * error(found), 1e-3)


def test_hard_items_foretell_random_errors() -> None:
    found = shares(study(8, 0.0, 1.0))
    # .0769 to whoever knows the law; squares and products come to .0720 of it.
    assert 0.0720 - 4.5 * error(found) < found.mean() < 0.0769 + 4.5 * error(found)
    assert error(found) < 0.003


def test_a_misconception_is_foreseen() -> None:
    assert shares(study(2, 1.0, 1.0)).min() > 0.5


def test_many_features_are_projected_by_the_seed() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((200, 40))
    wrong = x.sum(axis=1) > 5
    every = np.ones(200, dtype=np.bool_)
    with one_thread():
        one = Forecasts(x, 1).share(every, wrong)
        assert one == Forecasts(x, 1).share(every, wrong)
        assert one != Forecasts(x, 2).share(every, wrong)
        assert one > 0.02
        assert np.isnan(Forecasts(x, 1).share(every, ~every))


def test_label_sets_share_the_items_and_no_numbers() -> None:
    """The same bits alone and after others, of the same items and of others."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((300, 5))
    every, some = np.ones(300, dtype=np.bool_), rng.random(300) < 0.7
    sets = [(marked, (x[marked, 0] > cut)) for marked in (every, some) for cut in (0.0, 0.8)]
    alone = [Forecasts(x, 1).share(*one) for one in sets]
    together = Forecasts(x, 1)
    assert [together.share(*one) for one in (*sets, *reversed(sets))] == [*alone, *reversed(alone)]
    assert min(alone) > 0.3


def test_a_replicate_works_out_its_items_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    products = module._products

    def counting(x: Any, seed: int) -> Any:
        counted.append(len(x))
        return products(x, seed)

    monkeypatch.setattr(module, "_products", counting)
    two = study(2, 0.6, 1.0, train_items=300).changed(protocols={"a": "direct", "b": "debate"})
    oversight.compare(two, predictable=True)
    assert counted == [300, 300]  # replicates, whatever the protocols


def test_it_is_measured_on_request_alone_and_kept_apart(tmp_path: Path) -> None:
    small = study(2, 0.6, 1.0, train_items=300)
    plain = oversight.compare(small, out=tmp_path)
    assert "predictable_share" not in plain.summary()[0]
    assert "predictable_share" not in plain.rows[0]
    wanted = oversight.compare(small, out=tmp_path, predictable=True)
    (row,) = wanted.summary()
    assert list(row)[-1] == "predictable_share"
    assert row["predictable_share"] is not None
    assert {key: value for key, value in row.items() if key != "predictable_share"} == (
        plain.summary()[0]
    )
    with (tmp_path / "summary.csv").open() as file:
        assert float(next(csv.DictReader(file))["predictable_share"]) == row["predictable_share"]
    swept = small.changed(sweep={"overseer.structure": [0.2, 0.8]})
    for point in oversight.sweep(swept, predictable=True).summary():
        assert point["predictable_share"] is not None


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "oversight: 1\nreplicates: 2\nprotocols: {alone: direct}\n"
        "world: {train_items: 300, test_items: 100, features: 3}\n"
    )
    arguments = ["compare", str(file), "--predictable"]
    table = CliRunner().invoke(main, arguments)
    assert "Predictable share of the label error, from the features: alone 0." in table.stdout
    rows = CliRunner().invoke(main, [*arguments, "--format", "csv"]).stdout.splitlines()
    assert rows[0].endswith(",predictable_share")
    plain = CliRunner().invoke(main, arguments[:2]).stdout
    assert "redictable" not in plain


def test_neither_place_nor_scale_of_a_feature_counts_and_few_items_say_nothing() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((400, 3))
    wrong = x[:, 0] + rng.standard_normal(400) > 0.5

    def share(of: np.ndarray) -> float:  # type: ignore[type-arg]
        return Forecasts(of, 1).share(np.ones(len(of), dtype=np.bool_), wrong[: len(of)])

    assert 0.1 < share(x) < 0.5
    for moved in (0.01 * x, 100 * x, x + 5):
        # Fits are right to about 1e-3 in log-odds.
        assert share(moved) == pytest.approx(share(x), abs=1e-3)
    assert np.isfinite(share(x[:16]))
    assert np.isnan(share(x[:15]))
