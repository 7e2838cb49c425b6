"""A pool of items as overseers meet it, and the setting they work in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from oversight.components.profiles import ModelSettings, PeopleSettings
from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray
from oversight.core.streams import Draws
from oversight.worlds.tree import TaskTree


@dataclass(frozen=True)
class Setting:
    """Who works in a scenario: the people and the strong model, unless a protocol says
    otherwise."""

    people: PeopleSettings
    model: ModelSettings


@runtime_checkable
class Pool(Protocol):
    """Items with a task tree, made by a world. Arrays are over items, or over claims where claims
    are given."""

    @property
    def tree(self) -> TaskTree:
        """The task tree as protocols know it."""

    @property
    def template(self) -> TaskTree:
        """The task tree as it is: how high a claim stands, and so how hard it is."""

    @property
    def draws(self) -> Draws:
        """Named random draws over the items."""

    @property
    def x(self) -> FloatArray:
        """The student's representation, (items, features)."""

    @property
    def gold(self) -> BoolArray:
        """The answers that accuracies are measured against, (items,)."""

    @property
    def intended(self) -> BoolArray:
        """The answers without label noise, (items,)."""

    @property
    def noise(self) -> float:
        """The chance that gold is not the intended answer, eta."""

    @property
    def everyone(self) -> IntArray:
        """All item numbers."""

    @property
    def roots(self) -> Claims:
        """The root claim of every item."""

    @property
    def root_margin(self) -> FloatArray:
        """The margin of every root claim, along the intended concept."""

    def truth(self, claims: Claims) -> BoolArray:
        """Whether each claim is true."""

    def margin(self, claims: Claims) -> FloatArray:
        """How clear each claim is, signed by its truth."""

    def misconception(self, claims: Claims) -> FloatArray:
        """Where each claim lies along the misconception that people and models share."""

    def features(self, claims: Claims) -> FloatArray:
        """What a reward model sees of each claim, shape (*claims.shape, features)."""


class PoolBase:
    """What every pool has in common."""

    tree: TaskTree
    draws: Draws

    @property
    def template(self) -> TaskTree:
        return self.tree

    @property
    def everyone(self) -> IntArray:
        return self.draws.everyone

    @cached_property
    def roots(self) -> Claims:
        """The root claim of every item."""
        return Claims.of(self.everyone, ROOT)
