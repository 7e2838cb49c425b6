"""Several overseers who judge the same claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.special import expit, log_expit, ndtri_exp

from oversight.components.overseer import Mechanism, Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, Trace, Verdicts
from oversight.core.evidence import Evidence
from oversight.overseers import dawid_skene
from oversight.overseers.panel_law import (
    correlations,
    pooled_accuracy,
    pooled_gain,
    vote_accuracy,
    vote_evidence,
)
from oversight.overseers.perception import logit_phi

Rule = Literal["majority", "average", "confidence", "dawid-skene"]

TIE = 1e-9
"""Log-odds of a tie, which a coin decides: an answer, and no belief."""


@dataclass(frozen=True)
class Team:
    """What members know of each other about one node: their own P(right), (members,), and how what
    they see is correlated, (members, members)."""

    right: FloatArray
    correlation: FloatArray

    @property
    def mean_right(self) -> float:
        """Mean P(right)."""
        return float(self.right.mean())

    @property
    def mean_correlation(self) -> float:
        """Mean correlation of two different members."""
        members = self.right.size
        return float((self.correlation.sum() - members) / (members * (members - 1)))


class Panel(Mechanism):
    """Members judge independently, and a rule makes one verdict from theirs.

    majority     the answer of most members; a coin decides a tie. It states the log likelihood
                 ratio of so many votes of so many equal members; votes of unequal weight state
                 their members' mean strength, times their margin
    average      the mean of stated beliefs on the probit scale, on which what people perceive adds
                 up: k members of equal accuracy are right with the r_k of MODEL 3, and state so
    confidence   the mean of log likelihood ratios, so a surer member counts for more, stated with
                 the gain of `average`; it has no law of its own
    dawid-skene  log likelihood ratios of the answers, with every member's own errors fitted to all
                 items of the pool. It assumes that errors are independent given the truth, and is
                 overconfident where members share a misconception

    How far members see the same is read off how often they agree over the whole pool (MODEL 3).
    `weights` multiply the votes, beliefs or log likelihood ratios.
    """

    name: ClassVar[str] = "panel"
    does: ClassVar[Mapping[str, str]] = {"members": "members"}

    members: tuple[Overseer, ...] = Field(min_length=1)
    rule: Rule = "confidence"
    weights: tuple[float, ...] | None = None

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        each = [member.assess(claims, evidence) for member in self.members]
        if len(each) == 1:
            return each[0]
        heard = evidence is not None and self.rule in ("average", "confidence")
        own = [member.assess(claims) for member in self.members] if heard else each
        stated = np.stack([verdicts.evidence for verdicts in own])
        given = np.stack([verdicts.labeled for verdicts in each])
        pooled = self._pooled(claims, stated, given, alone=heard or evidence is None)
        if heard:  # what all have heard is one piece of evidence: it counts once
            moved = np.stack([verdicts.evidence for verdicts in each]) - stated
            pooled = pooled + (moved * self._shares(given)).sum(axis=0)
        trace = None
        if claims.traced:
            parts = tuple(verdicts.trace for verdicts in each if verdicts.trace)
            trace = Trace(f"{len(each)} members, {self.rule}", {"answers": pooled > 0}, parts)
        return Verdicts.of(
            pooled,
            np.mean([verdicts.prior for verdicts in each], axis=0),
            np.sum([verdicts.minutes for verdicts in each], axis=0),
            np.sum([verdicts.calls for verdicts in each], axis=0),
            given.any(axis=0),
            trace,
            np.any([verdicts.overridden for verdicts in each], axis=0),
            _otherwise(each, pooled > 0),
        )

    def width(self) -> int:
        return sum(member.width() for member in self.members)

    def reliability(self, node: int) -> float:
        """The chance that the panel is right about a node, by the law of its rule."""
        if len(self.members) == 1:
            return self.members[0].reliability(node)
        if self.rule == "dawid-skene":
            return super().reliability(node)
        team = self._team(node, self._column(node)[0])
        if self.rule == "majority":
            return vote_accuracy(team.mean_right, team.mean_correlation, len(self.members))
        weights = self._shares(np.ones(len(self.members), dtype=np.bool_))
        return pooled_accuracy(team.right, team.correlation, weights)

    def _shares(self, given: BoolArray) -> FloatArray:
        """Weights by member that add up to 1 over those who gave a label, (members, ...)."""
        own = np.array(self.weights or [1.0] * len(self.members))
        weights = np.where(given, own.reshape(-1, *[1] * (given.ndim - 1)), 0.0)
        return np.asarray(weights / np.maximum(weights.sum(axis=0), 1e-300))

    def _pooled(
        self, claims: Claims, stated: FloatArray, given: BoolArray, alone: bool
    ) -> FloatArray:
        """Evidence from that of the members, (members, ...), by the rule, node by node.

        alone  whether they stated it without having heard anything, as over the whole pool
        """
        flat, members = claims.flat(), len(self.members)
        stated, given = stated.reshape(members, -1), given.reshape(members, -1)
        # A whole column of the pool is at hand, and nobody needs to judge it again.
        whole = alone and claims.whole and claims.node.ndim != 1
        pooled = np.zeros(flat.item.shape)
        for node, at, here in flat.by_node():
            column = (stated[:, at], given[:, at]) if whole else self._column(node)
            pooled[at] = self._rule(node, here, stated[:, at], given[:, at], *column)
        return pooled.reshape(claims.shape)

    def _rule(
        self,
        node: int,
        claims: Claims,
        stated: FloatArray,
        given: BoolArray,
        column: FloatArray,
        labeled: BoolArray,
    ) -> FloatArray:
        """The same for claims of one node, (members, claims); `column` and `labeled` are over the
        whole pool."""
        if self.rule == "dawid-skene":
            return dawid_skene.fit(column > 0, labeled).evidence(stated > 0, given)
        team, shares = self._team(node, column), self._shares(given)
        if self.rule == "majority":
            return self._majority(claims, stated, shares, team)
        if self.rule == "average":
            # The probit of a belief, from its tail, so that no strength is lost.
            mean = (_probit(stated) * shares).sum(axis=0)
        else:
            mean = _probit((stated * shares).sum(axis=0))
        gain = np.empty(mean.shape)
        patterns, place = np.unique(given, axis=1, return_inverse=True)
        for i, pattern in enumerate(patterns.T):
            weights = self._shares(pattern)
            gain[place.reshape(-1) == i] = pooled_gain(team.right, team.correlation, weights)
        return logit_phi(gain * mean)

    def _majority(
        self, claims: Claims, stated: FloatArray, shares: FloatArray, team: Team
    ) -> FloatArray:
        """Evidence from votes of these shares, (members, claims)."""
        members = len(self.members)
        yes = ((stated > 0) * shares).sum(axis=0) * members
        if self.weights is None or len(set(self.weights)) == 1:
            evidence = vote_evidence(team.mean_right, team.mean_correlation, members, yes)
        else:  # votes that weigh differently have no law here: their strength, times their margin
            evidence = (2 * yes / members - 1) * (np.abs(stated) * shares).sum(axis=0)
        tied = np.where(self.chance(claims).coin("tie"), TIE, -TIE)
        return np.where(np.abs(2 * yes - members) < 1e-9, tied, evidence)

    def _column(self, node: int) -> tuple[FloatArray, BoolArray]:
        """The members' evidence about a node of every item, (members, items), and whether they gave
        a label."""
        each = [member.assess(self.pool.claims(node)) for member in self.members]
        labeled = np.stack([verdicts.labeled for verdicts in each])
        return np.stack([verdicts.evidence for verdicts in each]), labeled

    def _team(self, node: int, column: FloatArray) -> Team:
        """What the members know of each other, from their evidence over the whole pool."""
        right = [
            # A mechanism takes itself for as reliable as it states.
            float(expit(np.abs(own)).mean())
            if type(member).reliability is Mechanism.reliability
            else member.reliability(node)
            for member, own in zip(self.members, column, strict=True)
        ]
        return Team(np.array(right), correlations(column > 0))


def _otherwise(each: Sequence[Verdicts], answer: BoolArray) -> FloatArray:
    """The share of members who gave a label and answered otherwise than the panel; a member made of
    several counts by their shares."""
    # One by one, not by an axis: numpy adds up a column of one claim in another order.
    otherwise = sum(
        np.where(own.answer == answer, own.disagreement, 1 - own.disagreement) * own.labeled
        for own in each
    )
    return np.asarray(otherwise / np.maximum(sum(own.labeled for own in each), 1))


def _probit(evidence: FloatArray) -> FloatArray:
    return np.asarray(np.copysign(ndtri_exp(log_expit(-np.abs(evidence))), evidence))


def copies(overseer: Overseer, number: int, rule: Rule) -> Overseer:
    """The overseer, `number` times: identical siblings with different people, or just the one."""
    if number == 1:
        return overseer
    return Panel(members=tuple(overseer.sibling(i) for i in range(number)), rule=rule)
