"""The contract of worlds. Inherit it in a test of your own:

    from oversight.testing import WorldContract

    class TestMine(WorldContract):
        def world(self):
            return Mine(train_items=300, test_items=300)

A few hundred items make it fast.
"""

from __future__ import annotations

import pickle
from typing import ClassVar, get_args

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from oversight.components.overseer import Mechanism, Overseer
from oversight.components.profiles import ByHeight
from oversight.core.claims import BoolArray, Claims, Verdicts
from oversight.core.evidence import Evidence
from oversight.overseers.human import Human
from oversight.overseers.model import Model
from oversight.running.replicate import run_replicate
from oversight.studies.study import Study
from oversight.testing.kit import elsewhere, ordinary, twice_with_other_global_state
from oversight.worlds.base import MARGINS, MODEL, PEOPLE, TREE, Part, Pool, World

ALL = (TREE, PEOPLE, MODEL, MARGINS)
SEED = 5

Arrays = dict[str, npt.NDArray[np.generic]]
"""Arrays of a pool, by name."""

SPREAD = 4.0
"""Standard errors that a share may lie from what it should be."""


class Needy(Mechanism):
    """A mechanism that needs one thing of the world and does nothing."""

    name: ClassVar[str] = "needy"

    thing: str = ""

    @property
    def needs(self) -> frozenset[str]:
        """The one thing."""
        return frozenset({self.thing})

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        """Nothing is known."""
        return Verdicts.of(np.zeros(claims.shape))


class WorldContract:
    """What holds for every world, wherever its items come from."""

    def world(self) -> World:
        """The world to test."""
        raise TypeError("give the world to test: def world(self): return Mine()")

    def _pool(self, seed: int = SEED, replicate: int = 0, part: Part = "train") -> Pool:
        return _overseen(self.world()).pool(seed, replicate, part)

    def test_it_is_introduced(self) -> None:
        """It has a kind, a docstring, and declares what a world can have."""
        world = self.world()
        assert world.kind, "`kind` is the name that a scenario writes"
        assert type(world).__doc__, "`oversight list worlds` shows the first sentence"
        assert world.has <= set(ALL), f"`has` is out of {', '.join(ALL)}"

    def test_every_key_has_a_default(self) -> None:
        """`world: {kind: NAME}` is enough, and a key that does not exist is refused."""
        kind = type(self.world())
        assert kind().kind == kind.model_validate({"kind": kind().kind}).kind == self.world().kind
        with pytest.raises(ValidationError, match="unknown key"):
            kind.model_validate({"no such key": 1})

    def test_a_replicate_runs(self) -> None:
        """Where people can be simulated, the unaided overseer labels it and a student learns."""
        if PEOPLE not in self.world().has:
            return
        replicate = run_replicate(Study(world=self.world(), protocols={"people": Human()}), 0)
        assert not replicate.failed, replicate.failed

    def test_a_pool_is_the_same_again(self) -> None:
        """The same for the same seed, replicate and part, and different for others."""
        first = arrays_of(self._pool())
        assert_equal(first, arrays_of(self._pool()))
        for other in (self._pool(part="test"), self._pool(replicate=1), self._pool(seed=SEED + 1)):
            assert not np.array_equal(first["x"], other.x), "another pool has the same x"

    def test_shapes_and_types(self) -> None:
        """x is (items, width), answers are (items,)."""
        world = self.world()
        for part in get_args(Part):
            pool, items = self._pool(part=part), world.items(part)
            assert pool.draws.items == items
            assert np.array_equal(pool.everyone, np.arange(items))
            assert pool.roots.shape == (items,)
            assert pool.x.shape == (items, world.width)
            assert pool.x.dtype == np.float64
            assert np.isfinite(pool.x).all()
            for answers in (pool.gold, pool.intended):
                assert answers.shape == (items,)
                assert answers.dtype == np.bool_
            assert 0 <= pool.label_noise < 0.5
            assert len(pool.tree) == len(world.task_tree)

    def test_claims_are_the_same_in_any_batch(self) -> None:
        """Truth, margin, misconception and features of claims depend on item and node alone."""
        pool = self._pool()
        nodes = np.arange(min(len(pool.tree), 4))
        grid = Claims.of(pool.everyone, nodes[:, None])
        order = np.random.default_rng(0).permutation(pool.everyone)
        for name in claimed(self.world()):
            give = getattr(pool, name)
            whole = give(pool.roots)
            assert whole.shape[:1] == pool.roots.shape, name
            assert np.isfinite(whole).all(), name
            assert np.array_equal(give(Claims.of(order)), whole[order]), name
            assert np.array_equal(give(Claims.of(order[:1])), whole[order[:1]]), name
            together = give(grid)
            assert together.shape[:2] == grid.shape, name
            assert np.array_equal(together[0], whole), name
            for node in nodes:
                alone = give(Claims.of(pool.everyone, int(node)))
                assert np.array_equal(together[node], alone), name

    def test_who_writes_into_an_array_harms_nobody(self) -> None:
        """Arrays are read-only, or copies."""
        pool = self._pool()
        before = {name: array.copy() for name, array in arrays_of(pool).items()}
        for array in arrays_of(pool).values():
            if array.flags.writeable:
                array[...] = 0
        assert_equal(before, arrays_of(pool))

    def test_independent_of_global_random_state(self) -> None:
        """It draws from nothing but `pool.draws` and named streams."""
        assert_equal(*twice_with_other_global_state(lambda: arrays_of(self._pool())))

    def test_pickles(self) -> None:
        """World and pool reach workers by pickle."""
        pool = self._pool()
        world: World = pickle.loads(pickle.dumps(self.world()))
        assert_equal(arrays_of(pool), _arrays_in_a_worker(world))
        assert_equal(arrays_of(pool), arrays_of(pickle.loads(pickle.dumps(pool))))

    def test_another_process_changes_nothing(self) -> None:
        """A fresh process makes the same items."""
        assert_equal(arrays_of(self._pool()), elsewhere(_arrays_in_a_worker, self.world()))

    def test_gold_is_as_good_as_declared(self) -> None:
        """Intended answers are right against gold as often as `best_accuracy` says."""
        pool, best = self._pool(), self.world().best_accuracy
        assert 0.5 < best <= 1
        assert pool.label_noise == pytest.approx(1 - best)
        assert_share(pool.gold == pool.intended, best)

    def test_what_it_declares_is_there(self) -> None:
        """A tree has claims below the root; margins have the sign of the truth; people and model
        are right as often as they should be; without margins, people answer as the world says."""
        has, pool = self.world().has, self._pool()
        assert (TREE in has) == (len(self.world().task_tree) > 1), "`has` a tree of several claims"
        if MARGINS in has:
            nodes = np.arange(len(pool.tree))[:, None]
            claims = Claims.of(pool.everyone, nodes)
            assert np.array_equal(pool.margin(claims) > 0, pool.truth(claims))
            assert np.array_equal(pool.truth(pool.roots), pool.intended)
        if PEOPLE in has:
            drawn = pool.shared_answer
            assert (drawn is None) == (MARGINS in has), "people have margins, or a shared answer"
            if drawn is not None:
                for person in (Human(), Human(person=1)):
                    verdicts = person.prepare(pool, ordinary()).assess(pool.roots)
                    assert np.array_equal(verdicts.answer, drawn)
        setting, ceiling = ordinary(), self.world().best_accuracy
        for thing, overseer, accuracy in (
            (PEOPLE, Human(), setting.people.accuracy),
            (MODEL, Model(), setting.model.accuracy),
        ):
            if thing in has and isinstance(accuracy, ByHeight) and accuracy.root <= ceiling:
                self._assess(overseer, pool, accuracy.root)

    def _assess(self, overseer: Overseer, pool: Pool, accuracy: float) -> None:
        verdicts = overseer.prepare(pool, ordinary()).assess(pool.roots)
        assert verdicts.evidence.shape == pool.roots.shape
        assert_share(verdicts.answer == pool.gold, accuracy)

    def test_what_it_does_not_declare_is_refused(self) -> None:
        """A protocol that needs more is refused in words, before anything runs."""
        for thing in sorted(set(ALL) - self.world().has):
            with pytest.raises(ValidationError, match=rf"needs[^;]*\b{thing.removesuffix('s')}"):
                Study(world=self.world(), protocols={"needy": Needy(thing=thing)})


