"""Students: whoever learns from an overseer's labels and is then tested against gold (MODEL 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from oversight.components.profiles import Setting
from oversight.core.claims import BoolArray, FloatArray
from oversight.core.config import Config
from oversight.core.streams import stream
from oversight.worlds.base import Pool, World


class Fitted(Protocol):
    """Students that were fitted together, one a column of targets."""

    def log_odds(self, column: int, x: FloatArray) -> FloatArray:
        """What the student of a column makes of items x (items, features), as log-odds (items,)."""


Watch = Callable[[int, Sequence[int], Fitted, FloatArray], None]
"""Called after an epoch with its number (0 is the start), columns of targets, their students as
they are then, and the loss of each, (columns,)."""


@dataclass(frozen=True)
class Lesson:
    """What a student that draws, or trains in epochs, is given beside labels: seed and replicate of
    its draws, and who watches, if anybody."""

    seed: int = 0
    replicate: int = 0
    watch: Watch | None = None

    def stream(self, *name: str | int) -> np.random.Generator:
        """The student's generator of that name, the same for every protocol."""
        return stream(self.seed, "replicate", self.replicate, "student", *name)


class Student(Config):
    """Who is trained on the labels. A subclass names itself in `kind`, under which it is
    registered, and gives `fit`; every key needs a default, so that `student: {kind: NAME}` runs."""

    kind: str = ""

    def problem(self, width: int) -> str | None:
        """Why it cannot learn from a representation of so many dimensions, or None."""
        return None

    def problems(self, world: World) -> list[tuple[str, str]]:
        """Why it cannot learn in a world: pairs of a key of its own and what is wrong there."""
        problem = self.problem(world.width)
        return [] if problem is None else [("features", problem)]

    @property
    def on_gold(self) -> Student:
        """Who is taught by gold to give its ceiling: by default itself."""
        return self

    @property
    def curve(self) -> int:
        """How many epochs its lesson's `watch` hears of; 0 where it has none."""
        return 0

    def attending(self, lesson: Lesson) -> Self:
        """The student in a lesson: by default itself, for it draws nothing."""
        return self

    def views(self, seed: int, replicate: int, *pools: FloatArray) -> list[FloatArray]:
        """What it sees of each pool's x, (items, features): by default all of it."""
        return list(pools)

    def targets(self, belief: FloatArray, answer: BoolArray) -> FloatArray:
        """Training targets in [0, 1] from an overseer's beliefs and answers, (items,): by default
        the beliefs."""
        return belief

    def fit(self, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None) -> Fitted:
        """One student a column of targets (items, columns), fitted to x (items, features).

        weights  of items by column, >= 0; 0 leaves an item out; all 1 if left out

        A column's numbers must not depend on the other columns.
        """
        raise TypeError(f"{type(self).__name__} defines no fit(x, targets, weights)")

    def respond(self, log_odds: FloatArray, pool: Pool, setting: Setting) -> FloatArray:
        """The log-odds that it answers with on the items of a pool, given those that it worked out,
        (items,): by default these. `setting.teacher(pool)` is what its teacher would state
        about them."""
        return log_odds
