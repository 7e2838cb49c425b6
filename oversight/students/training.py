"""Training in epochs: plain gradient steps on one block of label sets, many nets at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.core.config import Config, Count, Positive, Share
from oversight.core.errors import TrainingError
from oversight.students.base import Lesson
from oversight.students.network import Net, averaged
from oversight.students.objective import Threshold, mean_loss, mixed, own_answers, slope

ENOUGH = 100
"""Labels of which a tenth can be held out."""


class Descent(Config):
    """How a student is trained: how long, in which steps, on which loss."""

    epochs: Annotated[Count, Field(le=100_000)] = 20
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

    def weight_at(self, step: int, steps: int) -> float:
        """The weight of the student's own answers at a step, counted from 0, of so many."""
        if self.loss != "confidence":
            return 0.0
        grown = self.ramp * steps
        return self.weight * (min(1.0, step / grown) if grown else 1.0)


def too_few(labels: int) -> str:
    """Why so many labels cannot be stopped by; empty where they can."""
    if labels >= ENOUGH:
        return ""
    return f"weak_labels holds out a tenth of the labels; expected at least {ENOUGH}, not {labels}"


@dataclass(frozen=True)
class Ensembles:
    """Fitted students: by column of targets, the nets of its members and its place among them."""

    places: dict[int, tuple[list[Net], int]]

    def log_odds(self, column: int, x: FloatArray) -> FloatArray:
        """As `Fitted.log_odds`: the mean of the members' log-odds."""
        nets, place = self.places[column]
        return np.asarray(averaged(nets, [net.see(x) for net in nets], place)[0])


class Course:
    """The training of one block of columns that label the same items.

    labels  soft or hard, (columns, items); `labeled` says which count, bool over items
    """

    def __init__(
        self,
        student: Descent,
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
        if problem := too_few(labels.size):
            raise TrainingError(problem)
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

    def _aims(self, log_odds: FloatArray, labels: FloatArray, step: int) -> FloatArray:
        """What the loss at a step pulls to."""
        weight = self.student.weight_at(step, self.student.epochs * self.each)
        if not weight:
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