def _overseen(world: World) -> World:
    """The world under the people of `ordinary()`."""
    accuracy = ordinary().people.accuracy
    assert isinstance(accuracy, ByHeight)
    return world.overseen(accuracy.root)


def claimed(world: World) -> list[str]:
    """The names of what a pool of this world knows of claims."""
    return ["truth", "features", *(["margin", "misconception"] if MARGINS in world.has else [])]


def arrays_of(pool: Pool) -> Arrays:
    """Everything that a pool knows of its items, by name."""
    arrays = {"x": pool.x, "gold": pool.gold, "intended": pool.intended}
    if pool.shared_answer is not None:
        arrays["shared answer"] = pool.shared_answer
    for node in range(min(len(pool.tree), 3)):
        for name in ("truth", "margin", "misconception", "features"):
            try:
                arrays[f"{name} {node}"] = getattr(pool, name)(pool.claims(node))
            except TypeError:  # its world does not declare it
                continue
    return arrays


def _arrays_in_a_worker(world: World) -> Arrays:
    return arrays_of(_overseen(world).pool(SEED, 0, "train"))


def assert_equal(one: Arrays, two: Arrays) -> None:
    """Assert that two sets of arrays are equal to the last bit."""
    assert set(one) == set(two)
    for name, array in one.items():
        assert np.array_equal(array, two[name]), f"{name} differs"


def assert_share(right: BoolArray, share: float) -> None:
    """Assert that the share of True is what it should be, but for chance."""
    error = SPREAD * np.sqrt(share * (1 - share) / len(right))
    assert abs(np.mean(right) - share) <= error, f"{np.mean(right):.3f}, expected {share:.3f}"
