"""What the contracts are written with: small pools, settings, and comparisons to the last bit."""

from __future__ import annotations

import io
import multiprocessing
import pickle
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

import numpy as np

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.profiles import ByHeight, ModelSettings, PeopleSettings, Setting
from oversight.components.wrappers import OverseerWrapper
from oversight.core.claims import Verdicts
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Draws
from oversight.overseers.agent import Agent
from oversight.overseers.roles import RoleWrapper
from oversight.worlds.base import Pool
from oversight.worlds.concept import ConceptPool, ConceptWorld

P = ParamSpec("P")
Result = TypeVar("Result")

ITEMS = 150
"""Items of a small pool."""

NUMBERS = ("evidence", "prior", "minutes", "calls", "labeled", "overridden", "disagreement")
"""The arrays of verdicts."""

TREE = ("heights", "leaves", "priors", "marginals", "prior_log_odds", "child_table")
"""The arrays of a task tree."""


def small_pool(**changes: object) -> ConceptPool:
    """A few items with a tree of nine leaves; `changes` are keys of the concept world."""
    plain = {"train_items": ITEMS, "test_items": ITEMS, "features": 6}
    return ConceptWorld.model_validate({**plain, **changes}).pool(5, 0, "train")


def ordinary() -> Setting:
    """People and a model who make mistakes."""
    return Setting(PeopleSettings(), ModelSettings())


def perfect() -> Setting:
    """People and a model who make none."""
    always = ByHeight(root=1.0, leaf=1.0)
    return Setting(
        PeopleSettings(accuracy=always, structure=0.0),
        ModelSettings(accuracy=always, shared_bias=0.0),
    )


def assert_same(one: Verdicts, two: Verdicts) -> None:
    """Assert that two verdicts are equal to the last bit."""
    for name in NUMBERS:
        a, b = getattr(one, name), getattr(two, name)
        assert np.array_equal(np.asarray(a).ravel(), np.asarray(b).ravel()), f"{name} differs"


def shared(pool: ConceptPool) -> dict[str, Any]:
    """Copies of the arrays of a pool that everybody works with, by name."""
    tree, roots = pool.tree, pool.roots
    arrays = {name: getattr(pool, name) for name in ("x", "gold", "intended", "everyone")}
    arrays |= {name: getattr(tree, name) for name in TREE}
    arrays |= {"items of the roots": roots.item, "node of the roots": roots.node}
    for node in (0, 1):
        claims = pool.claims(node)
        for name in ("truth", "margin", "misconception", "features"):
            arrays[f"{name} of node {node}"] = getattr(pool, name)(claims)
    return {name: np.array(array) for name, array in arrays.items()}


def heard_by_all() -> Evidence:
    """An argument for every item of a small pool, and a report."""
    side = np.arange(ITEMS) % 2 == 0
    return Evidence((Argument(side, np.full(ITEMS, 0.5), 1.0),), np.full(ITEMS, 0.1), 1)


def assert_nothing_is_changed(prepared: Callable[[ConceptPool], Overseer]) -> None:
    """Assert that an overseer changes nothing that it is given: the pool, its tree, the evidence;
    and that whoever gets its verdicts cannot change what it says next."""
    pool, evidence = small_pool(), heard_by_all()
    before = shared(pool)
    side, report = evidence.arguments[0].side.copy(), np.array(evidence.report)
    ready = prepared(pool)
    first = ready.assess(pool.roots)
    arrays: dict[str, Any] = {name: np.array(getattr(first, name)) for name in NUMBERS}
    numbers = Verdicts(**arrays)
    ready.assess(pool.roots, evidence)
    for name in NUMBERS:
        with suppress(ValueError):  # read-only
            np.asarray(getattr(first, name))[...] = 0
    assert_same(ready.assess(pool.roots), numbers)
    for name, array in shared(pool).items():
        assert np.array_equal(array, before[name]), f"{name} of the pool is changed"
    assert np.array_equal(evidence.arguments[0].side, side), "the evidence is changed"
    assert np.array_equal(evidence.report, report), "the evidence is changed"


def joined(parts: list[Verdicts]) -> Verdicts:
    """Verdicts on batches, put one after another."""
    arrays: dict[str, Any] = {k: np.concatenate([getattr(p, k) for p in parts]) for k in NUMBERS}
    return Verdicts(**arrays)


def some(verdicts: Verdicts, index: Any) -> Verdicts:
    """The verdicts at an index."""
    arrays: dict[str, Any] = {name: getattr(verdicts, name)[index] for name in NUMBERS}
    return Verdicts(**arrays)


def assess_roots(overseer: Overseer) -> Verdicts:
    """What an overseer says of the root claims of a pool of its own, prepared for it anew."""
    pool = small_pool()
    return overseer.prepare(pool, ordinary()).assess(pool.roots)


class _Picture(pickle.Pickler):
    """Pickles a component without the pool that it is bound to: what the pool has drawn is kept
    there, and is the same when it is drawn again."""

    def persistent_id(self, obj: object) -> str | None:
        """A pool and its draws stand for themselves."""
        return type(obj).__name__ if isinstance(obj, Pool | Draws) else None


def picture(component: Component) -> bytes:
    """All that a component holds, as bytes, the pool apart: equal if nothing was written."""
    file = io.BytesIO()
    _Picture(file).dump(component)
    return file.getvalue()


def elsewhere(function: Callable[P, Result], *arguments: P.args, **named: P.kwargs) -> Result:
    """What a function returns in a fresh process; everything must pickle."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments, **named).result()


def twice_with_other_global_state(
    function: Callable[[], Result],
) -> tuple[Result, Result]:
    """The results of two calls between which the global random state differs.

    Asserts that the second call draws nothing from it.
    """
    np.random.seed(1)  # noqa: NPY002 -- the point of the test
    random.seed(1)
    first = function()
    before: Any = np.random.get_state()  # noqa: NPY002
    own = random.getstate()
    second = function()
    after: Any = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(before[1], after[1]), "draws from numpy's global state"
    assert before[2] == after[2], "draws from numpy's global state"
    assert own == random.getstate(), "draws from the global state of `random`"
    return first, second


class Transparent(RoleWrapper):
    """A wrapper of an agent, an aggregator or a reward model that changes nothing."""

    def fit(self, *data: Any, **more: Any) -> Any:
        """The same wrapper around the fitted part."""
        return self.model_copy(update={"inner": super().fit(*data, **more)})


def wrapped(part: Component) -> Component:
    """The component behind a wrapper that changes nothing."""
    if isinstance(part, Overseer) and not isinstance(part, Agent):
        return OverseerWrapper(inner=part)
    return Transparent(inner=part)


class AnyStudent:
    """A student that a failure of labels never asks."""
