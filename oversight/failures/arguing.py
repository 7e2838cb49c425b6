"""Failures of the models that argue before a judge: debaters, consultants and critics."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from oversight.components.overseer import Overseer
from oversight.components.wrappers import as_role
from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, IntArray
from oversight.core.config import Amount, Share
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.failures.base import Failure
from oversight.overseers.agent import Agent
from oversight.overseers.model import by_gate
from oversight.overseers.persuasion import Arguing
from oversight.worlds.base import MARGINS


class ArguingFailure(Failure):
    """A failure of what a model argues: it changes how strongly an argument moves the judge."""

    can_strike: ClassVar[tuple[str, ...]] = ("debater", "consultant", "critic")

    def lies(self, claims: Claims, side: BoolArray) -> BoolArray:
        """Where the model argues for a side that it does not believe, bool over claims.

        side  the value of the claim that it argues for, bool over claims
        """
        return np.asarray(side != as_role(self.inner, Agent).perceived(claims))

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        """What a turn's argument gains, over claims, in units of c mu: the mean strength of a true
        argument. `lies` says where the side is not what the model believes."""
        raise TypeError(f"{type(self).__name__} defines no stronger(claims, side, lies, turn, who)")

    def argue(
        self,
        claims: Claims,
        side: BoolArray,
        rounds: int,
        arguing: Arguing,
        chance: Chance,
        who: str,
        *,
        evidence: Evidence | None = None,
        judge: Overseer | None = None,
    ) -> Argument:
        healthy = super().argue(
            claims, side, rounds, arguing, chance, who, evidence=evidence, judge=judge
        )
        unit, lies = arguing.discernment * arguing.evidence, self.lies(claims, side)
        gains = [unit * self.stronger(claims, side, lies, turn, who) for turn in range(rounds)]
        return replace(
            healthy,
            strength=healthy.strength + np.sum(gains, axis=0),
            split=lambda: tuple(
                part + gain for part, gain in zip(healthy.parts, gains, strict=True)
            ),
        )


class WeakHonestEvidence(ArguingFailure):
    """A debater who argues for what it believes picks weak evidence."""

    name: ClassVar[str] = "weak_honest_evidence"
    knob: ClassVar[str] = "loss of a true argument, in its own mean strength; 2 leaves a lie's"
    source: ClassVar[str] = (
        "behind 67 % (Khan et al. 2024) and 46 % (Michael et al. 2023) of wrong verdicts in debates"
    )
    most: Amount = 2.0

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        return np.where(lies, 0.0, -self.strength(claims))


class PersuasiveLiar(ArguingFailure):
    """A liar argues better than its evidence allows."""

    name: ClassVar[str] = "persuasive_liar"
    knob: ClassVar[str] = "gain of a lie, in a true argument's mean strength; 2 makes it equal"
    source: ClassVar[str] = "Khan et al. 2024: ratings of honest and dishonest debaters"
    most: Amount = 4.0

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        return np.where(lies, self.strength(claims), 0.0)


class FabricatedEvidence(ArguingFailure):
    """Some arguments for a falsehood rest on invented evidence that nobody checks. They move the
    judge as much as true arguments do."""

    name: ClassVar[str] = "fabricated_evidence"
    knob: ClassVar[str] = "chance that an argument for a falsehood is made up"
    source: ClassVar[str] = "Khan et al. 2024, section 3: judges rely on quotes that are verified"
    most: Share = 1.0

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        return np.where(lies & self.strikes(claims, who, turn), 2.0, 0.0)


class ExploitedMisconception(ArguingFailure):
    """The liar uses the judge's misconception: it argues where the misconception helps it, and
    announces such parts wrongly."""

    name: ClassVar[str] = "exploited_misconception"
    requires: ClassVar[frozenset[str]] = frozenset({MARGINS})
    knob: ClassVar[str] = "gain of a lie per unit of misconception that favors it"
    source: ClassVar[str] = "MODEL 5, 8: the strategy of a liar who knows the judge"
    most: Amount = 4.0

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        slope = self.pool.misconception(claims)
        favors = np.maximum(np.where(side, slope, -slope), 0.0)
        return np.where(lies, self.strength(claims) * favors, 0.0)

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        codes: IntArray = np.array(super().announce(claims, value, chance, *name))
        lot = self.chance(claims).uniform("announces", *name)
        exploits = self.lies(claims, value) & (lot < self.severity) & (self.strength(claims) > 0)
        for gate, group, below in by_gate(self.pool.tree, claims):
            child = np.arange(gate.children)[:, None]
            believed, slope = self.believe(below), self.pool.misconception(below)
            perceived = (believed << child).sum(axis=0)
            table, count = gate.nearest
            given = value[group].astype(np.int64)
            options = table[given, perceived]
            bits = (options[..., None] >> child.T & 1).astype(np.bool_)  # (claims, option, child)
            lie = bits != believed.T[:, None]
            worth = np.where(lie, np.where(bits, 1.0, -1.0) * slope.T[:, None], 0.0).sum(axis=-1)
            possible = np.arange(options.shape[1]) < count[given, perceived][:, None]
            best = np.argmax(np.where(possible, worth, -np.inf), axis=1)
            chosen = options[np.arange(best.size), best]
            codes[group] = np.where(exploits[group], chosen, codes[group])
        return codes


class ObfuscatedArgument(ArguingFailure):
    """The argument for a falsehood is so tangled that nobody can locate its flaw.

    On the tree the opponent then disputes any of the m parts and is right with chance 1/m. Where
    every level has exactly one flaw, as under parity gates, P(caught) = q^D A + (1 - q^D) (1 - A)
    with q = 1 - severity (1 - 1/m). Under other gates a lie may need several false parts, so that
    more lies are caught: labels right .555 instead of .539 for [or, and], m = 3, A = .85, severity
    1. In a flat exchange nobody can point out the flaw, so the falsehood argues as if no evidence
    spoke against it.
    """

    name: ClassVar[str] = "obfuscated_argument"
    can_strike: ClassVar[tuple[str, ...]] = ("debater", "consultant", "critic")
    knob: ClassVar[str] = "chance that the flaw cannot be located, at each level"
    source: ClassVar[str] = "Barnes & Christiano 2020, obfuscated arguments"
    most: Share = 1.0

    def stronger(
        self, claims: Claims, side: BoolArray, lies: BoolArray, turn: int, who: str
    ) -> FloatArray:
        return np.where(lies & self.strikes(claims), 1.0, 0.0)

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        chosen: IntArray = super().dispute(claims, announced, chance, *name)
        parts = (self.pool.tree.child_table[claims.node] >= 0).sum(axis=-1)
        lot = self.chance(claims).uniform("any part", *name)
        return np.where(self.strikes(claims, *name), (lot * parts).astype(np.int64), chosen)


class Collusion(ArguingFailure):
    """Both debaters of an item work together: their arguments tell the judge nothing, and they
    dispute no lie.

    In a flat debate the judge is left with what it sees itself. On the tree it rules on a true part
    of a lie as often as of the truth: labels are right half of the time, and stated with the
    confidence of a leaf. The literature also means debaters who agree on a falsehood and argue for
    it. These do not: they fall silent.
    """

    name: ClassVar[str] = "collusion"
    can_strike: ClassVar[tuple[str, ...]] = ("debater",)
    knob: ClassVar[str] = "chance that an item's debaters collude"
    source: ClassVar[str] = (
        "Irving et al. 2018 on why debate is zero-sum; a 2026 re-implementation on MNIST: the "
        "judge falls from 94 to 58 %"
    )
    most: Share = 1.0

    def collude(self, claims: Claims) -> BoolArray:
        """Where the debaters of a claim's item collude, bool over claims."""
        # One draw an item, so that both debaters collude on all of its claims that are struck.
        lot = self.chance(claims.at(ROOT)).uniform("strikes")
        return np.asarray(lot < self.strength(claims))

    def argue(
        self,
        claims: Claims,
        side: BoolArray,
        rounds: int,
        arguing: Arguing,
        chance: Chance,
        who: str,
        *,
        evidence: Evidence | None = None,
        judge: Overseer | None = None,
    ) -> Argument:
        healthy = as_role(self.inner, Agent).argue(
            claims, side, rounds, arguing, chance, who, evidence=evidence, judge=judge
        )
        silent = self.collude(claims)
        return replace(
            healthy,
            strength=np.where(silent, 0.0, healthy.strength),
            split=lambda: tuple(np.where(silent, 0.0, part) for part in healthy.parts),
        )

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        chosen: IntArray = np.array(super().dispute(claims, announced, chance, *name))
        collude, lot = self.collude(claims), self.chance(claims).uniform("harmless", *name)
        for gate, group, below in by_gate(self.pool.tree, claims):
            values = (announced[group] >> np.arange(gate.children)[:, None] & 1).astype(np.bool_)
            true = values == self.believe(below)
            true |= ~true.any(axis=0)
            rank = (lot[group] * true.sum(axis=0)).astype(np.int64)
            harmless = np.argmax(np.cumsum(true, axis=0) > rank, axis=0)
            chosen[group] = np.where(collude[group], harmless, chosen[group])
        return chosen
