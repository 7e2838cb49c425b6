"""Working hours on a clock that counts minutes from the first midnight."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

DAY = 1440.0


@dataclass(frozen=True)
class Hours:
    """The same hours every day: `start` in minutes after midnight, `length` in minutes."""

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
        """When the next working day opens."""
        return (floor(now / DAY) + 1) * DAY + self.start

    def between(self, begin: float, end: float) -> float:
        """Working minutes between two moments."""
        return max(self._until(end) - self._until(begin), 0.0)

    def _until(self, now: float) -> float:
        if self.length >= DAY:
            return max(now - self.start, 0.0)
        days = floor(now / DAY)
        today = min(max(now - days * DAY - self.start, 0.0), self.length)
        return days * self.length + today
