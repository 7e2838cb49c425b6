"""Working hours on a clock that counts minutes from the first midnight."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

DAY = 1440.0
"""Minutes of a day."""


@dataclass(frozen=True)
class Hours:
    """The same hours every day: `start` in minutes after midnight, `length` in minutes, both >= 0
    and together at most a day. A length of a whole day is work around the clock from `start` on.

    >>> nine_to_five = Hours(start=540, length=480)
    >>> nine_to_five.window(600), nine_to_five.window(1030)
    ((540.0, 1020.0), (1980.0, 2460.0))
    """

    start: float
    length: float

    def window(self, now: float) -> tuple[float, float]:
        """When the working day that is running, or comes next, opens and closes."""
        if self.length >= DAY:
            return self.start, inf
        opens = floor(now / DAY) * DAY + self.start
        if now >= opens + self.length:
            opens += DAY
        return opens, opens + self.length

    def after(self, now: float) -> float:
        """When the next day's work opens, in minutes."""
        return (floor(now / DAY) + 1) * DAY + self.start

    def between(self, begin: float, end: float) -> float:
        """Working minutes between two moments; 0 where `end` is not after `begin`.

        >>> Hours(start=540, length=480).between(600, 1440 + 600)
        480.0
        """
        return max(self._until(end) - self._until(begin), 0.0)

    def _until(self, now: float) -> float:
        if self.length >= DAY:
            return max(now - self.start, 0.0)
        days = floor(now / DAY)
        today = min(max(now - days * DAY - self.start, 0.0), self.length)
        return days * self.length + today
