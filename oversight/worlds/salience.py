"""Items that show two things to a student: the truth, and what the overseers answer."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from oversight.core.claims import BoolArray, Claims, FloatArray, read_only
from oversight.core.config import OpenShare
from oversight.core.streams import Draws, stream
from oversight.worlds.base import MODEL, PEOPLE, Items, Part, Pool, World

Salience = Annotated[float, Field(strict=True, ge=0, le=1e3, allow_inf_nan=False)]
"""How far something stands out in the representation; as a spread, of its noise."""


class SalienceWorld(World):
    """Items that show the student two things: the gold answer, and the overseer's label of it.

    x = y truth u_1 + l proxy u_2 + noise e, with y = +-1 the gold answer, l = +-1 the overseer's
    label and e ~ N(0, I). u_1 and u_2 are orthogonal unit vectors, the replicate's own. The label
    is one draw an item, whatever the protocol: right with chance `overseer.accuracy.root` on either
    class, and what every person answers. A student that starts at zero and follows the gradient
    learns the truth first where truth^2 (2 accuracy - 1) > proxy^2, and the label first elsewhere.

    right  the chance that the label is right; a study gives it (`overseen`)
    """

    has: ClassVar[frozenset[str]] = frozenset({PEOPLE, MODEL})

    kind: Literal["salience"] = "salience"
    train_items: Items = 4000
    test_items: Items = 4000
    features: Annotated[int, Field(strict=True, ge=2, le=4096)] = 64
    truth: Salience = Field(2.0, description="how far the gold answer stands out, g")
    proxy: Salience = Field(1.0, description="how far the overseer's label stands out, p")
    noise: Salience = Field(0.3, description="standard deviation of the rest, in every direction")
    prevalence: OpenShare = Field(0.5, description="share of items whose gold answer is yes")
    right: float | None = Field(None, exclude=True)

    @property
    def width(self) -> int:
        return self.features

    def items(self, part: Part) -> int:
        return self.train_items if part == "train" else self.test_items

    def overseen(self, right: float) -> SalienceWorld:
        return self.model_copy(update={"right": right})

    def pool(self, seed: int, replicate: int, part: Part) -> SaliencePool:
        if self.right is None:
            raise ValueError(
                "the items of the world salience show the overseer's label; expected "
                "study.pool(replicate, part), or overseen(accuracy) first"
            )
        return SaliencePool(self, self.right, seed, replicate, part)


class SaliencePool(Pool):
    """One replicate's items.

    right  the chance that the overseer's label is right
    """

    def __init__(
        self, world: SalienceWorld, right: float, seed: int, replicate: int, part: Part
    ) -> None:
        self.world, self.right, self._replicate = world, right, replicate
        self._draws = Draws(seed, ("replicate", replicate, part), world.items(part))

    @property
    def draws(self) -> Draws:
        return self._draws

    @cached_property
    def directions(self) -> FloatArray:
        """u_1 and u_2, orthonormal, (2, features); the same for both pools of a replicate."""
        generator = stream(self.draws.seed, "replicate", self._replicate, "directions", "salience")
        basis, _ = np.linalg.qr(generator.standard_normal((self.world.features, 2)))
        return read_only(basis.T.copy())

    @cached_property
    def gold(self) -> BoolArray:
        luck = self.draws.generator("world", "gold").random(self.draws.items)
        return read_only(luck < self.world.prevalence)

    @cached_property
    def shared_answer(self) -> BoolArray:
        luck = self.draws.generator("world", "label").random(self.draws.items)
        return read_only(self.gold ^ (luck >= self.right))

    @cached_property
    def x(self) -> FloatArray:
        world, shape = self.world, (self.draws.items, self.world.features)
        x = world.noise * self.draws.generator("world", "items").standard_normal(shape)
        shown = np.stack([self.gold, self.shared_answer], axis=1) * 2.0 - 1.0
        x += shown @ (np.array([[world.truth], [world.proxy]]) * self.directions)
        return read_only(x)

    def truth(self, claims: Claims) -> BoolArray:
        return np.asarray(self.gold[np.broadcast_to(claims.item, claims.shape)])

    def features(self, claims: Claims) -> FloatArray:
        return np.asarray(self.x[np.broadcast_to(claims.item, claims.shape)])
