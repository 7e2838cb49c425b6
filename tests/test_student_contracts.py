"""The shipped student under the contract, and students that break one rule each."""

from __future__ import annotations

import numpy as np
import pytest

from oversight import FloatArray, Student
from oversight.students.gradient import GradientStudent
from oversight.students.linear import FittedProbes, LinearStudent
from oversight.testing import StudentContract


class TestLinear(StudentContract):
    def student(self) -> Student:
        return LinearStudent()


class TestLinearFromHardLabels(StudentContract):
    def student(self) -> Student:
        return LinearStudent(labels="hard")


class TestNarrow(StudentContract):
    def student(self) -> Student:
        return LinearStudent(features=4)


class TestGradient(StudentContract):
    def student(self) -> Student:
        return GradientStudent(batch=16, rate=0.2)


class TestGradientWithoutAHiddenLayer(StudentContract):
    def student(self) -> Student:
        return GradientStudent(hidden=0, batch=None, rate=1.0)


class TestRandomFeatures(StudentContract):
    def student(self) -> Student:
        return GradientStudent(random_features=40, labels="hard", activation="tanh", rate=0.1)


class TestEnsembleThatStopsAndKeepsItsOpinion(StudentContract):
    def student(self) -> Student:
        return GradientStudent(
            hidden=8, batch=16, rate=0.2, members=2, stop="weak_labels", loss="confidence"
        )


class Broken(LinearStudent):
    """A base for students that break one rule each."""

    def fit(
        self, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
    ) -> FittedProbes:
        fitted = super().fit(x, targets, weights)
        return FittedProbes(self.spoil(fitted.weights), fitted.intercepts)

    def spoil(self, weights: FloatArray) -> FloatArray:
        return weights


class GlobalLuck(Broken):
    def spoil(self, weights: FloatArray) -> FloatArray:
        return weights + np.random.normal(size=weights.shape)  # noqa: NPY002 -- the fault


class LooksAround(Broken):
    def spoil(self, weights: FloatArray) -> FloatArray:
        return weights - weights.mean()


class Contrary(Broken):
    def spoil(self, weights: FloatArray) -> FloatArray:
        return -weights


class Careless(Broken):
    def fit(
        self, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
    ) -> FittedProbes:
        return super().fit(x, targets)


class NoDefault(Broken):
    needed: int


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (GlobalLuck, "taught_again_it_is_the_same"),
        (LooksAround, "columns_do_not_depend_on_each_other"),
        (Contrary, "separable_labels_are_learned"),
        (Contrary, "gold_lifts_it_above_chance"),
        (Careless, "an_item_without_weight_teaches_nothing"),
        (NoDefault, "every_key_has_a_default"),
    ],
)
def test_the_contract_catches(kind: type[Broken], check: str) -> None:
    class Contract(StudentContract):
        def student(self) -> Student:
            return kind(needed=1) if kind is NoDefault else kind()

    with pytest.raises((AssertionError, ValueError)):
        getattr(Contract(), f"test_{check}")()
