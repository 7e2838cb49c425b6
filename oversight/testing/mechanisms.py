"""The contract of mechanisms. Inherit it in a test of your own:

    from oversight.testing import MechanismContract

    class TestMine(MechanismContract):
        def mechanism(self):
            return Mine(turns=2)

pytest collects the rest. A mechanism that is fitted to a sample sets `fitted = True` and gives
`with_samples(n)`: it must come closer to perfect labels with more samples instead of reaching them.
"""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.components.profiles import HONEST, ModelSettings, PeopleSettings, Strategy
from oversight.components.wrappers import rewrite
from oversight.core.claims import Claims, Verdicts
from oversight.core.evidence import Argument, Evidence
from oversight.overseers.attack import prepared
from oversight.overseers.meaning import meaning, moves
from oversight.testing.kit import (
    ITEMS,
    assert_nothing_is_changed,
    assert_same,
    assess_roots,
    elsewhere,
    joined,
    ordinary,
    perfect,
    picture,
    small_pool,
    some,
    twice_with_other_global_state,
    wrapped,
)
from oversight.worlds.concept import ConceptPool, ConceptWorld


class MechanismContract:
    """What holds for every mechanism, whatever it does."""

    fitted = False
    """Whether it learns from a sample, so that perfect people make its labels perfect only in the
    limit."""

    reads = True
    """Whether evidence that others put forward moves it."""

    def mechanism(self) -> Overseer:
        """The mechanism to test, not yet prepared."""
        raise TypeError("give the mechanism to test: def mechanism(self): return Mine()")

    def with_samples(self, samples: int) -> Overseer:
        """A fitted mechanism that learns from so many samples."""
        raise TypeError(
            "a fitted mechanism gives itself with more samples: def with_samples(self, n)"
        )

    def _prepared(self) -> tuple[ConceptPool, Overseer]:
        pool = small_pool()
        return pool, self.mechanism().prepare(pool, ordinary())

    def test_batches_and_order_change_nothing(self) -> None:
        """Claims are judged the same alone, in batches of any size and in any order."""
        pool, ready = self._prepared()
        leaf = int(pool.tree.leaves[0])
        for node in (0, 1, leaf):
            whole = ready.assess(Claims.of(pool.everyone, node))
            for size in (1, 7):
                starts = range(0, ITEMS if size > 1 else 12, size)
                parts = [ready.assess(Claims.of(pool.everyone[i : i + size], node)) for i in starts]
                batches = joined(parts)
                assert_same(batches, joined([some(whole, np.arange(batches.evidence.size))]))
            order = np.random.default_rng(0).permutation(ITEMS)
            assert_same(ready.assess(Claims.of(order, node)), some(whole, order))

    def test_assess_writes_nothing(self) -> None:
        pool, ready = self._prepared()
        ready.assess(pool.roots)  # what Python itself keeps of a class is there from now on
        before = picture(ready)
        yes = np.ones(ITEMS, dtype=np.bool_)
        heard = Evidence((Argument(yes, np.full(ITEMS, 3.0), 1.0),))
        for node in (0, 1, int(pool.tree.leaves[0])):
            ready.assess(pool.claims(node), heard)
            ready.assess(Claims.of(pool.everyone[:7], node, traced=True))
            ready.reliability(node)
        assert picture(ready) == before, "assess wrote to the mechanism or to a part of it"

    def test_other_items_are_other_claims(self) -> None:
        pool, ready = self._prepared()
        back = pool.everyone[::-1].copy()
        same = ready.assess(Claims.of(back))
        assert_same(ready.assess(replace(pool.roots, item=back)), same)

    def test_claims_in_a_grid_are_the_same_claims(self) -> None:
        """Nodes of shape (k, 1) and items of shape (n,) are k x n claims, judged as one by one."""
        pool, ready = self._prepared()
        nodes = np.array([1, int(pool.tree.leaves[0]), 2])
        grid = ready.assess(Claims.of(pool.everyone, nodes[:, None]))
        assert grid.evidence.shape == (3, ITEMS)
        rows = [ready.assess(Claims.of(pool.everyone, int(node))) for node in nodes]
        assert_same(grid, joined(rows))

    def test_what_it_is_given_stays_as_it_was(self) -> None:
        """It writes into nothing that others use too, and nobody can write into its verdicts."""
        assert_nothing_is_changed(lambda pool: self.mechanism().prepare(pool, ordinary()))

    def test_a_fresh_preparation_is_the_same(self) -> None:
        """Prepared again for the same pool, it judges the same."""
        assert_same(assess_roots(self.mechanism()), assess_roots(self.mechanism()))

    def test_workers_change_nothing(self) -> None:
        """Threads beside it change nothing."""
        here = assess_roots(self.mechanism())
        with ThreadPoolExecutor(2) as threads:
            for there in threads.map(assess_roots, [self.mechanism()] * 2):
                assert_same(here, there)

    def test_another_process_changes_nothing(self) -> None:
        """A fresh process gives the same numbers."""
        assert_same(assess_roots(self.mechanism()), elsewhere(assess_roots, self.mechanism()))

    def test_independent_of_global_random_state(self) -> None:
        """It draws from nothing but `self.chance(claims)` and named streams."""
        assert_same(*twice_with_other_global_state(lambda: assess_roots(self.mechanism())))

    def test_pickles_before_and_after_preparation(self) -> None:
        """Workers receive it by pickle, and a pickled copy judges the same."""
        pool, ready = self._prepared()
        copy: Overseer = pickle.loads(pickle.dumps(self.mechanism()))
        assert_same(assess_roots(self.mechanism()), assess_roots(copy))
        again: Overseer = pickle.loads(pickle.dumps(ready))
        assert_same(ready.assess(pool.roots), again.assess(pool.roots))

    def test_costs_are_reported(self) -> None:
        """Minutes and calls are finite and not negative, of every claim and of preparation."""
        pool, ready = self._prepared()
        verdicts = ready.assess(pool.roots)
        for cost in (verdicts.minutes, verdicts.calls):
            assert cost.shape == (ITEMS,)
            assert np.isfinite(cost).all()
            assert (cost >= 0).all()
        assert all(np.isfinite(spent) and spent >= 0 for spent in ready.fixed_cost())
        assert np.isfinite(verdicts.evidence).all()

    def test_costs_are_additive(self) -> None:
        """Two halves of the claims cost as much as the whole."""
        pool, ready = self._prepared()
        whole = ready.assess(pool.roots)
        halves = [ready.assess(Claims.of(half)) for half in np.array_split(pool.everyone, 2)]
        assert whole.minutes.sum() == sum(half.minutes.sum() for half in halves)
        assert whole.calls.sum() == sum(half.calls.sum() for half in halves)

    def test_a_rewrite_that_changes_nothing_changes_nothing(self) -> None:
        """It does not look at who sits in its slots, so that failures and the desk reach them."""
        before = assess_roots(self.mechanism())
        for role in sorted({"people", "protocol", *_roles(self.mechanism())}):
            rewritten = rewrite(self.mechanism(), role, wrapped)
            assert isinstance(rewritten, Overseer)
            assert_same(before, assess_roots(rewritten))

    def test_evidence_is_heard_and_paid_for(self) -> None:
        """An argument for a side moves the belief to it, and its reading takes minutes."""
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
        """Two copies of it are other people with other draws."""
        pool = small_pool()
        one, two = (
            self.mechanism().sibling(i).prepare(pool, ordinary()).assess(pool.roots) for i in (0, 1)
        )
        assert not np.array_equal(one.evidence, two.evidence)

    def test_strategies_come_to_what_is_thought(self) -> None:
        """What a strategy cannot use in it changes nothing: a bluff where no model states verdicts,
        coins where nobody looks again, rivals where `assigns_sides`."""
        pool, world = small_pool(), ConceptWorld()

        def labels(strategy: Strategy | None) -> Verdicts:
            model = ModelSettings(strategy=strategy or HONEST)
            ready = prepared(self.mechanism(), pool, replace(ordinary(), model=model))
            return ready.protocol.assess(pool.roots)

        rivals = Strategy(share=0.5, copies="apart")
        bluff = Strategy(share=0.5, picks="unwatched", knows="everything", states="bluff")
        for strategy in (rivals, bluff):
            plainest = meaning(strategy, self.mechanism(), world)
            assert_same(labels(strategy), labels(plainest))
        if not moves(self.mechanism(), replace(ordinary(), model=ModelSettings(strategy=rivals))):
            assert_same(labels(rivals), labels(None))

    def test_traces_change_no_number(self) -> None:
        """It explains itself where claims are traced, and only there, with the same numbers."""
        _, ready = self._prepared()
        few = np.arange(3)
        traced, plain = ready.assess(Claims.of(few, traced=True)), ready.assess(Claims.of(few))
        assert_same(traced, plain)
        assert traced.trace is not None
        assert plain.trace is None

    def test_perfect_people_and_models_make_perfect_labels(self) -> None:
        """Where nobody errs, every label is right; a fitted mechanism comes closer with samples."""
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


def _roles(component: Component) -> set[str]:
    roles = set()
    for role, part in component.slots():
        roles |= {role} | _roles(part)
    return roles
