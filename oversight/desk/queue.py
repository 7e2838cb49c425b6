"""Work that waits at a desk: in which manner it is done, in which order, and from when on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from heapq import heapify, heapreplace
from math import inf
from typing import NamedTuple

import numpy as np

from oversight.core.claims import BoolArray, FloatArray, IntArray

ROUNDING = 1 + 1e-12
"""Sums of minutes may be off by this factor: ten items of six minutes fit an hour."""


class Manner(NamedTuple):
    """How somebody works for a sitting.

    effort  per item, above 0 to 1: signal-to-noise is scaled by its root (MODEL 7)
    pace    how fast, >= 1: minutes are divided by it
    person  who it is, where people differ in skill; else 0
    """

    effort: float = 1.0
    pace: float = 1.0
    person: int = 0


USUAL = Manner()
"""Full effort, no hurry, nobody in particular."""

MinutesOf = Callable[[Manner], FloatArray]
"""Minutes that each item takes somebody who works in this manner, (items,)."""


class Queue:
    """Items of one priority, first come first served.

    items    item numbers in the order in which they are served
    next     the place in `items` of the first that nobody has taken on
    """

    def __init__(
        self, items: IntArray, ready: FloatArray, minutes: MinutesOf, by_pace: bool
    ) -> None:
        order = np.argsort(ready[items], kind="stable")
        self.items = items[order]
        self.next = 0
        self._ready = ready[self.items].tolist()
        self._last = self._ready[-1]
        self._minutes, self._by_pace = minutes, by_pace
        self._sums: dict[Manner | float, list[float]] = {}

    def arrived(self, now: float) -> int:
        """How many items have come by now."""
        if now >= self._last:
            return len(self._ready)
        return bisect_right(self._ready, now) if self.next < len(self._ready) else self.next

    def next_ready(self) -> float:
        """When the next item can be taken on, in minutes; inf if none is left."""
        return self._ready[self.next] if self.next < len(self._ready) else inf

    def alike(self, manner: Manner) -> Manner:
        """The manner that stands for all in which items take these minutes."""
        return Manner(pace=manner.pace) if self._by_pace else manner

    def sums(self, manner: Manner) -> list[float]:
        """Minutes that all items before each place take in this manner, (items + 1), from 0 on."""
        key = manner.pace if self._by_pace else manner  # sittings ask for it: there are many
        sums = self._sums.get(key)
        if sums is None:
            each = self._minutes(self.alike(manner))[self.items]
            sums = self._sums[key] = [0.0, *np.cumsum(each).tolist()]
        return sums


def queues(
    ready: FloatArray, urgent: BoolArray, minutes: MinutesOf, by_pace: bool = False
) -> list[Queue]:
    """The queue of what is urgent, if anything is, and the queue of everything else. With `by_pace`
    pace is all that minutes depend on.

    >>> ready, urgent = np.array([3.0, 1.0, 2.0]), np.array([False, True, False])
    >>> [queue.items.tolist() for queue in queues(ready, urgent, lambda manner: np.ones(3))]
    [[1], [2, 0]]
    """
    groups = (np.flatnonzero(urgent), np.flatnonzero(~urgent))
    return [Queue(items, ready, minutes, by_pace) for items in groups if items.size]


def ready_times(arrival: FloatArray, busy: FloatArray, servers: int) -> FloatArray:
    """When models have done their part of each item, (items,): first come first served, `busy`
    minutes each, by so many models beside each other.

    >>> ready_times(np.zeros(4), np.full(4, 3.0), servers=2).tolist()
    [3.0, 3.0, 6.0, 6.0]
    """
    if not busy.any():
        return arrival
    free = [-inf] * servers
    heapify(free)
    ready = np.empty(arrival.shape)
    order = np.argsort(arrival, kind="stable")
    for item, come, takes in zip(
        order.tolist(), arrival[order].tolist(), busy[order].tolist(), strict=True
    ):
        done = max(free[0], come) + takes
        heapreplace(free, done)
        ready[item] = done
    return ready
