"""What several members know together: closed forms of MODEL 3 (Rewards from people).

Members share what they misunderstand, so their judgments are correlated. How far is read off how
often they agree: c = cos(pi P(disagree)), exact for people of difficulty 1 at fair-coin claims, and
near it otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln, ndtr, xlogy

from oversight.components.profiles import CLEAREST, signal
from oversight.core.claims import BoolArray, FloatArray

STRONGEST = 1 / np.tan(np.pi * (1 - CLEAREST))
"""R / sqrt(1 - R^2) of somebody who is always right, as far as numbers go."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


def correlations(answers: BoolArray) -> FloatArray:
    """Correlations of what members see, (members, members), from their answers about the same
    claims, (members, items)."""
    signs = np.where(answers, 1.0, -1.0)
    disagree = (1 - signs @ signs.T / answers.shape[1]) / 2
    return np.asarray(np.cos(np.pi * disagree))


def pooled_gain(right: FloatArray, correlation: FloatArray, weights: FloatArray) -> float:
    """What the weighted mean of members' probits is to be multiplied by, so that it is the probit
    of the panel's belief.

    A member right with chance A states the probit a z, a = r / sqrt(1 - r^2), r = cos(pi (1 - A)).
    Their weighted mean has some standard deviation sd and the correlation R with the margin; the
    panel's belief is Phi(R / sqrt(1 - R^2) mean / sd). Equal members have R = r_k (MODEL 3).

    right        P(right) by member
    correlation  of what they see, (members, members)
    weights      by member, adding up to 1
    """
    together, sd = _pooled(right, correlation, weights)
    if sd == 0:
        return 1.0
    return float(np.clip(together / np.sqrt(max(1 - together**2, 1e-300)), 0, STRONGEST)) / sd


def pooled_accuracy(right: FloatArray, correlation: FloatArray, weights: FloatArray) -> float:
    """P(right) of the weighted mean of members' probits: 1 - arccos(R) / pi."""
    together, _ = _pooled(right, correlation, weights)
    return float(1 - np.arccos(together) / np.pi)


def _pooled(right: FloatArray, correlation: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """The correlation R of the weighted mean of members' probits with the margin, in [0, 1], and
    its standard deviation."""
    angle = np.pi * (1 - np.minimum(right, CLEAREST))
    scaled = weights / np.tan(angle)
    sd = float(np.sqrt(max(float(scaled @ correlation @ scaled), 0.0)))
    return (min(float(scaled @ np.cos(angle)) / sd, 1.0) if sd else 0.0), sd


def vote_evidence(right: float, correlation: float, members: int, yes: FloatArray) -> FloatArray:
    """The log likelihood ratio for "true" of so many of equal members saying yes.

    log E[Bin(j; k, Phi(g / sigma)) | true] - log E[same | false], g = r m + sqrt((1 - r^2) s) b,
    sigma^2 = (1 - r^2) (1 - s), m half-normal with the claim's sign, s from c = r^2 + (1 - r^2) s.

    yes  votes for "true", in [0, members]; weighted votes need not be whole
    """
    votes, place = np.unique(yes, return_inverse=True)
    logs = _log_chances(right, correlation, members, [*votes, *(members - votes)])
    table = logs[: votes.size] - logs[votes.size :]
    return np.asarray(table[place].reshape(np.shape(yes)))


def vote_accuracy(right: float, correlation: float, members: int) -> float:
    """P(right) of the majority of equal members; a tie is a fair coin."""
    votes = np.arange(members + 1)
    ways = gammaln(members + 1) - gammaln(votes + 1) - gammaln(members - votes + 1)
    chances = np.exp(_log_chances(right, correlation, members, [*votes]) + ways)
    wins = np.where(2 * votes > members, 1.0, np.where(2 * votes == members, 0.5, 0.0))
    return float(chances @ wins / chances.sum())


def _log_chances(
    right: float, correlation: float, members: int, votes: Sequence[float]
) -> FloatArray:
    """log E[p^j (1 - p)^(k - j) | true] for every number of votes j, p = Phi(g / sigma).

    g is skew normal: its density is 2 phi(g / nu) Phi(r g / (tau nu)) / nu, with nu^2 = c and tau^2
    = (1 - r^2) s.
    """
    r = float(np.clip(signal(np.array(right)), 1e-9, 1 - 1e-9))
    c = float(np.clip(correlation, r**2, 1 - 1e-12))
    nu, tau, sigma = np.sqrt(c), np.sqrt(max(c - r**2, 1e-18)), np.sqrt(max(1 - c, 1e-18))
    half = 4.5 * nu * (_NODES + 1)  # from 0 to nine standard deviations: the step may be at 0
    g = np.concatenate([-half[::-1], half])
    weight = np.concatenate([_WEIGHTS[::-1], _WEIGHTS]) * np.exp(-((g / nu) ** 2) / 2)
    weight = weight * ndtr(r * g / (tau * nu))
    p, q = ndtr(g / sigma), ndtr(-g / sigma)
    yes = np.array(votes)[:, None]
    terms = np.exp(xlogy(yes, p) + xlogy(members - yes, q))
    # Row by row: the last bits of a product depend on how many votes there are.
    chances = (terms * weight).sum(axis=1)
    return np.asarray(np.log(np.maximum(chances, 1e-300)) - np.log(weight.sum()))
