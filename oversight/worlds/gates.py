"""Gates: how the truth of a question follows from the truths of its parts.

A gate of k children is a truth table of 2**k values. Entry `code` is its output when child i has
value `code >> i & 1`: the first child is the least significant bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from oversight.core.claims import BoolArray, FloatArray, IntArray, read_only, without_cache

MOST_CHILDREN = 10
NAMES = ("and", "or", "xor", "majority", "repeat")


@dataclass(frozen=True)
class Gate:
    """A truth table and whether its children are one question asked again (`repeat`).

    table   0s and 1s, 2**k of them, indexed by code
    repeat  True if every child has the parent's truth

    >>> either = parse("or", 2)
    >>> either.table
    (0, 1, 1, 1)
    >>> round(either.prior(np.array([0.5, 0.2])), 3)
    0.6
    """

    table: tuple[int, ...]
    repeat: bool = False
    name: str = ""

    def __getstate__(self) -> dict[str, object]:
        """Pickled without its arrays, which are read-only in every process."""
        return without_cache(self)

    @property
    def children(self) -> int:
        """How many children it has, k."""
        return len(self.table).bit_length() - 1

    @cached_property
    def outputs(self) -> BoolArray:
        """The table, shape (2**k,)."""
        return read_only(np.array(self.table, dtype=np.bool_))

    @cached_property
    def bits(self) -> BoolArray:
        """The children's values by code, shape (2**k, k)."""
        codes = np.arange(len(self.table))[:, None]
        return read_only((codes >> np.arange(self.children) & 1).astype(np.bool_))

    def code_chances(self, priors: FloatArray) -> FloatArray:
        """P(code) of independent children with these priors; of a `repeat`, all or none. Shape
        (2**k,)."""
        if self.repeat:
            chances = np.zeros(len(self.table))
            chances[0], chances[-1] = 1 - priors[0], priors[0]
            return chances
        return np.asarray(np.where(self.bits, priors, 1 - priors).prod(axis=1))

    def prior(self, priors: FloatArray) -> float:
        """P(output is true) from the children's priors."""
        return float(self.code_chances(priors)[self.outputs].sum())

    def given(self, value: bool, priors: FloatArray) -> FloatArray:
        """P(code | the gate yields `value`), shape (2**k,)."""
        chances = np.where(self.outputs == value, self.code_chances(priors), 0.0)
        return np.asarray(chances / chances.sum())

    @cached_property
    def nearest(self) -> tuple[IntArray, IntArray]:
        """The codes that yield a value and lie nearest (Hamming) to a perceived code.

        Returns (codes, count): codes[value, perceived, :count[value, perceived]] are the nearest
        ones.
        """
        size = len(self.table)
        codes = np.arange(size)
        distance = np.array([i.bit_count() for i in range(size)])[codes[:, None] ^ codes]
        lists = [
            [np.flatnonzero((row == row[yields].min()) & yields) for row in distance]
            for yields in (~self.outputs, self.outputs)
        ]
        count = np.array([[len(codes) for codes in per_value] for per_value in lists])
        table = np.zeros((2, size, count.max()), dtype=np.int64)
        for value in range(2):
            for perceived, nearest in enumerate(lists[value]):
                table[value, perceived, : len(nearest)] = nearest
        return read_only(table), read_only(count)

    def settled(self, values: dict[int, BoolArray]) -> BoolArray:
        """Where the children answered so far already decide the output, whatever the others are.

        values: answers (n,) by child index; returns (n,).
        """
        known = sorted(values)
        code = sum(
            (values[child].astype(np.int64) << i for i, child in enumerate(known)),
            np.zeros(1, np.int64),
        )
        decided = np.empty(2 ** len(known), dtype=np.bool_)
        for part in range(len(decided)):
            agrees = np.ones(len(self.table), dtype=np.bool_)
            for i, child in enumerate(known):
                agrees &= self.bits[:, child] == bool(part >> i & 1)
            decided[part] = self.outputs[agrees].all() or not self.outputs[agrees].any()
        return np.asarray(decided[code])

    def output(self, values: BoolArray) -> BoolArray:
        """The gate on children's values of shape (k, ...)."""
        weights = (1 << np.arange(self.children)).reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(self.outputs[(values * weights).sum(axis=0)])


@lru_cache(maxsize=256)
def named(name: str, children: int) -> Gate:
    """A gate by its name: and, or, xor (parity), majority (a tie is false), repeat (majority of one
    question)."""
    ones = np.array([code.bit_count() for code in range(2**children)])
    tables = {
        "and": ones == children,
        "or": ones > 0,
        "xor": ones % 2 == 1,
        "majority": 2 * ones > children,
        "repeat": 2 * ones > children,
    }
    return Gate(tuple(int(v) for v in tables[name]), name == "repeat", name)


def parse(text: object, children: int) -> Gate:
    """A gate from its name or truth table ("0110", or a list of 0 and 1).

    Raises ValueError that says what is wrong: an unknown name, a table that does not fit the number
    of children, a constant table, too many children.
    """
    if not 1 <= children <= MOST_CHILDREN:
        raise ValueError(f"{children} children; a gate has between 1 and {MOST_CHILDREN}")
    if isinstance(text, str) and text in NAMES:
        return named(text, children)
    bits = list(text) if isinstance(text, str | list | tuple) else None
    if not bits or any(bit not in (0, 1, "0", "1") for bit in bits):
        raise ValueError(
            f"{text!r} is no gate; expected {', '.join(NAMES)} or a truth table like '0111'"
        )
    if len(bits) != 2**children:
        raise ValueError(
            f"a truth table of {len(bits)} entries does not fit {children} children; expected "
            f"{2**children} entries"
        )
    table = tuple(int(bit) for bit in bits)
    if len(set(table)) == 1:
        raise ValueError(
            "a constant truth table asks nothing of its children; expected both 0 and 1 in it"
        )
    return Gate(table, False, "".join(map(str, table)))
