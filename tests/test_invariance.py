"""Item 11: what must not change a number, to the last bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import oversight
from oversight import Results, Study
from oversight.running.replicate import COLUMNS

PROTOCOLS: dict[str, Any] = {
    "unaided": {"direct": {}},
    "consultancy": {"consultancy": {"candidates": 4}},
    "debate": {"debate": {"candidates": 2}},
    "tree debate": {"debate": {"tree": True, "turns": 1}},
    "decomposition": {"decomposition": {}},
    "hard": {"decomposition": {"aggregate": "hard", "votes": 3}},
    "reward modeling": {"recursive_reward_modeling": {"samples": 60}},
    "hybrid": {"decomposition": {"checker": {"debate": {"turns": 2}}}},
    "another": {"debate": {"turns": 5}},
    "and another": {"debate": {"judge": {"decomposition": {}}}},
}


def study(names: list[str], **changes: Any) -> Study:
    plain = {
        "replicates": 3,
        "seed": 9,
        "world": {"train_items": 500, "test_items": 300, "features": 8},
        "protocols": {name: PROTOCOLS[name] for name in names},
    }
    return Study.model_validate({**plain, **changes})


@pytest.fixture(scope="module")
def whole() -> Results:
    return oversight.compare(study(list(PROTOCOLS)))


def same(one: Results, two: Results, names: list[str]) -> None:
    for name in names:
        for column in COLUMNS:
            a, b = one.column(name, column), two.column(name, column)
            assert np.array_equal(a, b, equal_nan=True), f"{name}: {column}"


@pytest.mark.parametrize("seed", range(6))
def test_adding_removing_and_reordering_protocols(whole: Results, seed: int) -> None:
    rng = np.random.default_rng(seed)
    some = rng.permutation(list(PROTOCOLS))[: rng.integers(1, len(PROTOCOLS) + 1)].tolist()
    found = oversight.compare(study(some))
    same(whole, found, some)


def test_workers(whole: Results) -> None:
    names = list(PROTOCOLS)
    same(whole, oversight.compare(study(names), jobs=2), names)
    with ThreadPoolExecutor(3) as threads:
        same(whole, oversight.compare(study(names), executor=threads), names)


def test_names_do_not_matter(whole: Results) -> None:
    renamed = study([], protocols={"x": PROTOCOLS["debate"], "y": {"direct": {}}})
    found = oversight.compare(renamed)
    for column in COLUMNS:
        assert np.array_equal(
            found.column("x", column), whole.column("debate", column), equal_nan=True
        )


def test_neither_do_nesting_and_defaults_written_out(whole: Results) -> None:
    nested = {"direct": {"overseer": {"debate": {"candidates": 2, "turns": 3, "judge": "human"}}}}
    found = oversight.compare(study([], protocols={"nested": nested}))
    for column in COLUMNS:
        assert np.array_equal(
            found.column("nested", column), whole.column("debate", column), equal_nan=True
        )


def test_items_and_people_do_not_depend_on_what_is_asked_of_them(whole: Results) -> None:
    other = study(["unaided", "debate"], overseer={"confidence": 2.0})
    found = oversight.compare(other)
    for column in ("label_accuracy", "weak_accuracy", "ceiling_accuracy"):
        assert np.array_equal(found.column("unaided", column), whole.column("unaided", column))
