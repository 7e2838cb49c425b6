"""Verdicts where they come out of an overseer: checked, so that a mistake is its own alone."""

from __future__ import annotations

import numpy as np

from oversight.components.component import Cost
from oversight.components.overseer import Overseer
from oversight.core.claims import Claims, Verdicts
from oversight.core.errors import VerdictError


def assessed(overseer: Overseer, claims: Claims) -> Verdicts:
    """The verdicts of a prepared overseer on claims. Raises VerdictError where they are none."""
    verdicts: object = overseer.assess(claims)
    problem = problem_of(verdicts, claims.shape)
    if problem or not isinstance(verdicts, Verdicts):
        raise _error(overseer, problem)
    return verdicts


def paid_before(overseer: Overseer) -> Cost:
    """What the preparation of an overseer cost. Raises VerdictError where it is no cost."""
    cost = overseer.fixed_cost()
    for name, spent in (("minutes", cost.minutes), ("calls", cost.calls)):
        if not (np.isfinite(spent) and spent >= 0):
            wrong = f"{spent!r} {name} for its preparation; expected a finite number of at least 0"
            raise _error(overseer, wrong)
    return cost


def problem_of(verdicts: object, shape: tuple[int, ...]) -> str:
    """What is wrong with the verdicts on claims of a shape, and what would be right; empty if
    nothing is.

    >>> problem_of(Verdicts.of(np.array([0.5, np.nan])), (2,))
    'evidence nan on 1 of 2 claims, first on number 1; expected finite numbers'
    """
    if not isinstance(verdicts, Verdicts):
        return f"{type(verdicts).__name__} instead of verdicts; expected Verdicts.of(evidence, ...)"
    for name, kinds, expected, least, most in (
        ("evidence", "fiu", "finite numbers", -np.inf, np.inf),
        ("prior", "fiu", "finite numbers", -np.inf, np.inf),
        ("minutes", "fiu", "finite numbers of at least 0", 0.0, np.inf),
        ("calls", "fiu", "finite numbers of at least 0", 0.0, np.inf),
        ("labeled", "b", "True or False", 0, 1),
        ("overridden", "b", "True or False", 0, 1),
        ("disagreement", "fiu", "numbers from 0 to 1", 0.0, 1.0),
    ):
        array = np.asarray(getattr(verdicts, name))
        if array.shape != shape:
            return (
                f"{name} of shape {array.shape} on claims of shape {shape}; expected one value a "
                "claim"
            )
        if array.dtype.kind not in kinds:
            return f"{name} of type {array.dtype}; expected {expected}"
        wrong = ~np.isfinite(array) | (array < least) | (array > most)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            return (
                f"{name} {array.flat[first]} on {int(wrong.sum())} of {array.size} claims, first "
                f"on number {first}; expected {expected}"
            )
    return ""


def _error(overseer: Overseer, problem: str) -> VerdictError:
    code = type(overseer).assess.__code__
    who = overseer.name or type(overseer).__name__
    return VerdictError(f"{who} gives {problem}", f"{code.co_filename}:{code.co_firstlineno}")
