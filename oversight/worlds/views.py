"""Views of a pool: another way of looking at the same items."""

from __future__ import annotations

from oversight.core.claims import BoolArray, Claims, FloatArray
from oversight.core.streams import Draws
from oversight.worlds.base import Pool
from oversight.worlds.tree import TaskTree


class View(Pool):
    """A pool of which a subclass changes something; everything else is that of the `whole`."""

    def __init__(self, whole: Pool) -> None:
        self.whole = whole

    @property
    def tree(self) -> TaskTree:
        return self.whole.tree

    @property
    def template(self) -> TaskTree:
        return self.whole.template

    @property
    def draws(self) -> Draws:
        return self.whole.draws

    @property
    def x(self) -> FloatArray:
        return self.whole.x

    @property
    def gold(self) -> BoolArray:
        return self.whole.gold

    @property
    def intended(self) -> BoolArray:
        return self.whole.intended

    @property
    def label_noise(self) -> float:
        return self.whole.label_noise

    @property
    def shared_answer(self) -> BoolArray | None:
        return self.whole.shared_answer

    def truth(self, claims: Claims) -> BoolArray:
        return self.whole.truth(claims)

    def margin(self, claims: Claims) -> FloatArray:
        return self.whole.margin(claims)

    def misconception(self, claims: Claims) -> FloatArray:
        return self.whole.misconception(claims)

    def features(self, claims: Claims) -> FloatArray:
        return self.whole.features(claims)
