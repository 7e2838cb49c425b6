"""The contracts that every mechanism and every failure must pass. Inherit one in a test of your
own:

    from oversight.testing.contracts import MechanismContract

    class TestMine(MechanismContract):
        def mechanism(self):
            return Mine(turns=2)

pytest collects the rest. A mechanism that is fitted to a sample says `fitted = True` and gives
`with_samples(n)`, so that it may come close to perfect labels instead of reaching them. A failure
gives `failure()` and a `protocol()` that it strikes, to `FailureContract`.
"""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np

from oversight.components.component import Component, Overseer, OverseerWrapper, Wrapper, rewrite
from oversight.components.profiles import ByHeight, ModelSettings, PeopleSettings
from oversight.core.claims import Claims, Verdicts
from oversight.core.evidence import Argument, Evidence
from oversight.failures.base import Failure, Onset, Slice
from oversight.failures.injection import Injection
from oversight.running.replicate import run_replicate
from oversight.studies.study import Case, Study
from oversight.worlds.base import Setting
from oversight.worlds.concept import ConceptPool, ConceptWorld

ITEMS = 150
NUMBERS = ("evidence", "prior", "minutes", "calls", "labeled")


def small_pool(**changes: Any) -> ConceptPool:
    """A few items with a tree of nine leaves."""
    plain: dict[str, Any] = {"train_items": ITEMS, "test_items": ITEMS, "features": 6}
    world = ConceptWorld(**{**plain, **changes})
    return world.pool(5, 0, "train")


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


def same(one: Verdicts, two: Verdicts) -> None:
    """Assert that two verdicts are equal to the last bit."""
    for name in NUMBERS:
        a, b = getattr(one, name), getattr(two, name)
        assert np.array_equal(np.asarray(a).ravel(), np.asarray(b).ravel()), f"{name} differs"


def together(parts: list[Verdicts]) -> Verdicts:
    """Verdicts on batches, put one after another."""
    joined: Any = {k: np.concatenate([getattr(p, k) for p in parts]) for k in NUMBERS}
    return Verdicts(**joined)


def _apart(overseer: Overseer) -> Verdicts:
    pool = small_pool()
    return overseer.prepare(pool, ordinary()).assess(pool.roots)


class Transparent(Wrapper):
    """A wrapper of an agent, an aggregator or a reward model that changes nothing."""

    def fit(self, *arguments: Any) -> Any:
        return self.model_copy(update={"inner": self.inner.fit(*arguments)})


def wrapped(part: Component) -> Component:
    """The component behind a wrapper that changes nothing."""
    kind = OverseerWrapper if hasattr(part, "assess") else Transparent
    return kind(inner=part)


