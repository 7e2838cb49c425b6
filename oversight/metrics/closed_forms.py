"""Closed forms of MODEL: what a simulation must agree with, within its own standard error.

Accuracies are against the claim's own truth, angles are theta = pi (1 - accuracy).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import integrate, optimize
from scipy.special import ndtr, ndtri

from oversight.core.claims import FloatArray


def angle(accuracy: npt.ArrayLike) -> FloatArray:
    """Angle between judgment and truth of an overseer who is right with this chance."""
    return np.pi * (1 - np.asarray(accuracy, dtype=np.float64))


def accuracy_of(theta: npt.ArrayLike) -> FloatArray:
    """The accuracy that belongs to an angle."""
    return 1 - np.asarray(theta, dtype=np.float64) / np.pi


def student_angle(accuracy: npt.ArrayLike, structure: npt.ArrayLike) -> FloatArray:
    """tan(theta_student) = sqrt(s) tan(theta_labels), for a linear probe and many items (MODEL
    3)."""
    turned = np.sqrt(np.asarray(structure, dtype=np.float64)) * np.tan(angle(accuracy))
    return np.asarray(np.arctan(turned) % np.pi)


def student_angle_at(accuracy: float, structure: float, difficulty: float) -> float:
    """The same law where items differ less in how hard they are (MODEL 3, Difficulty).

    tan(theta_student) = 2 sqrt(s) E[phi(d)] / E[|m| (2 Phi(d) - 1)], d = d(|m|), |m| half-normal.

    >>> round(1 - student_angle_at(0.7, 0.5, 0.0) / np.pi, 3)
    0.683
    """
    mean = float(np.sqrt(2 / np.pi))

    def expectation(of: Callable[[float], float]) -> float:
        value, _ = integrate.quad(lambda m: mean * np.exp(-m * m / 2) * of(m), 0, 12)
        return float(value)

    def drift(m: float, rho: float) -> float:
        return rho * ((1 - difficulty) * mean + difficulty * m)

    right = min(accuracy, 1 - 1e-9)
    rho = optimize.brentq(
        lambda rho: expectation(lambda m: ndtr(drift(m, rho))) - right, 0, 1e9, xtol=1e-13
    )
    top = expectation(lambda m: np.exp(-(drift(m, rho) ** 2) / 2) / np.sqrt(2 * np.pi))
    bottom = expectation(lambda m: m * (2 * ndtr(drift(m, rho)) - 1))
    return float(np.arctan2(2 * np.sqrt(structure) * top, bottom))


def squared_student_angle(accuracy: float, structure: float, least: float = 0.0) -> float:
    """The angle of a linear student by squared loss that is taught on the truly easy items alone,
    those whose margin is at least so large (MODEL 3); many items.

    tan(theta_student) = 2 sqrt(s) E[phi(rho m)] E[m^2] / E[m (2 Phi(rho m) - 1)] over those |m|.

    >>> round(1 - squared_student_angle(0.8, 0.5) / np.pi, 3)  # all items: the law of both losses
    0.849
    """
    rho = float(1 / np.tan(angle(accuracy)))

    def total(of: Callable[[float], float]) -> float:
        value, _ = integrate.quad(lambda m: np.exp(-m * m / 2) * of(m), least, least + 12)
        return float(value)

    top = total(lambda m: np.exp(-((rho * m) ** 2) / 2) / np.sqrt(2 * np.pi))
    bottom = total(lambda m: m * (2 * ndtr(rho * m) - 1)) * total(lambda m: 1.0)
    return float(np.arctan2(2 * np.sqrt(structure) * top * total(lambda m: m * m), bottom))


def limit_pgr(accuracy: npt.ArrayLike, structure: npt.ArrayLike) -> FloatArray:
    """PGR of direct labels for many items: 1 - theta_student / theta_labels; label noise
    cancels."""
    return np.asarray(1 - student_angle(accuracy, structure) / angle(accuracy))


def finite_student_angle(accuracy: float, structure: float, items: int, features: int) -> float:
    """The student's angle at finite n, about: r_s / sqrt(1 + (d - 1) (1 - kappa^2) / (n kappa^2))
    (MODEL 3)."""
    r = np.cos(angle(accuracy))
    kappa_squared = 2 / np.pi * (r**2 + (1 - r**2) * structure)
    shrunk = np.cos(student_angle(accuracy, structure)) / np.sqrt(
        1 + (features - 1) * (1 - kappa_squared) / (items * kappa_squared)
    )
    return float(np.arccos(shrunk))


def edited_student_angle(share: float) -> float:
    """A linear student's angle, many items, where labels are right except that a share f of them,
    where |u.x| is largest, became sign(u.x): tan(theta_student) = sqrt(2 pi) phi(q) / (1 - f), q =
    Phi^-1(1 - f/2) (MODEL 10).

    >>> [round(1 - edited_student_angle(f) / np.pi, 3) for f in (0.02, 0.05, 0.1, 0.2)]
    [0.978, 0.951, 0.911, 0.84]
    """
    q = ndtri(1 - share / 2)
    return float(np.arctan2(np.exp(-q * q / 2), 1 - share))


def panel_accuracy(accuracy: float, structure: float, people: int) -> float:
    """Accuracy of the average of k people's z: r_k = r / sqrt(r^2 + (1 - r^2) (s + (1 - s) / k))
    (MODEL 3)."""
    r = np.cos(angle(accuracy))
    shared = structure + (1 - structure) / people
    return float(1 - np.arccos(r / np.sqrt(r**2 + (1 - r**2) * shared)) / np.pi)


def debate_accuracy(
    turns: int, evidence: float = 0.5, discernment: float = 0.5, model: float = 1.0
) -> float:
    """Flat debate before a judge who knows nothing, one candidate: Phi(c mu sqrt(2 T)), mixed for
    an imperfect U."""
    return _mixed(float(ndtr(discernment * evidence * np.sqrt(2 * turns))), model)


def consultancy_accuracy(
    turns: int, evidence: float = 0.5, discernment: float = 0.5, model: float = 1.0
) -> float:
    """Assigned consultancy before a judge who knows nothing, one candidate: Phi(c mu sqrt(T)),
    likewise."""
    return _mixed(float(ndtr(discernment * evidence * np.sqrt(turns))), model)


def _mixed(right: float, model: float) -> float:
    return model * right + (1 - model) * (1 - right)


def obfuscated_accuracy(judge: float, locating: float, levels: int) -> float:
    """P(caught) of a liar whose one flaw a level is located with chance q: q^D A + (1 - q^D) (1 -
    A) (MODEL 8)."""
    located = locating**levels
    return located * judge + (1 - located) * (1 - judge)


def best_of(candidates: int) -> float:
    """e_n, the mean of the largest of n standard normals."""
    value, _ = integrate.quad(
        lambda x: (
            x * candidates * np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr(x) ** (candidates - 1)
        ),
        -10,
        10,
    )
    return float(value)


def repeated(right: float, noise: float, depth: int) -> float:
    """Accuracy up a tree of three-fold `repeat` gates: p' = q + (1 - 2 q) (3 p^2 - 2 p^3) for the
    error p."""
    wrong = 1 - right
    for _ in range(depth):
        wrong = noise + (1 - 2 * noise) * (3 * wrong**2 - 2 * wrong**3)
    return 1 - wrong


def repeated_limit(noise: float) -> float:
    """The error that `repeated` settles at: (1 - sqrt((1 - 6 q) / (1 - 2 q))) / 2 below q = 1/6,
    else one half."""
    if noise >= 1 / 6:
        return 0.5
    return float((1 - np.sqrt((1 - 6 * noise) / (1 - 2 * noise))) / 2)


def audit_before_use(audited: float, success: float = 1.0) -> float:
    """The chance that a model is stopped which attacks at its best independent rate, where a batch
    is audited before any of it is used and one caught attack loses everything: 1 - (a / (a +
    g))^(a / g) g / (a + g), g = w (1 - a) (MODEL 10; Roger & Shlegeris; Greenblatt et al. 2023).

    audited  share of the batch that is audited, a, in (0, 1)
    success  the chance that an attack which was not audited wins, w, in (0, 1]

    >>> round(audit_before_use(0.02, 0.53), 4)
    0.1518
    """
    gain = success * (1 - audited)
    share = audited / (audited + gain)
    return float(1 - share ** (audited / gain) * (1 - share))
