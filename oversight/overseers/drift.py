"""What differs between items for whoever sees them: the drift of what is seen by the margin of a
claim (MODEL 3, Difficulty).

    d(m) = rho ((1 - h) sqrt(2 / pi) sign(m) + h m),    z = d(m) + noise of variance 1

With h = 1 what is seen is linear in the margin, and `Perceiver` has the closed forms in angles.
With h = 0 all items are equally hard. P(right) = E Phi(d(|m|)), |m| half-normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from oversight.components.profiles import CLEAREST
from oversight.core.claims import FloatArray, IntArray

MEAN_MARGIN = float(np.sqrt(2 / np.pi))
"""E|m| of a standard normal margin."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_MARGINS = 4.5 * (_NODES + 1)  # from 0 to 9
_DENSITY = 4.5 * _WEIGHTS * 2 * np.exp(-(_MARGINS**2) / 2) / np.sqrt(2 * np.pi)


@dataclass(frozen=True)
class Drift:
    """d(m) = step sign(m) + slope m, in units of the noise's standard deviation; arrays over nodes,
    or over claims."""

    step: FloatArray
    slope: FloatArray

    @staticmethod
    def of(accuracy: FloatArray, difficulty: float, effort: float = 1.0) -> Drift:
        """The drift of somebody who is right with these chances at full effort; effort e scales
        signal-to-noise by sqrt(e)."""
        kinds, place = np.unique(accuracy, return_inverse=True)
        rho = np.array([signal_to_noise(float(one), difficulty) for one in kinds])[place]
        rho = rho.reshape(np.shape(accuracy)) * np.sqrt(effort)
        return Drift(rho * (1 - difficulty) * MEAN_MARGIN, rho * difficulty)

    @staticmethod
    def stacked(drifts: Sequence[Drift]) -> Drift:
        """Drifts over nodes as one over rows and nodes."""
        return Drift(np.stack([d.step for d in drifts]), np.stack([d.slope for d in drifts]))

    def at(self, index: IntArray | int | tuple[IntArray, IntArray]) -> Drift:
        """The drift of some nodes, or of some rows and nodes."""
        return Drift(np.asarray(self.step[index]), np.asarray(self.slope[index]))

    def mean(self, margin: FloatArray) -> FloatArray:
        """d(m)."""
        return np.asarray(np.copysign(self.step, margin) + self.slope * margin)

    @property
    def sd(self) -> FloatArray:
        """Standard deviation of z over claims, noise included."""
        square = self.step**2 + 2 * self.step * self.slope * MEAN_MARGIN + self.slope**2
        return np.asarray(np.sqrt(1 + square))

    @property
    def accuracy(self) -> FloatArray:
        """P(right) = E Phi(d(|m|))."""
        drift = np.multiply.outer(_MARGINS, self.slope) + self.step
        return np.asarray(np.tensordot(_DENSITY, ndtr(drift), axes=1))

    def evidence(self, z: FloatArray) -> FloatArray:
        """The log likelihood ratio for "true" of seeing z: the margin is half-normal on the claim's
        side, and noise normal.

        f(z | true) is proportional to phi((z - a) / q) Phi(k (z - a) / q), q^2 = 1 + k^2, with step
        a and slope k; f(z | false) is the same of -z.
        """
        q = np.sqrt(1 + self.slope**2)
        above, below = (z - self.step) / q, (z + self.step) / q
        both = log_ndtr(self.slope * above) - log_ndtr(-self.slope * below)
        return np.asarray(2 * self.step * z / q**2 + both)


@lru_cache(4096)
def signal_to_noise(accuracy: float, difficulty: float) -> float:
    """rho of somebody who is right with this chance, in [1/2, 1].

    >>> round(signal_to_noise(0.75, 1.0), 6)  # r / sqrt(1 - r^2), r = cos(pi / 4)
    1.0
    >>> round(signal_to_noise(0.75, 0.0), 3)  # Phi^-1(.75) sqrt(pi / 2)
    0.845
    """
    accuracy = min(accuracy, CLEAREST)
    r = np.cos(np.pi * (1 - accuracy))
    if difficulty == 1.0:
        return float(r / np.sqrt(1 - r**2))

    def off(rho: float) -> float:
        drift = rho * ((1 - difficulty) * MEAN_MARGIN + difficulty * _MARGINS)
        return float(_DENSITY @ ndtr(-drift)) - (1 - accuracy)

    if abs(accuracy - 0.5) < 1e-15:
        return 0.0
    top = 1.0
    while off(top) > 0:
        top *= 2
    return float(brentq(off, 0.0, top, xtol=1e-14, rtol=1e-13))