class MechanismContract:
    """What holds for every mechanism, whatever it does."""

    fitted = False
    """Whether it learns from a sample, so that perfect people make its labels perfect only in the
    limit."""

    reads = True
    """Whether evidence that others put forward moves it."""

    def mechanism(self) -> Overseer:
        """The mechanism to test, not yet prepared."""
        raise TypeError("say which mechanism to test")

    def with_samples(self, samples: int) -> Overseer:
        """A fitted mechanism that learns from so many samples."""
        raise TypeError("a fitted mechanism says how it is made with more samples")

    def _prepared(self, **changes: Any) -> tuple[ConceptPool, Any]:
        pool = small_pool(**changes)
        return pool, self.mechanism().prepare(pool, ordinary())

    def test_batches_and_order_change_nothing(self) -> None:
        pool, ready = self._prepared()
        leaf = int(pool.tree.leaves[0])
        for node in (0, 1, leaf):
            whole = ready.assess(Claims.of(pool.everyone, node))
            for size in (1, 7):
                starts = range(0, ITEMS if size > 1 else 12, size)
                parts = [ready.assess(Claims.of(pool.everyone[i : i + size], node)) for i in starts]
                joined = together(parts)
                count = joined.evidence.size
                same(joined, together([_some(whole, np.arange(count))]))
            order = np.random.default_rng(0).permutation(ITEMS)
            same(ready.assess(Claims.of(order, node)), _some(whole, order))

    def test_claims_in_a_grid_are_the_same_claims(self) -> None:
        pool, ready = self._prepared()
        nodes = np.array([1, int(pool.tree.leaves[0]), 2])
        grid = ready.assess(Claims.of(pool.everyone, nodes[:, None]))
        assert grid.evidence.shape == (3, ITEMS)
        rows = [ready.assess(Claims.of(pool.everyone, int(node))) for node in nodes]
        same(grid, together(rows))

    def test_a_fresh_preparation_is_the_same(self) -> None:
        same(_apart(self.mechanism()), _apart(self.mechanism()))

    def test_workers_change_nothing(self) -> None:
        here = _apart(self.mechanism())
        with ThreadPoolExecutor(2) as threads:
            for there in threads.map(_apart, [self.mechanism()] * 2):
                same(here, there)

    def test_another_process_changes_nothing(self) -> None:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            same(_apart(self.mechanism()), pool.submit(_apart, self.mechanism()).result())

    def test_independent_of_global_random_state(self) -> None:
        import random

        np.random.seed(1)  # noqa: NPY002 -- the point of the test
        random.seed(1)
        first = _apart(self.mechanism())
        before: Any = np.random.get_state()  # noqa: NPY002
        own = random.getstate()
        second = _apart(self.mechanism())
        after: Any = np.random.get_state()  # noqa: NPY002
        same(first, second)
        assert np.array_equal(before[1], after[1]), "draws from numpy's global state"
        assert own == random.getstate(), "draws from the global state of `random`"

    def test_pickles_before_and_after_preparation(self) -> None:
        pool, ready = self._prepared()
        same(_apart(self.mechanism()), _apart(pickle.loads(pickle.dumps(self.mechanism()))))
        again = pickle.loads(pickle.dumps(ready))
        same(ready.assess(pool.roots), again.assess(pool.roots))

    def test_costs_are_reported(self) -> None:
        pool, ready = self._prepared()
        verdicts = ready.assess(pool.roots)
        for cost in (verdicts.minutes, verdicts.calls):
            assert cost.shape == (ITEMS,)
            assert np.isfinite(cost).all()
            assert (cost >= 0).all()
        assert all(np.isfinite(spent) and spent >= 0 for spent in ready.fixed_cost())
        assert np.isfinite(verdicts.evidence).all()

    def test_costs_are_additive(self) -> None:
        pool, ready = self._prepared()
        whole = ready.assess(pool.roots)
        halves = [ready.assess(Claims.of(half)) for half in np.array_split(pool.everyone, 2)]
        assert whole.minutes.sum() == sum(half.minutes.sum() for half in halves)
        assert whole.calls.sum() == sum(half.calls.sum() for half in halves)

    def test_a_rewrite_that_changes_nothing_changes_nothing(self) -> None:
        before = _apart(self.mechanism())
        for role in sorted({"people", "protocol", *_roles(self.mechanism())}):
            rewritten: Any = rewrite(self.mechanism(), role, wrapped)
            same(before, _apart(rewritten))

    def test_evidence_is_heard_and_paid_for(self) -> None:
        if not self.reads:
            return
        pool, ready = self._prepared()
        alone, reading = ready.assess(pool.roots), PeopleSettings().minutes.argument
        yes = np.ones(ITEMS, dtype=np.bool_)
        moved = []
        for side in (yes, ~yes):
            heard = Evidence((Argument(side, np.full(ITEMS, 3.0), 1.0),))
            verdicts = ready.assess(pool.roots, heard)
            moved.append(verdicts.belief.mean())
            assert verdicts.minutes.min() >= reading
        assert moved[0] > alone.belief.mean() > moved[1]

    def test_siblings_have_luck_of_their_own(self) -> None:
        pool = small_pool()
        one, two = (
            self.mechanism().sibling(i).prepare(pool, ordinary()).assess(pool.roots) for i in (0, 1)
        )
        assert not np.array_equal(one.evidence, two.evidence)

    def test_traces_change_no_number(self) -> None:
        _, ready = self._prepared()
        some = np.arange(3)
        told = ready.assess(Claims.of(some, traced=True))
        same(told, ready.assess(Claims.of(some)))
        assert told.trace is not None
        assert ready.assess(Claims.of(some)).trace is None

    def test_perfect_people_and_models_make_perfect_labels(self) -> None:
        items = {"ceiling": 1.0, "decomposability": 1.0}
        if not self.fitted:
            pool = small_pool(**items)
            answer = self.mechanism().prepare(pool, perfect()).assess(pool.roots).answer
            assert np.array_equal(answer, pool.gold)
            return
        pool = small_pool(train_items=2000, **items)
        wrong = []
        for samples in (40, 200, 1500):
            ready = self.with_samples(samples).prepare(pool, perfect())
            wrong.append(np.mean(ready.assess(pool.roots).answer != pool.gold))
        assert wrong[0] >= wrong[1] >= wrong[2], f"more samples, more errors: {wrong}"
        assert wrong[2] < 0.05


