"""A student trained by gradient descent: what a convex probe cannot show, as overfitting to weak
labels, early stopping and the confidence loss (MODEL 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, SkipValidation, WithJsonSchema, model_validator

from oversight.core.claims import BoolArray, FloatArray
from oversight.core.config import Count, Whole
from oversight.core.machine import memory
from oversight.students.base import Lesson, Student
from oversight.students.network import ROWS, Activation, Hidden, Lift, Net, Probe, drawn
from oversight.students.probe import BLOCK
from oversight.students.training import Course, Descent, Ensembles, too_few
from oversight.worlds.base import World

HIDDEN = 64
"""Hidden units where nothing else is said."""
AT_HAND = 2**17
"""Hidden units of a batch that are worked on together, over all label sets: a few caches full."""


def _hidden(data: Mapping[str, Any]) -> int | None:
    return HIDDEN if data.get("random_features") is None else None


class GradientStudent(Descent, Student):
    """A linear probe, random features or one hidden layer, trained by plain gradient steps; with
    early stopping, the confidence loss, or an ensemble of starts."""

    kind: Literal["gradient"] = "gradient"
    random_features: Count | None = Field(
        None, description="instead of `hidden`: units that are drawn and never trained"
    )
    hidden: Whole | None = Field(
        default_factory=_hidden,
        description=f"units of the hidden layer, {HIDDEN} if left out; 0 for a linear probe",
    )
    activation: Activation = "relu"
    members: Annotated[Count, Field(le=1000)] = Field(
        1, description="starts whose log-odds are averaged"
    )
    labels: Literal["soft", "hard"] = "soft"
    lesson: Annotated[SkipValidation[Lesson | None], WithJsonSchema({})] = Field(None, exclude=True)

    @model_validator(mode="after")
    def _one_body(self) -> GradientStudent:
        if (self.hidden is None) == (self.random_features is None):
            raise ValueError("expected either `hidden` or `random_features`, and not both")
        return self

    def problems(self, world: World) -> list[tuple[str, str]]:
        return [*super().problems(world), *self._too_large(world), *self._too_few(world)]

    def _too_large(self, world: World) -> Iterator[tuple[str, str]]:
        """Whether it needs more memory than there is."""
        there, items = memory(), world.items("train") + world.items("test")
        key = "hidden" if self.random_features is None else "random_features"
        units = self.random_features or self.hidden or 0
        batch = max(min(self.batch or items, items), ROWS)
        kept = items if key == "random_features" else BLOCK * (2 * (world.width + 1) + 1)
        needed = 8 * units * (self.members * kept + 2 * BLOCK * batch * (key == "hidden"))
        if needed > there:
            message = f"{units:,} units need {needed / 2**30:,.0f} GiB of memory"
            yield key, f"{message}; this machine has {there / 2**30:,.0f} GiB"

    def _too_few(self, world: World) -> Iterator[tuple[str, str]]:
        """Whether a tenth of the labels is too few to stop by."""
        if self.stop is not None and (problem := too_few(world.items("train"))):
            yield "stop", problem

    @property
    def on_gold(self) -> GradientStudent:
        if self.loss == "cross-entropy" and self.stop is None:
            return self
        return self.model_copy(update={"loss": "cross-entropy", "stop": None})

    @property
    def curve(self) -> int:
        return self.epochs

    def attending(self, lesson: Lesson) -> Self:
        return self.model_copy(update={"lesson": lesson})

    def targets(self, belief: FloatArray, answer: BoolArray) -> FloatArray:
        """Training targets in [0, 1] from an overseer's beliefs or answers, as `labels` says."""
        return belief if self.labels == "soft" else answer.astype(np.float64)

    def fit(
        self, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
    ) -> Ensembles:
        """As `Student.fit`. Columns that label the same items train together.

        Raises TrainingError where a loss grows, or where labels are too few to stop by.
        """
        lesson = self.lesson or Lesson()
        firsts = [self._first(lesson, member, x.shape[1]) for member in range(self.members)]
        # A column of hidden units is worked out by itself: so many as stay at hand.
        batch = min(self.batch or len(x), len(x)) * (self.hidden or 0)
        together = max(1, min(BLOCK, AT_HAND // max(batch, 1)))
        fitted = Ensembles({})
        for labeled, columns in _alike(targets, weights):
            for start in range(0, len(columns), together):
                block = columns[start : start + together]
                nets = [self._net(first, x.shape[1], len(block)) for first in firsts]
                own = {column: (nets, place) for place, column in enumerate(block)}
                fitted.places.update(own)
                if not labeled.any():
                    continue
                given = None if weights is None else weights[:, block].T
                course = Course(self, lesson, nets, x, targets[:, block].T, given, labeled)
                with np.errstate(over="ignore", invalid="ignore"):
                    course.run(block, Ensembles(own))
        return fitted

    def _first(self, lesson: Lesson, member: int, width: int) -> FloatArray | Lift | None:
        """The first layer of a member as it starts; nothing where there is none."""
        units = self.random_features or self.hidden
        if not units:
            return None
        first = drawn(lesson.stream("start", member), width, units, self.activation)
        return first if self.random_features is None else Lift(first, self.activation)

    def _net(self, first: FloatArray | Lift | None, width: int, columns: int) -> Net:
        """A member at its start, with so many columns."""
        if first is None or isinstance(first, Lift):
            return Probe(width, columns, first)
        return Hidden(first, columns, self.activation)


def _alike(
    targets: FloatArray, weights: FloatArray | None
) -> Iterator[tuple[BoolArray, list[int]]]:
    """Columns by the items that they label."""
    if weights is None:
        yield np.ones(len(targets), dtype=np.bool_), list(range(targets.shape[1]))
        return
    groups: dict[bytes, list[int]] = {}
    for column in range(targets.shape[1]):
        groups.setdefault((weights[:, column] > 0).tobytes(), []).append(column)
    for columns in groups.values():
        yield weights[:, columns[0]] > 0, columns
