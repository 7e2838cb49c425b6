"""How some claims are referred to somebody else: what cascade and audit share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from oversight.components.overseer import Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.streams import gather
from oversight.worlds.base import Pool

Ranks = dict[int, FloatArray]
"""By node, how sure an overseer is of each item, ranked."""


def sureness(verdicts: Verdicts) -> FloatArray:
    """How sure each verdict is: max(belief, 1 - belief), in [1/2, 1], over claims."""
    return np.maximum(verdicts.belief, 1 - verdicts.belief)


def least_sure(
    overseer: Overseer,
    claims: Claims,
    share: float,
    pool: Pool,
    verdicts: Verdicts | None = None,
) -> BoolArray:
    """Which claims belong to the `share` of all items about which the overseer is least sure, node
    by node, bool over claims. Ties go by item number. Ranks are over the whole pool, so batches do
    not matter.

    verdicts  the overseer's own verdicts on these claims, without evidence, if they are known
    """
    at_hand = claims.whole and claims.node.ndim == 0

    def rank(node: int) -> FloatArray:
        known = verdicts if at_hand else None
        sure = sureness(known or overseer.assess(pool.claims(node)))
        return np.argsort(np.argsort(sure, kind="stable"), kind="stable").astype(np.float64)

    ranks: Ranks = {node: rank(node) for node in claims.nodes.tolist()}
    return gather(claims, lambda node: ranks[node]) < round(share * pool.everyone.size)


def among_least_sure(attacked: Verdicts, healthy: Verdicts, share: float) -> FloatArray:
    """Whether each claim would be among the `share` about which an overseer is least sure if it
    were attacked and all other items were healthy: 1 or 0, row by row over items. Ties go against
    it.

    attacked, healthy  the verdicts on the same claims, of every item of the pool
    """
    lying, sure = (np.atleast_2d(sureness(verdicts)) for verdicts in (attacked, healthy))
    number = round(share * sure.shape[-1])
    less = [np.searchsorted(np.sort(row), own) for row, own in zip(sure, lying, strict=True)]
    less_sure = np.array(less) - (sure < lying)  # of the others: its own healthy answer is gone
    return np.asarray((less_sure < number).reshape(attacked.evidence.shape), dtype=np.float64)


def referred(
    verdicts: Verdicts,
    where: BoolArray,
    to: Overseer,
    claims: Claims,
    evidence: Evidence | None,
) -> Verdicts:
    """The verdicts, replaced by those of `to` where referred to it. There, both are paid, an answer
    that `to` contradicts is overridden, and whichever side disagreed more within itself counts."""
    at = np.flatnonzero(np.broadcast_to(where, claims.shape))
    if not at.size:
        return verdicts
    heard = None if evidence is None else evidence.at(at, claims.shape)
    second = to.assess(claims.flat()[at], heard)
    contradicted = second.answer != verdicts.answer.reshape(-1)[at]
    contradicted &= second.labeled & verdicts.labeled.reshape(-1)[at]

    def merged(name: str, other: FloatArray | BoolArray, rule: np.ufunc | None = None) -> Any:
        flat = getattr(verdicts, name).reshape(-1).copy()
        flat[at] = other if rule is None else rule(flat[at], other)
        return flat.reshape(claims.shape)

    return replace(
        verdicts,
        evidence=merged("evidence", second.evidence),
        prior=merged("prior", second.prior),
        minutes=merged("minutes", second.minutes, np.add),
        calls=merged("calls", second.calls, np.add),
        labeled=merged("labeled", second.labeled),
        overridden=merged("overridden", second.overridden | contradicted, np.logical_or),
        disagreement=merged("disagreement", second.disagreement, np.maximum),
    )
