"""The contract of failures. Inherit it in a test of your own:

    from oversight.testing import FailureContract

    class TestMine(FailureContract):
        def failure(self):
            return Mine()

        def protocol(self):
            return Direct(overseer=Human())

The protocol is one with a role that the failure strikes.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from oversight.components.overseer import Overseer
from oversight.core.claims import Claims
from oversight.failures.base import Failure, Onset, Slice
from oversight.failures.injection import Injection
from oversight.overseers.attack import prepared
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.studies.cases import Case
from oversight.studies.study import Study
from oversight.testing.kit import (
    ITEMS,
    AnyStudent,
    assert_nothing_is_changed,
    assert_same,
    assess_roots,
    joined,
    ordinary,
    picture,
    small_pool,
    some,
)
from oversight.worlds.concept import ConceptPool, ConceptWorld

REPLICATES = 8
"""Replicates in which a failure must not help."""
SPREAD = 4.0
"""Standard errors that count as chance; more come once in 400 times (t with 7 degrees)."""
WHERE_IT_SHOWS = ConceptWorld(train_items=600, test_items=600, features=6)
"""A world in which a gain of .05 is seen."""


class FailureContract:
    """What holds for every failure, whatever goes wrong."""

    local = True
    """Whether it changes nothing about items that it does not strike; False where something is
    fitted to items, struck or not, and then judges them all."""

    def failure(self) -> Failure:
        """The failure to test, in no protocol yet."""
        raise TypeError("give the failure to test: def failure(self): return Mine()")

    def protocol(self) -> Overseer:
        """A protocol with a role that it strikes."""
        raise TypeError("give a protocol that it strikes: def protocol(self): return Direct()")

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
        protocol, _ = Injection(together=(failure,)).into(self.protocol(), AnyStudent(), severity)
        return pool, prepared(protocol, pool, ordinary()).protocol

    def test_it_says_what_it_is(self) -> None:
        """It has a name, a knob, a source and a docstring, and strikes a role of the protocol."""
        failure = self.failure()
        for text in (failure.name, failure.knob, failure.source, type(failure).__doc__):
            assert text, "name, knob, source and a docstring are what a reader has to go by"
        assert failure.can_strike
        assert failure.roles_in(self.protocol()), "the protocol has no role that it strikes"

    def test_severity_0_changes_nothing(self) -> None:
        """At severity 0 every number is that of health, bit for bit."""
        healthy, failing = self._rows(0.0)
        assert np.array_equal(healthy, failing, equal_nan=True)
        pool = small_pool()
        assert_same(
            assess_roots(self.protocol()), self._struck(self.failure(), 0.0)[1].assess(pool.roots)
        )

    def test_severity_1_changes_something(self) -> None:
        """At severity 1 something is measured differently."""
        healthy, failing = self._rows(1.0)
        assert not np.array_equal(healthy, failing, equal_nan=True)

    def test_healthy_numbers_do_not_depend_on_it(self) -> None:
        """The healthy protocol beside it keeps its numbers."""
        alone = run_replicate(self._study(), 0, [Case("struck")])
        healthy = self._rows(1.0)[0]
        assert np.array_equal(alone.rows[Case("struck")], healthy, equal_nan=True)

    def test_what_it_is_given_stays_as_it_was(self) -> None:
        """It writes into nothing that others use too, healthy verdicts among them."""

        def struck(pool: ConceptPool) -> Overseer:
            whole = Injection(together=(self.failure(),))
            protocol, _ = whole.into(self.protocol(), AnyStudent(), 1.0)
            return prepared(protocol, pool, ordinary()).protocol

        assert_nothing_is_changed(struck)

    def test_it_does_not_help(self) -> None:
        """At severity 1, neither labels nor student are more often right than in health, but for
        chance; unless `why_flat` says why."""
        if self.failure().why_flat:
            return
        study = self._study().changed(world=WHERE_IT_SHOWS)
        cases = [Case("struck"), Case("struck", "it", 1.0)]
        runs = [run_replicate(study, number, cases) for number in range(REPLICATES)]
        for run in runs:
            assert not run.failed, run.failed
        for name in ("label_accuracy", "student_accuracy"):
            column = COLUMNS.index(name)
            gains = [run.rows[cases[1]][column] - run.rows[cases[0]][column] for run in runs]
            error = float(np.std(gains, ddof=1)) / REPLICATES**0.5
            gain = float(np.mean(gains))
            assert not gain > SPREAD * error, (
                f"{name} rises by {gain:.3f} +- {error:.3f} under the failure; expected a fall, or "
                "why_flat, which says why there is none"
            )

    def test_batches_and_order_change_nothing(self) -> None:
        """A struck protocol judges the same in any batch and order."""
        pool, ready = self._struck(self.failure(), 0.5)
        whole = ready.assess(pool.roots)
        for size in (1, 7):
            starts = range(0, ITEMS if size > 1 else 12, size)
            parts = [ready.assess(Claims.of(pool.everyone[i : i + size])) for i in starts]
            batches = joined(parts)
            assert_same(batches, some(whole, np.arange(batches.evidence.size)))
        order = np.random.default_rng(0).permutation(ITEMS)
        assert_same(ready.assess(Claims.of(order)), some(whole, order))

    def test_items_it_does_not_strike_stay_as_they_were(self) -> None:
        """Before its onset and outside its slice of items nothing changes, bit for bit."""
        if not self.local or not self.failure().partial:
            return
        healthy = assess_roots(self.protocol())
        late = {"onset": Onset(item=ITEMS // 2)}
        slice_of = {"items": Slice(first=ITEMS // 2)}
        for change in (late, slice_of):
            pool, ready = self._struck(self.failure().model_copy(update=change))
            first = np.arange(ITEMS // 2)
            assert_same(some(ready.assess(pool.roots), first), some(healthy, first))

    def test_assess_writes_nothing(self) -> None:
        pool, ready = self._struck(self.failure())
        ready.assess(pool.roots)
        before = picture(ready)
        ready.assess(Claims.of(pool.everyone[:7], traced=True))
        ready.assess(pool.roots)
        assert picture(ready) == before, "assess wrote to the failure or to what it wraps"

    def test_pickles(self) -> None:
        """Workers receive it by pickle, and a pickled copy fails the same."""
        pool, ready = self._struck(self.failure())
        again = pickle.loads(pickle.dumps(ready))
        assert_same(ready.assess(pool.roots), again.assess(pool.roots))
        study = pickle.loads(pickle.dumps(self._study()))
        there = run_replicate(study, 0, [Case("struck", "it", 1.0)])
        assert np.array_equal(next(iter(there.rows.values())), self._rows(1.0)[1], equal_nan=True)

    def test_traces_change_no_number(self) -> None:
        """Explanations change nothing."""
        _, ready = self._struck(self.failure())
        few = np.arange(3)
        assert_same(ready.assess(Claims.of(few, traced=True)), ready.assess(Claims.of(few)))
