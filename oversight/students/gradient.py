"""A student trained by gradient descent: what a convex probe cannot show, as overfitting to weak
labels, early stopping and the confidence loss (MODEL 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, SkipValidation, model_validator

from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.core.config import Count, Positive, Share, Whole
from oversight.core.errors import TrainingError
from oversight.core.machine import memory
from oversight.students.base import Lesson, Student
from oversight.students.network import ROWS, Activation, Hidden, Lift, Net, Probe, averaged, drawn
from oversight.students.objective import Threshold, mean_loss, mixed, own_answers, slope
from oversight.students.probe import BLOCK
from oversight.worlds.base import World

HIDDEN = 64
"""Hidden units where nothing else is said."""
ENOUGH = 100
"""Labels of which a tenth can be held out."""


def _hidden(data: Mapping[str, Any]) -> int | None:
    return HIDDEN if data.get("random_features") is None else None


class GradientStudent(Student):
    """A linear probe, random features or one hidden layer, trained by plain gradient steps; with
    early stopping, the confidence loss of Burns et al. 2023, or an ensemble of starts."""

    kind: Literal["gradient"] = "gradient"
    random_features: Count | None = Field(
        None, description="instead of `hidden`: units that are drawn and never trained"
    )
    hidden: Whole | None = Field(
        default_factory=_hidden,
        description=f"units of the hidden layer, {HIDDEN} if left out; 0 for a linear probe",
    )
    activation: Activation = "relu"
    epochs: Count = 20
    batch: Count | None = Field(128, description="labels a step; null for all")
    rate: Positive = Field(0.02, description="size of a step on the mean loss of the batch")
    stop: Literal["weak_labels"] | None = Field(
        None, description="hold out a tenth of the labels and keep the epoch that fits it best"
    )
    loss: Literal["cross-entropy", "confidence"] = "cross-entropy"
    weight: Share = Field(0.5, description="of the student's own answers, once the ramp is over")
    ramp: Share = Field(0.2, description="share of the steps in which that weight grows from 0")
    threshold: Threshold = Field(
        "half", description="own answers: above the batch's median, or as many as the labels have"
    )
    members: Count = Field(1, description="starts whose log-odds are averaged")
    labels: Literal["soft", "hard"] = "soft"
    lesson: SkipValidation[Lesson | None] = Field(None, exclude=True)

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
        if self.stop is not None and (labels := world.items("train")) < ENOUGH:
            yield "stop", _few(labels)

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
        fitted = Ensembles({})
        for labeled, columns in _alike(targets, weights):
            for start in range(0, len(columns), BLOCK):
                block = columns[start : start + BLOCK]
                nets = [self._net(first, x.shape[1], len(block)) for first in firsts]
                own = {column: (nets, place) for place, column in enumerate(block)}
                fitted.places.update(own)
                if not labeled.any():
                    continue
                given = None if weights is None else weights[:, block].T
                course = _Course(self, lesson, nets, x, targets[:, block].T, given, labeled)
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


@dataclass(frozen=True)
class Ensembles:
    """Fitted students: by column of targets, the nets of its members and its place among them."""

    places: dict[int, tuple[list[Net], int]]

    def log_odds(self, column: int, x: FloatArray) -> FloatArray:
        """As `Fitted.log_odds`: the mean of the members' log-odds."""
        nets, place = self.places[column]
        return np.asarray(averaged(nets, [net.see(x) for net in nets], place)[0])


