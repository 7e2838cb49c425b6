"""Random draws, named by what they are for (MODEL 9).

Every number comes from a stream keyed by identity (a person's seat and a node, a mechanism's
configuration), never by order of calls. Draws are made as columns over all items of a pool and then
indexed, so any batch in any order sees the same numbers.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray

Key = tuple[str | int, ...]


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """The generator that belongs to this seed and name, the same in every process and version of
    Python.

    >>> stream(1, "world", 3).random() == stream(1, "world", 3).random()
    True
    >>> stream(1, "world", 3).random() == stream(1, "world", 4).random()
    False
    """
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    words = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=words)
    return np.random.Generator(np.random.PCG64DXSM(sequence))


class Draws:
    """Columns of draws over the items of one pool, kept while there is room and made again,
    identical, when not."""

    def __init__(self, seed: int, key: Key, items: int, room: int = 2**27) -> None:
        self.seed, self.key, self.items, self.room = seed, key, items, room
        self.everyone: IntArray = np.arange(items)
        self.everyone.flags.writeable = False
        self._kept: OrderedDict[Key, FloatArray] = OrderedDict()
        self._bytes = 0

    def generator(self, *name: str | int) -> np.random.Generator:
        """The pool's own generator of that name, for draws that are not one a claim."""
        return stream(self.seed, *self.key, *name)

    def column(self, kind: str, width: int, *name: str | int) -> FloatArray:
        """Draws of shape (items,), or (items, width) where width > 0; kind is a method of numpy's
        Generator."""
        return self.kept((kind, width, *name), lambda: self._draw(kind, width, name))

    def kept(self, key: Key, make: Callable[[], FloatArray]) -> FloatArray:
        """`make()`, kept under the key; the array must depend on the key alone. Read-only."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        column = make()
        column.flags.writeable = False  # handed out as it is, again and again
        self._kept[key] = column
        self._bytes += column.nbytes
        while self._bytes > self.room and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return column

    def _draw(self, kind: str, width: int, name: Key) -> FloatArray:
        shape = (self.items, width) if width else (self.items,)
        drawn: FloatArray = getattr(self.generator(*name), kind)(size=shape)
        return drawn

    def at(self, claims: Claims, kind: str, *name: str | int) -> FloatArray:
        """One draw a claim, from the columns of the claims' nodes."""
        if claims.whole and claims.node.ndim == 0:
            return self.column(kind, 0, *name, int(claims.node))
        return gather(claims, lambda node: self.column(kind, 0, *name, node))


def gather(claims: Claims, column: Callable[[int], FloatArray]) -> FloatArray:
    """`column(node)[item]` for every claim, one call of `column` a node."""
    item, node = claims.item, claims.node
    if node.size == 1:
        return np.asarray(column(int(node.flat[0]))[np.broadcast_to(item, claims.shape)])
    if item.ndim == 1 and node.shape == (node.size, 1):
        return np.stack([column(one)[item] for one in node[:, 0].tolist()])
    nodes = claims.nodes
    rows = np.stack([column(one) for one in nodes.tolist()])
    row: IntArray = np.empty(nodes[-1] + 1, dtype=np.int64)
    row[nodes] = np.arange(nodes.size)
    return np.asarray(rows[row[node], item])


@dataclass(frozen=True, slots=True)
class Chance:
    """A mechanism's own draws for the claims it is judging; every array has the shape of those
    claims."""

    draws: Draws
    key: Key
    claims: Claims

    def normal(self, *name: str | int) -> FloatArray:
        """Standard normals of this name, one a claim."""
        return self.draws.at(self.claims, "standard_normal", *self.key, *name)

    def uniform(self, *name: str | int) -> FloatArray:
        """Uniform numbers in [0, 1) of this name, one a claim."""
        return self.draws.at(self.claims, "random", *self.key, *name)

    def exponential(self, *name: str | int) -> FloatArray:
        """Standard exponentials of this name, one a claim."""
        return self.draws.at(self.claims, "standard_exponential", *self.key, *name)

    def coin(self, *name: str | int) -> BoolArray:
        """Fair coins of this name, one a claim."""
        return self.uniform(*name) < 0.5

    def __getitem__(self, index: object) -> Chance:
        """The same draws for some of the claims."""
        return Chance(self.draws, self.key, self.claims[index])
