"""How answers about parts become an answer about the whole question (MODEL 5, decomposition)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import expit

from oversight.components.component import Component
from oversight.core.claims import BoolArray, FloatArray
from oversight.core.config import Share
from oversight.core.streams import Chance
from oversight.worlds.gates import Gate
from oversight.worlds.tree import TaskTree

STRONGEST = 60.0
"""Evidence from below is clipped to this many nats, so that products of ten likelihoods stay
finite."""


@dataclass(frozen=True)
class Checked:
    """The checker's evidence at the frontier under a node.

    evidence     by frontier node, over items
    reliability  the chance that the checker's answer is right, by frontier node; empty where no
                 aggregator needs it
    wrong        where a gate's output comes out wrong and nobody knows, by inner node, over items
    """

    tree: TaskTree
    node: int
    height: int
    evidence: Mapping[int, FloatArray]
    reliability: Mapping[int, float]
    wrong: Mapping[int, BoolArray] = field(default_factory=dict)

    @property
    def frontier(self) -> list[int]:
        """The nodes that the checker judged."""
        return self.tree.frontier(self.node, self.height)

    def gates(self) -> Iterator[tuple[int, Gate, list[int]]]:
        """The inner nodes from the frontier up: number, gate, children."""
        for inner in self.tree.inner(self.node, self.height):
            gate = self.tree.gate[inner]
            assert gate is not None
            yield inner, gate, list(self.tree.children[inner])


class Aggregator(Component):
    """Combines evidence at the nodes of a frontier into evidence about one node above it. The
    frontier is the set of nodes that the checker judges."""

    can_play: ClassVar[tuple[str, ...]] = ("aggregator",)

    noise: Share = 0.0

    def combine(self, checked: Checked, chance: Chance) -> FloatArray:
        """Evidence about the node, in log-odds over items; `chance` draws for the same items."""
        raise TypeError(f"{type(self).__name__} defines no combine(...)")

    def needed(self, checked: Checked, chance: Chance) -> BoolArray:
        """Which frontier claims somebody must check, bool of shape (frontier, items); by default
        all."""
        size = next(iter(checked.evidence.values())).size
        return np.ones((len(checked.frontier), size), dtype=np.bool_)

    def flips(self, checked: Checked, chance: Chance, node: int) -> BoolArray | bool:
        """Where the gate's output comes out wrong: by the noise that is reckoned with, or
        otherwise."""
        wrong = checked.wrong.get(node, False)
        return wrong ^ (chance.uniform("aggregator", node) < self.noise) if self.noise else wrong


class Soft(Aggregator):
    """Sum-product on the tree: the exact posterior log-odds if errors are calibrated and
    independent."""

    name: ClassVar[str] = "soft"

    def combine(self, checked: Checked, chance: Chance) -> FloatArray:
        evidence = dict(checked.evidence)
        for inner, gate, below in checked.gates():
            out = through(gate, checked.tree.priors[below], [evidence[child] for child in below])
            out = np.where(self.flips(checked, chance, inner), -out, out)
            evidence[inner] = _noisy(out, self.noise) if self.noise > 0 else out
        return evidence[checked.node]


def through(gate: Gate, priors: FloatArray, evidence: list[FloatArray]) -> FloatArray:
    """Evidence that a gate's output is true, from evidence about its children: one step of sum-
    product.

    log P(evidence | true) - log P(evidence | false), summing over the children's values with their
    priors given the gate's output. For `repeat` the likelihood ratios multiply.
    """
    clipped = [np.clip(e, -STRONGEST, STRONGEST) for e in evidence]
    if gate.repeat:
        return np.asarray(np.sum(clipped, axis=0))
    joint = np.ones((1, *clipped[0].shape))
    for prior, child in zip(priors, clipped, strict=True):
        joint = np.concatenate(
            [joint * ((1 - prior) * expit(-child)), joint * (prior * expit(child))]
        )
    chance_true = gate.prior(priors)
    true, false = joint[gate.outputs].sum(axis=0), joint[~gate.outputs].sum(axis=0)
    return np.asarray(np.log(true) - np.log(false) - np.log(chance_true) + np.log1p(-chance_true))


def _noisy(evidence: FloatArray, noise: float) -> FloatArray:
    """Evidence after a channel that flips with chance `noise`."""
    right = expit(np.clip(evidence, -STRONGEST, STRONGEST))
    kept = (1 - 2 * noise) * right + noise
    lost = (1 - 2 * noise) * expit(-np.clip(evidence, -STRONGEST, STRONGEST)) + noise
    return np.asarray(np.log(kept) - np.log(lost))


class Hard(Aggregator):
    """Gates on answers. Its belief is the exact accuracy of the computed answer, by dynamic
    programming."""

    name: ClassVar[str] = "hard"

    def combine(self, checked: Checked, chance: Chance) -> FloatArray:
        answer = self._answers(checked, chance)[checked.node]
        when_true, when_false = computed_true(
            checked.tree, checked.node, checked.height, checked.reliability, self.noise
        )
        with np.errstate(divide="ignore"):  # a certain answer is as strong as evidence gets
            yes = np.log(when_true) - np.log(when_false)
            no = np.log1p(-when_true) - np.log1p(-when_false)
        return np.asarray(np.clip(np.where(answer, yes, no), -STRONGEST, STRONGEST))

    def _answers(self, checked: Checked, chance: Chance) -> dict[int, BoolArray]:
        """Answers by node, from the frontier up."""
        answers = {child: evidence > 0 for child, evidence in checked.evidence.items()}
        for inner, gate, below in checked.gates():
            out = gate.output(np.stack([answers[child] for child in below]))
            answers[inner] = out ^ self.flips(checked, chance, inner)
        return answers

    def needed(self, checked: Checked, chance: Chance) -> BoolArray:
        """Which frontier claims must be checked, left to right, until each gate is decided; shape
        (frontier, items)."""
        answers = self._answers(checked, chance)
        open_ = {checked.node: np.ones(answers[checked.node].shape, dtype=np.bool_)}
        for inner, gate, children in reversed(list(checked.gates())):
            below: dict[int, BoolArray] = {}
            for index, child in enumerate(children):
                open_[child] = open_[inner] & ~gate.settled(below) if below else open_[inner]
                below[index] = answers[child]
        return np.stack([open_[leaf] for leaf in checked.frontier])


def computed_true(
    tree: TaskTree, node: int, height: int, reliability: Mapping[int, float], noise: float = 0.0
) -> tuple[float, float]:
    """P(the hard answer about `node` is "true" | the node is true), and the same given that the
    node is false.

    Dynamic programming over P(computed | true), for any gates and irregular trees. Errors at the
    frontier are independent: an answer is right with chance `reliability`. The output of each gate
    is flipped with chance `noise`.
    """
    computed: dict[int, tuple[float, float]] = {
        leaf: (reliability[leaf], 1 - reliability[leaf]) for leaf in tree.frontier(node, height)
    }
    for inner in tree.inner(node, height):
        gate, below = tree.gate[inner], list(tree.children[inner])
        assert gate is not None
        # P(output | the children's true code): the table, averaged over what is computed for one
        # child at a time.
        output = gate.outputs.astype(np.float64).reshape([2] * gate.children, order="F")
        for axis, child in enumerate(below):
            true, false = computed.pop(child)
            channel = np.array([[1 - false, false], [1 - true, true]])
            output = np.moveaxis(np.tensordot(channel, output, axes=(1, axis)), 0, axis)
        flat = output.reshape(-1, order="F")
        given = (gate.given(value, tree.priors[below]) for value in (True, False))
        # Sums of chances may end a rounding error above 1.
        yes, no = (min(float(chances @ flat), 1.0) for chances in given)
        computed[inner] = (noise + (1 - 2 * noise) * yes, noise + (1 - 2 * noise) * no)
    return computed[node]
