"""The shipped world under the contract, and worlds that break one rule each."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pytest

from oversight import BoolArray, Claims, FloatArray, Pool, World
from oversight.testing import WorldContract
from oversight.worlds.concept import ConceptPool, ConceptWorld
from oversight.worlds.salience import SalienceWorld


class TestConceptWorld(WorldContract):
    def world(self) -> World:
        return ConceptWorld(train_items=400, test_items=300, features=6)


class TestConceptWorldWithoutNoise(WorldContract):
    def world(self) -> World:
        return ConceptWorld(train_items=300, test_items=300, features=6, ceiling=1.0)


class TestSalienceWorld(WorldContract):
    def world(self) -> World:
        return SalienceWorld(train_items=400, test_items=300, features=6)


class TestSalienceWorldOfRareAnswers(WorldContract):
    def world(self) -> World:
        return SalienceWorld(train_items=400, test_items=300, features=2, prevalence=0.2, noise=0)


class Spoiled(ConceptPool):
    """A pool that can be told apart from the one of the concept world."""


class Broken(ConceptWorld):
    """A base for worlds that break one rule each."""

    spoiled: ClassVar[type[ConceptPool]] = Spoiled

    def pool(self, seed: int, replicate: int, part: Any) -> Pool:  # type: ignore[override]
        return self.spoiled(self, seed, replicate, part)


class GlobalLuck(Broken):
    class spoiled(Spoiled):
        @cached_property
        def x(self) -> FloatArray:
            return np.random.normal(size=(self.draws.items, 6))  # noqa: NPY002 -- the fault


class OfTheBatch(Broken):
    class spoiled(Spoiled):
        def margin(self, claims: Claims) -> FloatArray:
            return super().margin(claims) * (1 + claims.item.size)


class Fuzzy(Broken):
    """People cannot be as good as the scenario says: its margins are no standard normals."""

    class spoiled(Spoiled):
        def margin(self, claims: Claims) -> FloatArray:
            return super().margin(claims) / 10


class OneReplicate(Broken):
    def pool(self, seed: int, replicate: int, part: Any) -> Pool:  # type: ignore[override]
        return ConceptPool(self, seed, 0, part)


class Boastful(Broken):
    @property
    def best_accuracy(self) -> float:
        return 1.0


class Wide(Broken):
    @property
    def width(self) -> int:
        return 7


class Greedy(Broken):
    has: ClassVar[frozenset[str]] = frozenset({"tree", "people", "model", "margins", "clouds"})


class Undecided(Broken):
    """Margins, and answers of its own: nobody could tell which of them people go by."""

    class spoiled(Spoiled):
        @property
        def shared_answer(self) -> BoolArray:
            return self.gold


class NoDefault(Broken):
    needed: int


class Deaf(SalienceWorld):
    """Its people are as good as it likes."""

    def overseen(self, right: float) -> SalienceWorld:
        return super().overseen(0.99)


class Moody(SalienceWorld):
    """Nobody says what people answer."""

    def pool(self, seed: int, replicate: int, part: Any) -> Any:  # type: ignore[override]
        return ConceptPool(ConceptWorld(train_items=400, test_items=300, features=6), seed, 0, part)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (GlobalLuck, "independent_of_global_random_state"),
        (OfTheBatch, "claims_are_the_same_in_any_batch"),
        (Fuzzy, "what_it_declares_is_there"),
        (OneReplicate, "a_pool_is_the_same_again"),
        (Boastful, "gold_is_as_good_as_declared"),
        (Wide, "shapes_and_types"),
        (Greedy, "it_is_introduced"),
        (Undecided, "what_it_declares_is_there"),
        (Deaf, "what_it_declares_is_there"),
        (Moody, "what_it_declares_is_there"),
        (NoDefault, "every_key_has_a_default"),
    ],
)
def test_the_contract_catches(kind: type[World], check: str) -> None:
    class Contract(WorldContract):
        def world(self) -> World:
            some: dict[str, Any] = {"train_items": 400, "test_items": 300, "features": 6}
            return kind(**some, needed=1) if kind is NoDefault else kind(**some)

    with pytest.raises((AssertionError, ValueError)):
        getattr(Contract(), f"test_{check}")()
