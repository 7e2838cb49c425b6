"""Claims that an overseer judges, and the verdicts it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

ROOT = 0
"""The node every task tree starts from: the item's own question."""

AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])


def read_only(array: AnyArray) -> AnyArray:
    """The array, which nobody can write into from now on: for what is handed out again and again.

    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    array.flags.writeable = False
    return array


def without_cache(holder: Any) -> dict[str, object]:
    """The fields of a dataclass, for its pickle: what it worked out is left out, since numpy brings
    read-only arrays back writable."""
    return {one.name: getattr(holder, one.name) for one in fields(holder)}


def lock(holder: object, *names: str) -> None:
    """Make arrays that a frozen object holds read-only for everybody who gets them from it. Whoever
    made an array can still write into it."""
    for name in names:
        array = getattr(holder, name)
        if isinstance(array, np.ndarray) and array.flags.writeable:
            object.__setattr__(holder, name, read_only(array.view()))


@dataclass(frozen=True, slots=True)
class Claims:
    """ "Node `node` of item `item` is true", for every pair in the broadcast of two arrays.

    item, node  integer arrays that broadcast against each other: nodes of shape (k, 1) and items of
                shape (n,) make k x n claims
    traced      asks whoever judges them to explain how (`Verdicts.trace`)
    whole       True where `item` is every item of the pool in order, so that columns over the pool
                need no indexing. Only `of_everyone` and `at` set it; `replace` resets it

    >>> grid = Claims.of([0, 1, 2], [[1], [2]])
    >>> grid.shape
    (2, 3)
    >>> grid.flat().node.tolist()
    [1, 1, 1, 2, 2, 2]
    """

    item: IntArray
    node: IntArray
    traced: bool = False
    whole: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        lock(self, "item", "node")

    @staticmethod
    def of(items: npt.ArrayLike, nodes: npt.ArrayLike = ROOT, traced: bool = False) -> Claims:
        """Claims from anything array-like; by default about the root."""
        item, node = np.asarray(items, dtype=np.int64), np.asarray(nodes, dtype=np.int64)
        return Claims(item, node, traced)

    @staticmethod
    def of_everyone(everyone: IntArray, node: npt.ArrayLike, traced: bool = False) -> Claims:
        """Claims about a node, or a column of nodes, of every item of a pool, in order."""
        claims = Claims.of(everyone, node, traced)
        object.__setattr__(claims, "whole", True)
        return claims

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the broadcast of `item` and `node`."""
        return np.broadcast_shapes(self.item.shape, self.node.shape)

    @property
    def nodes(self) -> IntArray:
        """The nodes they are about, each once, ascending."""
        return np.flatnonzero(np.bincount(self.node.ravel()))

    def at(self, nodes: npt.ArrayLike) -> Claims:
        """Claims about the same items at other nodes."""
        make = Claims.of_everyone if self.whole else Claims.of
        return make(self.item, nodes, self.traced)

    def flat(self) -> Claims:
        """The same claims with both arrays of one, full, dimension."""
        shape = self.shape
        if len(shape) == 1 and self.item.shape == shape:
            return self.at(np.broadcast_to(self.node, shape))
        item, node = np.broadcast_arrays(self.item, self.node)
        return Claims(item.ravel(), node.ravel(), self.traced)

    def by_node(self) -> Iterator[tuple[int, IntArray | slice, Claims]]:
        """One-dimensional claims, node by node: the node, the positions of its claims (indices, or
        a slice where there is one node), and those claims."""
        nodes = self.nodes
        for node in nodes.tolist():
            at = slice(None) if nodes.size == 1 else np.flatnonzero(self.node == node)
            yield node, at, self if nodes.size == 1 else self[at]

    def __getitem__(self, index: Any) -> Claims:
        item, node = np.broadcast_arrays(self.item, self.node)
        return Claims(item[index], node[index], self.traced)


@dataclass(frozen=True, slots=True)
class Trace:
    """How verdicts came about.

    title  what happened, in a few words
    facts  arrays over the claims, by name
    parts  the traces of the verdicts it rests on
    """

    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Trace, ...] = ()


@lru_cache(maxsize=256)
def _nobody(shape: tuple[int, ...], kind: type) -> npt.NDArray[Any]:
    """0 or False for every claim: one value, spread over a shape."""
    return np.broadcast_to(read_only(np.zeros((), kind)), shape)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """An overseer's verdicts on claims; every array has the shape of the claims and is read-only.

    evidence      the log likelihood ratio that the overseer found for "true", as it states it
    prior         the log-odds it started from
    minutes       human minutes spent, >= 0
    calls         model calls made, >= 0
    labeled       False where the overseer gave no label
    trace         only where the claims asked for it
    overridden    True where somebody judged again and answered otherwise, so that an answer was
                  replaced; left out, nowhere
    disagreement  share of the members or parts that answered otherwise than the outcome, in [0, 1];
                  left out, 0: there is nobody to disagree

    The answer is the sign of the evidence, so that P(right) is a person's accuracy at any prior
    (MODEL 3); the belief also counts the prior.

    >>> Verdicts.of(np.array([0.5, -2.0])).disagreement.tolist()
    [0.0, 0.0]
    """

    evidence: FloatArray
    prior: FloatArray
    minutes: FloatArray
    calls: FloatArray
    labeled: BoolArray
    trace: Trace | None = None
    overridden: BoolArray = field(default_factory=lambda: _nobody((), bool))
    disagreement: FloatArray = field(default_factory=lambda: _nobody((), float))

    def __post_init__(self) -> None:
        shape = np.shape(self.evidence)
        for name, kind in (("overridden", bool), ("disagreement", float)):
            array = getattr(self, name)
            # Whoever knows nothing of these two may still `replace` the others with fewer claims.
            if array is _nobody((), kind) or (np.shape(array) != shape and not np.any(array)):
                object.__setattr__(self, name, _nobody(shape, kind))
        lock(self, *Verdicts.__slots__)

    @staticmethod
    def of(
        evidence: FloatArray,
        prior: npt.ArrayLike = 0.0,
        minutes: npt.ArrayLike = 0.0,
        calls: npt.ArrayLike = 0.0,
        labeled: npt.ArrayLike = True,
        trace: Trace | None = None,
        overridden: npt.ArrayLike = False,
        disagreement: npt.ArrayLike = 0.0,
    ) -> Verdicts:
        """Verdicts with everything broadcast to the shape of the evidence."""
        shape = np.shape(evidence)

        def full(values: npt.ArrayLike) -> FloatArray:
            return np.broadcast_to(np.asarray(values, dtype=np.float64), shape)

        def marks(values: npt.ArrayLike) -> BoolArray:
            return np.broadcast_to(np.asarray(values, dtype=np.bool_), shape)

        return Verdicts(
            evidence,
            full(prior),
            full(minutes),
            full(calls),
            marks(labeled),
            trace,
            marks(overridden),
            full(disagreement),
        )

    def with_trace(self, title: str, facts: Mapping[str, Any]) -> Verdicts:
        """The same verdicts with a trace of this title and these facts above their own."""
        return replace(self, trace=Trace(title, facts, (self.trace,) if self.trace else ()))

    @property
    def answer(self) -> BoolArray:
        """Hard answers."""
        return self.evidence > 0.0

    @property
    def belief(self) -> FloatArray:
        """P(true) as stated, in [0, 1]."""
        return np.asarray(expit(self.evidence + self.prior), dtype=np.float64)

    @property
    def confidence(self) -> FloatArray:
        """The stated chance that the answer is right, from the evidence alone, in [1/2, 1]."""
        return np.asarray(expit(np.abs(self.evidence)), dtype=np.float64)
