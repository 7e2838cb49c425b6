"""Failures of a judge or an evaluator who hears arguments and reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from oversight.core.claims import BoolArray, Claims, FloatArray, Verdicts
from oversight.core.config import Amount, Share
from oversight.core.evidence import Argument, Evidence
from oversight.failures.base import OverseerFailure


def both_sides(evidence: Evidence, claims: Claims) -> BoolArray:
    """Where somebody argued for each of the two sides, bool over claims."""
    first = evidence.arguments[0].side if evidence.arguments else np.False_
    apart = [argument.side != first for argument in evidence.arguments]
    return np.broadcast_to(np.any(apart, axis=0), claims.shape)


def without(argument: Argument, missed: list[BoolArray]) -> Argument:
    """The argument without the turns that the judge missed; `missed` has a bool array over claims
    for each turn."""
    rest = tuple(np.where(m, 0.0, p) for m, p in zip(missed, argument.parts, strict=True))
    # What is left is summed, not what is lost subtracted: who misses all hears exactly nothing.
    some = np.any(missed, axis=0)
    strength = np.where(some, np.sum(rest, axis=0), argument.strength)
    return replace(argument, strength=strength, split=lambda: rest)


class Listening(OverseerFailure):
    """A failure of an overseer who hears evidence."""

    can_strike: ClassVar[tuple[str, ...]] = ("judge", "evaluator")

    def swayed(self, claims: Claims, evidence: Evidence, verdicts: Verdicts) -> FloatArray:
        """The evidence that the overseer states after it heard this, in log-odds over claims."""
        raise TypeError(f"{type(self).__name__} defines no swayed(claims, evidence, verdicts)")

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        if evidence is None:
            return verdicts
        return replace(verdicts, evidence=self.swayed(claims, evidence, verdicts))


class PositionBias(Listening):
    """The judge favors the side that it hears first. A coin decides which side that is.

    In the literature the order is fixed by the protocol, and swapping it shows the bias. Here it is
    random, so the bias is noise without a direction.
    """

    name: ClassVar[str] = "position_bias"
    knob: ClassVar[str] = "log-odds toward the side heard first"
    source: ClassVar[str] = (
        "Zheng et al. 2023, table 2: swapping the order leaves 24 to 65 % of verdicts alike (read "
        "from a secondary table); people in DC-Debates (Recchia et al. 2026): .009 log-odds +- .16"
    )
    rate: ClassVar[float] = 0.009
    most: Amount = 4.0

    def swayed(self, claims: Claims, evidence: Evidence, verdicts: Verdicts) -> FloatArray:
        first = np.where(self.chance(claims).coin("heard first"), 1.0, -1.0)
        by = np.where(both_sides(evidence, claims), self.strength(claims) * first, 0.0)
        return verdicts.evidence + by


class VerbosityBias(Listening):
    """The length of an argument moves the judge. The length is random and has nothing to do with
    the truth.

    In the literature models write at length because judges like it. Here nobody chooses the length,
    so the bias is noise that no debater exploits.
    """

    name: ClassVar[str] = "verbosity_bias"
    knob: ClassVar[str] = "log-odds per standard deviation of an argument's log length"
    source: ClassVar[str] = "Zheng et al. 2023, section 3.3; Khan et al. 2024, appendix A.7"
    most: Amount = 3.0

    def swayed(self, claims: Claims, evidence: Evidence, verdicts: Verdicts) -> FloatArray:
        longer = np.zeros(claims.shape)
        for i, argument in enumerate(evidence.arguments):
            length = self.chance(claims).normal("length", i)
            longer = longer + np.where(argument.side, length, -length)
        return verdicts.evidence + self.strength(claims) * longer


class Credulity(Listening):
    """The judge believes a lone adviser."""

    name: ClassVar[str] = "credulity"
    knob: ClassVar[str] = "chance of taking over a lone adviser's answer"
    source: ClassVar[str] = (
        "Khan et al. 2024, table 2: 14 % of wrong verdicts in consultancy are a judge too trusting"
    )
    most: Share = 1.0

    def swayed(self, claims: Claims, evidence: Evidence, verdicts: Verdicts) -> FloatArray:
        if not evidence.arguments:
            return verdicts.evidence
        lone = ~both_sides(evidence, claims) & self.strikes(claims)
        strength = np.abs(verdicts.evidence)
        taken = np.where(evidence.arguments[0].side, strength, -strength)
        return np.where(lone, taken, verdicts.evidence)


class AutomationBias(Listening):
    """The evaluator repeats what an aid reports instead of judging."""

    name: ClassVar[str] = "automation_bias"
    knob: ClassVar[str] = "chance of taking over the aid's answer"
    source: ClassVar[str] = "Goddard et al. 2012: wrong advice is followed 1.26 times as often"
    most: Share = 1.0

    def swayed(self, claims: Claims, evidence: Evidence, verdicts: Verdicts) -> FloatArray:
        if not evidence.aids:
            return verdicts.evidence
        strength = np.abs(verdicts.evidence)
        taken = np.where(np.asarray(evidence.report) > 0, strength, -strength)
        return np.where(self.strikes(claims), taken, verdicts.evidence)


class Inattention(OverseerFailure):
    """The judge misses an argument with some chance, and still spends the time to read it."""

    name: ClassVar[str] = "inattention"
    can_strike: ClassVar[tuple[str, ...]] = ("judge", "evaluator")
    knob: ClassVar[str] = "chance of missing an argument"
    source: ClassVar[str] = (
        "Michael et al. 2023: behind 38 % of wrong verdicts in debates; Khan et al. 2024: 25 %"
    )
    most: Share = 1.0

    def hear(self, claims: Claims, evidence: Evidence) -> Evidence:
        chance, miss = self.chance(claims), self.strength(claims)
        heard = [
            without(a, [chance.uniform("missed", i, turn) < miss for turn, _ in enumerate(a.parts)])
            for i, a in enumerate(evidence.arguments)
        ]
        return replace(evidence, arguments=tuple(heard))


class PrematureStopping(OverseerFailure):
    """The judge stops reading after some turn."""

    name: ClassVar[str] = "premature_stopping"
    can_strike: ClassVar[tuple[str, ...]] = ("judge",)
    knob: ClassVar[str] = "chance of stopping after each turn; the first is always heard"
    source: ClassVar[str] = (
        "Michael et al. 2023: behind 25 % of wrong verdicts in debates; 19 of 154 debates ended "
        "after one round"
    )
    rate: ClassVar[float] = 19 / 154
    most: Share = 1.0

    def hear(self, claims: Claims, evidence: Evidence) -> Evidence:
        chance, stop = self.chance(claims), self.strength(claims)
        turns = max((len(a.parts) for a in evidence.arguments), default=0)
        missed: list[BoolArray] = [np.zeros(claims.shape, dtype=np.bool_)]
        for turn in range(1, turns):
            missed.append(missed[-1] | (chance.uniform("stops", turn) < stop))
        heard = [self._until(a, missed[: len(a.parts)]) for a in evidence.arguments]
        return replace(evidence, arguments=tuple(heard))

    def _until(self, argument: Argument, missed: list[BoolArray]) -> Argument:
        unread: Any = np.sum(missed, axis=0) if missed else 0
        return replace(without(argument, missed), count=argument.count - unread)