class _Course:
    """The training of one block of columns that label the same items.

    labels  soft or hard, (columns, items); `labeled` says which count, bool over items
    """

    def __init__(
        self,
        student: GradientStudent,
        lesson: Lesson,
        nets: list[Net],
        x: FloatArray,
        labels: FloatArray,
        weights: FloatArray | None,
        labeled: BoolArray,
    ) -> None:
        self.student, self.lesson, self.nets = student, lesson, nets
        taught = labeled.copy()
        taught[self._held_out(labeled)] = False
        self.rows, held = np.flatnonzero(taught), np.flatnonzero(labeled & ~taught)
        even = weights is None or bool((weights[:, self.rows] == 1).all())
        self.labels = np.ascontiguousarray(labels[:, self.rows])
        self.weights = None if even or weights is None else weights[:, self.rows]
        self.held_labels = labels[:, held]
        whole = x if len(self.rows) == len(x) else x[self.rows]
        self.seen = [net.see(whole) for net in nets]
        self.held = [net.see(x[held]) for net in nets] if held.size else []
        self.each = -(-len(self.rows) // (student.batch or len(self.rows)))
        self._orders = [lesson.stream("order", member) for member in range(len(nets))]
        self._place = np.cumsum(taught) - 1
        self._taught = taught

    def _held_out(self, labeled: BoolArray) -> IntArray:
        """A tenth of the labeled items, the same for all who label the same items."""
        labels = np.flatnonzero(labeled)
        if self.student.stop is None:
            return labels[:0]
        if labels.size < ENOUGH:
            raise TrainingError(_few(labels.size))
        lots = self.lesson.stream("held out").random(labeled.size)[labels]
        tenth: IntArray = labels[np.argsort(lots, kind="stable")[: labels.size // 10]]
        return tenth

    def run(self, columns: list[int], fitted: Ensembles) -> None:
        """All epochs. Raises TrainingError where the loss is higher in the end than at first."""
        student, watch = self.student, self.lesson.watch
        first = last = self.loss(0)
        best = _Best(self.nets, len(self.labels))
        if watch is not None:
            watch(0, columns, fitted, first)
        for epoch in range(student.epochs):
            for member, net in enumerate(self.nets):
                self._epoch(epoch, member, net)
            if not all(np.isfinite(net.parameters[-1]).all() for net in self.nets):
                last = np.full_like(first, np.nan)
                break
            if self.held:
                best.look(mean_loss(averaged(self.nets, self.held), self.held_labels, None))
            if watch is not None or epoch == student.epochs - 1:
                last = self.loss(epoch + 1)
            if watch is not None:
                watch(epoch + 1, columns, fitted, last)
        if not (last <= first).all():
            worst = int(np.argmax(np.where(np.isfinite(last), last - first, np.inf)))
            raise TrainingError(
                f"the student diverges: its loss is {first[worst]:.3g} at the start and "
                f"{last[worst]:.3g} in the end; a rate below {student.rate:g} may help"
            )
        if self.held:
            best.take()

    def _weight(self, step: int) -> float:
        """The weight of the student's own answers at a step."""
        student = self.student
        if student.loss != "confidence":
            return 0.0
        grown = student.ramp * student.epochs * self.each
        return student.weight * (min(1.0, step / grown) if grown else 1.0)

    def _aims(self, log_odds: FloatArray, labels: FloatArray, step: int) -> FloatArray:
        """What the loss at a step pulls to."""
        if not (weight := self._weight(step)):
            return labels
        return mixed(labels, own_answers(log_odds, self.student.threshold, self.labels), weight)

    def loss(self, epoch: int) -> FloatArray:
        """The loss after so many epochs, on all items that it is trained on, (columns,)."""
        log_odds = averaged(self.nets, self.seen)
        aims = self._aims(log_odds, self.labels, epoch * self.each)
        return mean_loss(log_odds, aims, self.weights)

    def _epoch(self, epoch: int, member: int, net: Net) -> None:
        seen, step = self.seen[member], epoch * self.each
        for rows in self._batches(member):
            labels = self.labels[:, rows]
            weights = None if self.weights is None else self.weights[:, rows]
            batch = seen[rows]
            log_odds = net.forward(batch)
            aims = self._aims(log_odds, labels, step)
            net.step(batch, slope(log_odds, aims, weights), self.student.rate)
            step += 1

    def _batches(self, member: int) -> Iterator[IntArray | slice]:
        if self.student.batch is None:
            yield slice(None)
            return
        order = self._orders[member].permutation(self._taught.size)
        order = self._place[order[self._taught[order]]]  # the same order, whoever labels what
        for start in range(0, order.size, self.student.batch):
            yield order[start : start + self.student.batch]


class _Best:
    """The parameters of the epoch whose held-out loss was least, by column."""

    def __init__(self, nets: list[Net], columns: int) -> None:
        self.nets, self.loss = nets, np.full(columns, np.inf)
        self.parameters = [[each.copy() for each in net.parameters] for net in nets]

    def look(self, loss: FloatArray) -> None:
        """Keep the columns whose loss is the least so far."""
        better = loss < self.loss
        self.loss = np.where(better, loss, self.loss)
        for net, kept in zip(self.nets, self.parameters, strict=True):
            for now, best in zip(net.parameters, kept, strict=True):
                best[better] = now[better]

    def take(self) -> None:
        """Go back to them."""
        for net, kept in zip(self.nets, self.parameters, strict=True):
            for now, best in zip(net.parameters, kept, strict=True):
                now[...] = best


def _few(labels: int) -> str:
    return f"weak_labels holds out a tenth of the labels; expected at least {ENOUGH}, not {labels}"


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
