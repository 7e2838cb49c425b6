"""What a gradient student minimizes: cross-entropy, or the confidence loss of Burns et al. 2023.

    (1 - a) CE(f, label) + a CE(f, [f > t])

The threshold t and the student's own answers [f > t] are held fixed in a step, so that the slope in
the log-odds f is sigmoid(f) - ((1 - a) label + a [f > t]). Arrays are (columns, items).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit

from oversight.core.claims import BoolArray, FloatArray

Threshold = Literal["half", "balance"]


def own_answers(log_odds: FloatArray, threshold: Threshold, labels: FloatArray) -> BoolArray:
    """The student's own answers [f > t] on a batch.

    threshold  half: t is the median of the batch; balance: as many answers are yes, rounded, as the
               labels' share of yes says
    labels     all of a column's, not only the batch's
    """
    if threshold == "half":
        return np.asarray(log_odds > np.median(log_odds, axis=1, keepdims=True))
    items = log_odds.shape[1]
    yes = np.rint(labels.mean(axis=1) * items).astype(np.int64)
    ranked = np.concatenate([np.full((len(log_odds), 1), -np.inf), np.sort(log_odds, axis=1)], 1)
    return np.asarray(log_odds > np.take_along_axis(ranked, (items - yes)[:, None], axis=1))


def mixed(labels: FloatArray, own: BoolArray, weight: float) -> FloatArray:
    """What the confidence loss of this weight pulls the student to."""
    return np.asarray(labels + weight * (own - labels))


def slope(log_odds: FloatArray, aims: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Slope of the mean loss in the log-odds."""
    off = np.asarray(expit(log_odds))
    off -= aims
    if weights is None:
        off /= off.shape[1]
        return off
    off *= weights / weights.sum(axis=1, keepdims=True)
    return off


def mean_loss(log_odds: FloatArray, aims: FloatArray, weights: FloatArray | None) -> FloatArray:
    """Mean cross-entropy of a column, (columns,), in nats."""
    each = np.logaddexp(0.0, log_odds) - aims * log_odds
    return np.asarray(np.average(each, axis=1, weights=weights))
