"""Several overseers who judge the same claims."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.special import log_expit, ndtri_exp

from oversight.components.overseer import Mechanism, Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, Trace, Verdicts
from oversight.core.evidence import Evidence
from oversight.overseers import dawid_skene
from oversight.overseers.dawid_skene import DawidSkene
from oversight.overseers.perception import logit_phi

Rule = Literal["majority", "average", "confidence", "dawid-skene"]


class Panel(Mechanism):
    """Members judge independently, and a rule makes one verdict from theirs.

    majority     the answer of most members. It states the mean strength of its members, times its
                 margin. A tie is "false"
    average      the mean of stated beliefs on the probit scale, on which what people perceive adds
                 up: k members of equal accuracy are right with the r_k of MODEL 3
    confidence   the mean of log likelihood ratios, so a surer member counts for more. A sum would
                 count what members misunderstand together again with each member
    dawid-skene  log likelihood ratios of the answers, with every member's own errors fitted to all
                 items of the pool (errors independent given the truth)

    `weights` multiply the votes, beliefs or log likelihood ratios.
    """

    name: ClassVar[str] = "panel"

    members: tuple[Overseer, ...] = Field(min_length=1)
    rule: Rule = "confidence"
    weights: tuple[float, ...] | None = None

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        each = [member.assess(claims, evidence) for member in self.members]
        if len(each) == 1:
            return each[0]
        stated = np.stack([verdicts.evidence for verdicts in each])
        given = np.stack([verdicts.labeled for verdicts in each])
        if self.rule == "dawid-skene":
            pooled = self._by_errors(claims, stated > 0, given, evidence is None)
        else:
            pooled = _pooled(stated, self._shares(given), self.rule)
        prior = np.mean([verdicts.prior for verdicts in each], axis=0)
        minutes = np.sum([verdicts.minutes for verdicts in each], axis=0)
        calls = np.sum([verdicts.calls for verdicts in each], axis=0)
        trace = None
        if claims.traced:
            parts = tuple(verdicts.trace for verdicts in each if verdicts.trace)
            trace = Trace(f"{len(each)} members, {self.rule}", {"answers": pooled > 0}, parts)
        return Verdicts.of(pooled, prior, minutes, calls, given.any(axis=0), trace)

    def width(self) -> int:
        return sum(member.width() for member in self.members)

    def _shares(self, given: BoolArray) -> FloatArray | None:
        """Weights by member that add up to 1 over those who gave a label; None where all count
        alike."""
        if self.weights is None and given.all():
            return None
        own = np.array(self.weights or [1.0] * len(self.members))
        weights = np.where(given, own.reshape(-1, *[1] * (given.ndim - 1)), 0.0)
        return np.asarray(weights / np.maximum(weights.sum(axis=0), 1e-300))

    def _by_errors(
        self, claims: Claims, answers: BoolArray, given: BoolArray, alone: bool
    ) -> FloatArray:
        """Evidence from the members' answers, shape (members, ...), by their fitted errors.

        alone  whether they judged without evidence, as the items that errors are fitted to
        """
        if alone and claims.whole and claims.node.ndim == 0:
            return dawid_skene.fit(answers, given).evidence(answers, given)
        pooled = np.zeros(claims.shape)
        node = np.broadcast_to(claims.node, claims.shape)
        for one in claims.nodes.tolist():
            at = node == one
            pooled[at] = self._fit(one).evidence(answers[:, at], given[:, at])
        return pooled

    def _fit(self, node: int) -> DawidSkene:
        """The members' errors about a node, from all items of the pool."""
        each = [member.assess(self.pool.claims(node)) for member in self.members]
        answers = np.stack([verdicts.answer for verdicts in each])
        return dawid_skene.fit(answers, np.stack([verdicts.labeled for verdicts in each]))


def _pooled(stated: FloatArray, shares: FloatArray | None, rule: Rule) -> FloatArray:
    """Evidence of shape (members, ...) made one, by a rule."""

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(values.mean(axis=0) if shares is None else (values * shares).sum(axis=0))

    if rule == "majority":
        margin = 2 * mean((stated > 0).astype(np.float64)) - 1
        return margin * mean(np.abs(stated))
    if rule == "average":
        # The probit of a belief, from its tail, so that no strength is lost.
        return logit_phi(mean(np.copysign(ndtri_exp(log_expit(-np.abs(stated))), stated)))
    return mean(stated)


def copies(overseer: Overseer, number: int, rule: Rule) -> Overseer:
    """The overseer, `number` times: identical siblings with different people, or just the one."""
    if number == 1:
        return overseer
    return Panel(members=tuple(overseer.sibling(i) for i in range(number)), rule=rule)
