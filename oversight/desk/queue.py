"""Work that waits at a desk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from heapq import heapify, heapreplace
from math import inf
from typing import NamedTuple

import numpy as np

from oversight.core.claims import BoolArray, FloatArray, IntArray

ROUNDING = 1 + 1e-12
"""Sums of minutes may be off by so much: ten items of six minutes fit an hour."""


class Manner(NamedTuple):
    """How somebody works for a sitting: how attentive, how fast, and who it is (where people
    differ)."""

    effort: float = 1.0
    pace: float = 1.0
    person: int = 0


MinutesOf = Callable[[Manner], FloatArray]
"""Minutes that each item takes somebody who works in this manner."""


class Line:
    """Items of one priority, first come first served."""

    def __init__(self, items: IntArray, ready: FloatArray, minutes: MinutesOf) -> None:
        order = np.argsort(ready[items], kind="stable")
        self.items = items[order]
        self._ready = ready[self.items].tolist()
        self._last = self._ready[-1]
        self._minutes = minutes
        self.known: dict[Manner, list[float]] = {}
        self.next = 0

    def here(self, now: float) -> int:
        """Up to which place items have come."""
        if now >= self._last:
            return len(self._ready)
        return bisect_right(self._ready, now) if self.next < len(self._ready) else self.next

    def coming(self) -> float:
        """When the item in front is there; inf if none is left."""
        return self._ready[self.next] if self.next < len(self._ready) else inf

    def sums(self, manner: Manner) -> list[float]:
        """Minutes of all items up to each place."""
        found = self.known.get(manner)
        if found is None:
            each = self._minutes(manner)[self.items]
            found = self.known[manner] = [0.0, *np.cumsum(each).tolist()]
        return found


def lines(ready: FloatArray, urgent: BoolArray, minutes: MinutesOf) -> list[Line]:
    """The line of what is urgent, if anything is, and the line of everything else."""
    groups = (np.flatnonzero(urgent), np.flatnonzero(~urgent))
    return [Line(items, ready, minutes) for items in groups if items.size]


def ready_times(arrival: FloatArray, busy: FloatArray, servers: int) -> FloatArray:
    """When models have done their part of each item: first come first served, `busy` minutes
    each."""
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