def _some(verdicts: Verdicts, index: Any) -> Verdicts:
    return Verdicts(**{name: getattr(verdicts, name)[index] for name in NUMBERS})


def _roles(component: Component) -> set[str]:
    roles = set()
    for role, part in component.slots():
        roles |= {role} | _roles(part)
    return roles


class FailureContract:
    """What holds for every failure, whatever goes wrong."""

    local = True
    """Whether it changes nothing about items that it does not strike; False where something is
    fitted to items, struck or not, and then judges them all."""

    def failure(self) -> Failure:
        """The failure to test, in no protocol yet."""
        raise TypeError("say which failure to test")

    def protocol(self) -> Overseer:
        """A protocol with a role that it strikes."""
        raise TypeError("say which protocol it strikes")

    def _study(self, failure: Failure | None = None) -> Study:
        return Study(
            world=ConceptWorld(train_items=ITEMS, test_items=ITEMS, features=6),
            protocols={"struck": self.protocol()},
            failures={"it": Injection(together=(failure or self.failure(),))},
        )

    def _rows(self, *severities: float) -> list[tuple[float, ...]]:
        cases = [Case("struck"), *(Case("struck", "it", severity) for severity in severities)]
        replicate = run_replicate(self._study(), 0, cases)
        assert not replicate.failed, replicate.failed
        return list(replicate.rows.values())

    def _struck(self, failure: Failure, severity: float = 1.0) -> tuple[ConceptPool, Any]:
        pool = small_pool()
        protocol, _ = Injection(together=(failure,)).into(self.protocol(), Anyone(), severity)
        return pool, protocol.prepare(pool, ordinary())

    def test_it_says_what_it_is(self) -> None:
        failure = self.failure()
        for text in (failure.name, failure.knob, failure.source, type(failure).__doc__):
            assert text, "name, knob, source and a docstring are what a reader has to go by"
        assert failure.can_strike
        assert failure.roles_in(self.protocol()), "the protocol has no role that it strikes"

    def test_severity_0_changes_nothing(self) -> None:
        healthy, failing = self._rows(0.0)
        assert np.array_equal(healthy, failing, equal_nan=True)
        pool = small_pool()
        same(_apart(self.protocol()), self._struck(self.failure(), 0.0)[1].assess(pool.roots))

    def test_severity_1_changes_something(self) -> None:
        healthy, failing = self._rows(1.0)
        assert not np.array_equal(healthy, failing, equal_nan=True)

    def test_healthy_numbers_do_not_depend_on_it(self) -> None:
        alone = run_replicate(self._study(), 0, [Case("struck")])
        healthy = self._rows(1.0)[0]
        assert np.array_equal(alone.rows[Case("struck")], healthy, equal_nan=True)

    def test_batches_and_order_change_nothing(self) -> None:
        pool, ready = self._struck(self.failure(), 0.5)
        whole = ready.assess(pool.roots)
        for size in (1, 7):
            starts = range(0, ITEMS if size > 1 else 12, size)
            parts = [ready.assess(Claims.of(pool.everyone[i : i + size])) for i in starts]
            joined = together(parts)
            same(joined, _some(whole, np.arange(joined.evidence.size)))
        order = np.random.default_rng(0).permutation(ITEMS)
        same(ready.assess(Claims.of(order)), _some(whole, order))

    def test_items_it_does_not_strike_stay_as_they_were(self) -> None:
        if not self.local or not self.failure().partial:
            return
        healthy = _apart(self.protocol())
        late = {"onset": Onset(item=ITEMS // 2)}
        some = {"items": Slice(first=ITEMS // 2)}
        for change in (late, some):
            pool, ready = self._struck(self.failure().model_copy(update=change))
            first = np.arange(ITEMS // 2)
            same(_some(ready.assess(pool.roots), first), _some(healthy, first))

    def test_pickles(self) -> None:
        pool, ready = self._struck(self.failure())
        again = pickle.loads(pickle.dumps(ready))
        same(ready.assess(pool.roots), again.assess(pool.roots))
        study = pickle.loads(pickle.dumps(self._study()))
        there = run_replicate(study, 0, [Case("struck", "it", 1.0)])
        assert np.array_equal(next(iter(there.rows.values())), self._rows(1.0)[1], equal_nan=True)

    def test_traces_change_no_number(self) -> None:
        _, ready = self._struck(self.failure())
        some = np.arange(3)
        same(ready.assess(Claims.of(some, traced=True)), ready.assess(Claims.of(some)))


class Anyone:
    """A student that a failure of labels never asks."""
