"""How far items differ in how hard they are: exact laws at every `difficulty` (MODEL 3)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from mechanisms.direct import Direct
from oversight import ByHeight, Human, Minutes, Model, ModelSettings, PeopleSettings, Setting
from oversight.metrics import closed_forms as theory
from oversight.overseers.drift import Drift, signal_to_noise
from oversight.students.probe import fit_probes
from tests.helpers import binomial_error, pool, tree, world

LEVELS = (0.0, 0.3, 0.7, 1.0)
ITEMS = 200_000


def people(difficulty: float, accuracy: float = 0.7, **more: float) -> Setting:
    return Setting(
        PeopleSettings(
            accuracy=ByHeight(root=accuracy, leaf=0.9),
            difficulty=difficulty,
            minutes=Minutes(),
            **more,
        ),
        ModelSettings(accuracy=ByHeight(root=0.9, leaf=0.98), difficulty=difficulty),
    )


@pytest.mark.parametrize("difficulty", LEVELS)
@pytest.mark.parametrize("structure", [0.0, 0.5, 1.0])
def test_accuracy_holds_at_every_height_and_difficulty(difficulty: float, structure: float) -> None:
    items = pool(world(train_items=ITEMS, features=4, tree=tree("or", branching=2)))
    who = people(difficulty, structure=structure)
    for overseer, right in ((Human(), (0.7, 0.9)), (Model(), (0.9, 0.98))):
        ready = overseer.prepare(items, who)
        for node, wanted in zip((0, 1), right, strict=True):
            claims = items.claims(node)
            share = float(np.mean(ready.assess(claims).answer == items.truth(claims)))
            assert share == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, ITEMS))
            assert ready.reliability(node) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("difficulty", LEVELS)
def test_evidence_is_the_log_likelihood_ratio(difficulty: float) -> None:
    drift = Drift.of(np.array([0.7, 0.93]), difficulty)
    for node in (0, 1):
        own = drift.at(node)
        for z in (-2.0, -0.3, 0.0, 0.8, 2.5):

            def density(sign: float, z: float = z, own: Drift = own) -> float:
                return quad(
                    lambda m: 2 * norm.pdf(m) * norm.pdf(z - float(own.mean(np.array(sign * m)))),
                    0,
                    12,
                    epsabs=1e-13,
                )[0]

            wanted = np.log(density(1.0)) - np.log(density(-1.0))
            assert float(own.evidence(np.array(z))) == pytest.approx(wanted, abs=1e-8)


def test_at_full_difficulty_the_drift_is_linear() -> None:
    r = np.cos(np.pi * 0.3)
    assert signal_to_noise(0.7, 1.0) == pytest.approx(r / np.sqrt(1 - r**2), abs=1e-12)
    drift, z = Drift.of(np.array(0.7), 1.0), np.linspace(-3, 3, 13)
    assert drift.evidence(z) == pytest.approx(log_ndtr(r * z) - log_ndtr(-r * z), abs=1e-12)
    assert float(drift.accuracy) == pytest.approx(0.7, abs=1e-10)


@pytest.mark.parametrize(
    ("accuracy", "structure", "difficulty", "published"),
    [
        (0.7, 0.5, 0.0, 0.683),
        (0.7, 0.5, 1.0, 0.754),
        (0.8, 0.5, 0.0, 0.780),
        (0.8, 0.5, 1.0, 0.849),
    ],
)
def test_the_student_follows_its_law(
    accuracy: float, structure: float, difficulty: float, published: float
) -> None:
    law = float(theory.student_angle_at(accuracy, structure, difficulty))
    assert 1 - law / np.pi == pytest.approx(published, abs=6e-4)
    angles = []
    for run in range(8):
        items = pool(world(train_items=40_000, features=4, tree=tree()), replicate=run)
        ready = Direct().prepare(items, people(difficulty, accuracy, structure=structure))
        answer = ready.assess(items.roots).answer
        w, _ = fit_probes(items.x, answer[:, None].astype(float))
        concept, _ = items.directions(0)
        angles.append(np.arccos(w[:, 0] @ concept / np.linalg.norm(w[:, 0])))
    error = np.std(angles, ddof=1) / np.sqrt(len(angles))
    shrinking = theory.finite_student_angle(accuracy, structure, 40_000, 4) - float(
        theory.student_angle(accuracy, structure)
    )
    assert np.mean(angles) == pytest.approx(law, abs=4.5 * error + abs(shrinking))


def test_equal_people_agree_less_where_items_are_alike() -> None:
    items = pool(world(train_items=ITEMS, features=2, tree=tree()))
    r = np.cos(np.pi * 0.3)
    least = 1 - np.arccos(r**2) / np.pi
    shares = []
    for difficulty in (1.0, 0.0):
        who = people(difficulty, structure=0.0)
        one, two = (Human(person=i).prepare(items, who).assess(items.roots).answer for i in (0, 1))
        shares.append(float(np.mean(one == two)))
    assert shares[0] == pytest.approx(least, abs=4.5 * binomial_error(least, ITEMS))
    alike = 0.7**2 + 0.3**2
    assert shares[1] == pytest.approx(alike, abs=4.5 * binomial_error(alike, ITEMS))


@pytest.mark.parametrize("difficulty", [0.0, 0.5])
def test_effort_scales_signal_to_noise(difficulty: float) -> None:
    items = pool(world(train_items=ITEMS, features=2, tree=tree()))
    who = people(difficulty)
    share = np.mean(Human(effort=0.5).prepare(items, who).assess(items.roots).answer == items.gold)
    rho = signal_to_noise(0.7, difficulty) * np.sqrt(0.5)
    wanted = quad(
        lambda m: (
            2 * norm.pdf(m) * ndtr(rho * ((1 - difficulty) * np.sqrt(2 / np.pi) + difficulty * m))
        ),
        0,
        12,
    )[0]
    assert share == pytest.approx(wanted, abs=4.5 * binomial_error(wanted, ITEMS))


@pytest.mark.parametrize("difficulty", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("accuracy", [0.6, 0.9])
def test_the_drift_by_integration(accuracy: float, difficulty: float) -> None:
    """E Phi(d(|m|)) is the accuracy and 1 + E d(m)^2 the variance of what is seen."""
    drift = Drift.of(np.array([accuracy]), difficulty)

    def mean(of) -> float:  # type: ignore[no-untyped-def]
        return 2 * quad(lambda m: float(of(drift.mean(np.array([m]))[0]) * norm.pdf(m)), 0, 9)[0]

    assert mean(ndtr) == pytest.approx(accuracy, abs=1e-9)
    assert drift.accuracy[0] == pytest.approx(accuracy, abs=1e-9)
    assert drift.sd[0] ** 2 == pytest.approx(1 + mean(np.square), rel=1e-9)
    if difficulty == 1:
        r = np.cos(np.pi * (1 - accuracy))
        assert signal_to_noise(accuracy, 1.0) == pytest.approx(r / np.sqrt(1 - r**2))
