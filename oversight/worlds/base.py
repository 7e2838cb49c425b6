"""Worlds and their pools of items: what a world declares, and what every pool can be asked."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray
from oversight.core.config import Config
from oversight.core.streams import Draws
from oversight.worlds.tree import TaskTree

Part = Literal["train", "test"]
"""Items to learn from, or items to test on."""
Items = Annotated[int, Field(strict=True, ge=10, le=1_000_000)]
"""How many items a part has."""

TREE, PEOPLE, MODEL, MARGINS = "tree", "people", "model", "margins"
"""What a world may have: a task tree, people who can be simulated, a strong model that can be
simulated, and margins along the intended concept (MODEL 2). People and model are simulated from
margins, or from answers that the world draws (`Pool.shared_answer`)."""

THINGS = {TREE: "a task tree", PEOPLE: "people", MODEL: "a strong model", MARGINS: "margins"}
"""The same in words."""

LONE = TaskTree(labels=("root",), children=((),), gate=(None,), leaf_prior=(0.5,))
"""The tree of a world that has none: every item is one question, and nothing is below it."""


class World(Config):
    """Where items come from. A subclass names itself in `kind` and declares in `has` what it has.

    has   out of TREE, PEOPLE, MODEL and MARGINS; a protocol that needs more is refused before
          anything runs
    kind  the name under which it is registered; every key needs a default, so that
          `world: {kind: NAME}` runs
    """

    has: ClassVar[frozenset[str]] = frozenset()

    kind: str = ""

    @property
    def width(self) -> int:
        """Dimensions of the representation x that a student sees."""
        raise TypeError(f"{type(self).__name__} does not give the width of its representation")

    @property
    def task_tree(self) -> TaskTree:
        """The task tree that all items share; a lone question where the world has no tree."""
        return LONE

    @property
    def best_accuracy(self) -> float:
        """The highest accuracy against gold that anybody can reach, in (1/2, 1]."""
        return 1.0

    def items(self, part: Part) -> int:
        """How many items the pool of a part has."""
        raise TypeError(f"{type(self).__name__} does not count its items")

    def overseen(self, right: float) -> World:
        """The world under overseers who are right about an item's own question with this chance:
        the same, unless its items depend on what they answer."""
        return self

    def pool(self, seed: int, replicate: int, part: Part) -> Pool:
        """The items of one replicate; the same for the same arguments, in every process."""
        raise TypeError(f"{type(self).__name__} makes no pool")


class Pool:
    """The items of one replicate. Arrays are over items, or over claims where claims are given.

    A subclass gives `draws`, `x` and `gold`, and the rest where its world has it.
    """

    def __setattr__(self, name: str, value: object) -> None:
        """Everybody works on the same items: what a pool works out once cannot be replaced."""
        if isinstance(getattr(type(self), name, None), cached_property):
            raise AttributeError(f"{name} of a pool is read-only; expected a copy of your own")
        super().__setattr__(name, value)

    @property
    def draws(self) -> Draws:
        """Named random draws over the items."""
        raise TypeError(f"{type(self).__name__} has no random draws")

    @property
    def tree(self) -> TaskTree:
        """The task tree as protocols know it."""
        return LONE

    @property
    def x(self) -> FloatArray:
        """The student's representation, (items, features)."""
        raise TypeError(f"{type(self).__name__} has no representation x")

    @property
    def gold(self) -> BoolArray:
        """The answers that accuracies are measured against, (items,)."""
        raise TypeError(f"{type(self).__name__} has no gold answers")

    @property
    def intended(self) -> BoolArray:
        """The answers without label noise, (items,)."""
        return self.gold

    @property
    def label_noise(self) -> float:
        """The chance that gold is not the intended answer, eta."""
        return 0.0

    @property
    def template(self) -> TaskTree:
        """The task tree as it is: how high a claim stands, and so how hard it is."""
        return self.tree

    @property
    def shared_answer(self) -> BoolArray | None:
        """What every person answers to each item, (items,), in a world whose items depend on it;
        None where people perceive margins, each in their own way."""
        return None

    @property
    def everyone(self) -> IntArray:
        """The numbers of all items, 0 to items - 1."""
        return self.draws.everyone

    @cached_property
    def roots(self) -> Claims:
        """The root claim of every item."""
        return self.claims(ROOT)

    def claims(self, node: int = ROOT) -> Claims:
        """The claim about a node, of every item."""
        return Claims.of_everyone(self.everyone, node)

    def truth(self, claims: Claims) -> BoolArray:
        """Whether each claim is true; a pool without a tree knows the roots alone."""
        raise TypeError(f"{type(self).__name__} does not know which claims are true")

    def margin(self, claims: Claims) -> FloatArray:
        """How clear each claim is, signed by its truth."""
        raise TypeError(f"{type(self).__name__} has no margins; its world does not declare them")

    def misconception(self, claims: Claims) -> FloatArray:
        """Where each claim lies along the misconception that people and models share."""
        raise TypeError(f"{type(self).__name__} has no margins; its world does not declare them")

    def features(self, claims: Claims) -> FloatArray:
        """What a reward model sees of each claim, shape (*claims.shape, features)."""
        raise TypeError(f"{type(self).__name__} does not show its claims to reward models")
