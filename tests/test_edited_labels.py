"""`edited_labels`: labels that are chosen against the student (MODEL 10)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import expit, ndtri

from oversight import Failure, Injection, Overseer, Setting, Study
from oversight.components.profiles import ModelSettings, PeopleSettings
from oversight.core.plugins import plugins
from oversight.failures.base import Slice
from oversight.metrics import closed_forms as theory
from oversight.running.replicate import COLUMNS, run_replicate
from oversight.students.probe import fit_probes
from oversight.studies.cases import Case, cases_of
from oversight.worlds.base import MARGINS
from oversight.worlds.concept import ConceptWorld
from tests.helpers import Flipped, Gold, binomial_error, pool, tree, world

ITEMS, FEATURES, RUNS = 16_000, 16, 8
SETTING = Setting(PeopleSettings(), ModelSettings())


def edited(share: float, **knobs: Any) -> Failure:
    made: Failure = plugins("failures").get("edited_labels")(most=share, **knobs)
    return made


def labels(protocol: Overseer, items: Any, *failures: Failure, severity: float = 1.0) -> Any:
    struck, _ = Injection(together=failures).into(protocol, None, severity)
    return struck.prepare(items, SETTING).assess(items.roots)


def items_of(run: int = 0, items: int = ITEMS) -> Any:
    small = world(train_items=items, features=FEATURES, tree=tree(), test_items=10)
    return pool(small, seed=9, replicate=run)


def test_exactly_so_many_become_what_the_misconception_says() -> None:
    items, share = items_of(), 0.3
    healthy = Flipped().prepare(items, SETTING).assess(items.roots)
    b = items.misconception(items.roots)
    for severity in (0.0, 0.1237, 1.0):
        count = round(severity * share * ITEMS)
        farthest = np.argsort(-np.abs(b), kind="stable")[:count]
        wanted = healthy.answer.copy()
        wanted[farthest] = b[farthest] > 0
        given = labels(Flipped(), items, edited(share), severity=severity)
        assert np.array_equal(given.answer, wanted)
        assert np.array_equal(np.abs(given.evidence), np.abs(healthy.evidence))


def test_a_slice_of_items_takes_its_part() -> None:
    items = items_of()
    half = edited(0.2, items=Slice(first=ITEMS // 2))
    whole, part = labels(Gold(), items, edited(0.2)).answer, labels(Gold(), items, half).answer
    assert np.array_equal(part[: ITEMS // 2], items.gold[: ITEMS // 2])
    assert np.array_equal(part[ITEMS // 2 :], whole[ITEMS // 2 :])


GRID = np.linspace(-6, 6, 601)
M, B = np.meshgrid(GRID, GRID, indexing="ij")
DENSITY = np.exp(-(M**2 + B**2) / 2)
DENSITY /= DENSITY.sum()


def outside(yes: np.ndarray) -> float:
    """Squared length that one direction without signal adds to a logistic probe, relative to the
    signal's, for many items (White 1982); `yes` is P(label) on the grid of m and b.

    E[(y - p)^2] / (n E[p (1 - p)]^2 |w|^2), p = sigmoid(w . (m, b))
    """

    def score(w: np.ndarray) -> list[float]:
        apart = DENSITY * (yes - expit(w[0] * M + w[1] * B))
        return [float((apart * M).sum()), float((apart * B).sum())]

    w = root(score, [1.0, 0.5], tol=1e-12).x
    p = expit(w[0] * M + w[1] * B)
    wrong = float((DENSITY * (yes * (1 - p) ** 2 + (1 - yes) * p**2)).sum())
    steep = float((DENSITY * p * (1 - p)).sum())
    return wrong / (ITEMS * steep**2 * float(w @ w))


def angles(protocol: Overseer, *failures: Failure) -> tuple[float, float]:
    """Mean and standard error, over replicates, of the angle between student and concept."""
    found = []
    for run in range(RUNS):
        items = items_of(run)
        given = labels(protocol, items, *failures).answer
        w, _ = fit_probes(items.x, given[:, None].astype(float))
        concept, _ = items.directions(0)
        found.append(np.arccos(w[:, 0] @ concept / np.linalg.norm(w[:, 0])))
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(RUNS))


GRID = np.linspace(-6, 6, 1601)
M, B = np.meshgrid(GRID, GRID, indexing="ij")
DENSITY = np.exp(-(M**2 + B**2) / 2)
DENSITY /= DENSITY.sum()


def finite(limit: float, yes: np.ndarray, directions: int) -> float:
    """The angle with what so many items add in these many directions at right angles."""
    return float(np.arccos(np.cos(limit) / np.sqrt(1 + directions * outside(yes))))


@pytest.mark.parametrize(
    ("wrong", "right"), [(0.01, 0.978), (0.025, 0.951), (0.05, 0.911), (0.10, 0.840)]
)
def test_what_the_student_makes_of_edited_labels(wrong: float, right: float) -> None:
    """tan(theta) = sqrt(2 pi) phi(q) / (1 - f), f twice the share that is wrong; as many flips at
    random cost nothing but what few items cost."""
    limit = theory.edited_student_angle(2 * wrong)
    assert 1 - limit / np.pi == pytest.approx(right, abs=0.0005)
    chosen, random = edited(2 * wrong), plugins("failures").get("random_flips")(most=wrong)
    for failure in (chosen, random):
        share = float(np.mean(labels(Gold(), items_of(), failure).answer != items_of().gold))
        assert share == pytest.approx(wrong, abs=4 * binomial_error(wrong, ITEMS))
    q = ndtri(1 - wrong)
    yes = np.where(np.abs(B) > q, B > 0, M > 0).astype(float)
    expected = finite(limit, yes, FEATURES - 2)
    angle, error = angles(Gold(), chosen)
    assert angle == pytest.approx(expected, abs=4.5 * error)
    assert 4.5 * error < 0.1 * limit
    expected = finite(0.0, np.where(M > 0, 1 - wrong, wrong), FEATURES - 1)
    angle, error = angles(Gold(), random)
    # The mean length of so many independent errors is below the root of its mean square.
    assert angle == pytest.approx(expected * (1 - 0.25 / (FEATURES - 1)), abs=4.5 * error)
    assert angle < limit / 3


def test_the_study_finds_the_same_student() -> None:
    """Through the command's own way: labels, student, test items."""
    study = Study(
        world=world(train_items=ITEMS, test_items=ITEMS, features=FEATURES),
        protocols={"gold": Gold()},
        failures={"it": edited(0.2)},
    )
    cases = [Case("gold"), Case("gold", "it", 1.0)]
    runs = [run_replicate(study, number, cases).rows for number in range(4)]
    column = COLUMNS.index("student_accuracy")
    found = np.array([run[cases[1]][column] for run in runs])
    error = found.std(ddof=1) / 2
    yes = np.where(np.abs(B) > ndtri(0.9), B > 0, M > 0).astype(float)
    expected = finite(theory.edited_student_angle(0.2), yes, FEATURES - 2)
    assert found.mean() == pytest.approx(1 - expected / np.pi, abs=6 * error)


