"""Item 13: the structured share recovers planted shares."""

from __future__ import annotations

import numpy as np
import pytest

from oversight import Human, Mechanism
from oversight.metrics.labels import share_sums
from oversight.metrics.pgr import Ratio, structured_share
from oversight.students.probe import fit_probes
from tests.helpers import Flipped, pool, setting, tree, world

RUNS, ITEMS = 12, 4000
SMALL = world(train_items=ITEMS, tree=tree())


def measured(answers: list[np.ndarray], pools: list) -> Ratio:  # type: ignore[type-arg]
    sums = [share_sums(a, p.margin(p.roots), p.x) for a, p in zip(answers, pools, strict=True)]
    beta, square = np.array(sums).T
    right = [float(np.mean(a == p.intended)) for a, p in zip(answers, pools, strict=True)]
    positive = [float(a.mean()) for a in answers]
    return structured_share(beta, square, np.array(right), np.array(positive), ITEMS)


def labels_of(overseer: Human | Mechanism, root: float = 0.7) -> Ratio:
    pools = [pool(SMALL, replicate=i) for i in range(RUNS)]
    made = [overseer.prepare(p, setting(root=root)).assess(p.roots).answer for p in pools]
    return measured(made, pools)


@pytest.mark.parametrize("structure", [0.0, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("accuracy", [0.6, 0.7, 0.85])
def test_planted_shares_are_recovered(structure: float, accuracy: float) -> None:
    found = labels_of(Human(structure=structure), root=accuracy)
    error = (found.high - found.low) / 2 / 2.2  # t of 11 degrees of freedom
    assert found.value == pytest.approx(structure, abs=4.5 * error)
    assert error < 0.15


def test_independent_flips_have_no_structure() -> None:
    found = labels_of(Flipped(share=0.3))
    assert found.value == pytest.approx(0, abs=4.5 * (found.high - found.low) / 4.4)


def test_a_probes_labels_are_all_structure() -> None:
    pools, answers = [pool(SMALL, replicate=i) for i in range(RUNS)], []
    for p in pools:
        # Taught by other items' labels, for its own noise would be in what it learned.
        other = p.world.pool(1, p._replicate, "test")
        taught = Human().prepare(other, setting()).assess(other.roots).belief
        w, b = fit_probes(other.x, taught[:, None])
        answers.append(p.x @ w[:, 0] + b[0] > 0)
    found = measured(answers, pools)
    assert found.value == pytest.approx(1, abs=4.5 * (found.high - found.low) / 4.4)


def test_undefined_and_flagged() -> None:
    chance = labels_of(Flipped(share=0.5))
    assert chance.status.startswith("undefined: labels are right with chance")
    perfect = labels_of(Flipped(share=1e-6))
    assert perfect.status.startswith("undefined")
    pools = [pool(SMALL, replicate=i) for i in range(RUNS)]
    lopsided = measured([p.margin(p.roots) > 0.3 for p in pools], pools)
    assert lopsided.status.startswith("flagged")
    assert np.isfinite(lopsided.value)
    nothing = structured_share(np.array([]), np.array([]), np.array([]), np.array([]), 0)
    assert nothing.status == "undefined: nothing was labeled"