@pytest.mark.parametrize(("audited", "share"), [(0.02, 0.1), (0.1, 0.2)])
def test_a_random_audit_seldom_sees_it(audited: float, share: float) -> None:
    """Unseen in N items with chance (1 - a f/2)^N: none of the wrong ones is looked at again."""
    batch, batches = 50, 4000
    small = world(train_items=batch * batches, features=2, tree=tree(), test_items=10)
    items = pool(small, seed=3)
    wrong = labels(Gold(), items, edited(share)).answer != items.gold
    looks = np.random.default_rng(5).random(wrong.size) < audited
    unseen = ~(wrong & looks).reshape(batches, batch).any(axis=1)
    chance = (1 - audited * share / 2) ** batch
    assert unseen.mean() == pytest.approx(chance, abs=4 * binomial_error(chance, batches))


def test_where_there_are_no_margins_it_does_not_apply() -> None:
    class Bare(ConceptWorld):
        """Items whose misconception nobody knows."""

        has: ClassVar[frozenset[str]] = ConceptWorld.has - {MARGINS}

    injected = Injection(together=(edited(0.5),))
    words = "needs margins, and the world concept has none"
    assert injected.refusal(Gold(), Bare()) == words
    assert injected.refusal(Gold(), ConceptWorld()) == ""
    cells = {"gold": Gold()}
    assert cases_of(cells, {"it": injected}, Bare()) == [Case("gold")]
    assert len(cases_of(cells, {"it": injected}, ConceptWorld())) == 5
