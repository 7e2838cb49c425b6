"""The contract of students. Inherit it in a test of your own:

from oversight.testing import StudentContract

class TestMine(StudentContract):
    def student(self):
        return Mine()
"""

from __future__ import annotations

import pickle
from typing import NamedTuple

import numpy as np
import pytest
from pydantic import ValidationError

from oversight.core.claims import FloatArray
from oversight.students.base import Student
from oversight.testing.kit import elsewhere, ordinary, small_pool, twice_with_other_global_state
from oversight.worlds.concept import ConceptWorld

COLUMNS = 5


class Lesson(NamedTuple):
    """What a student is taught: items (items, features) and targets (items, columns) in [0, 1]."""

    x: FloatArray
    targets: FloatArray


def lesson(hard: bool = False) -> Lesson:
    """400 items of six features, each column's answers the side of a direction of its own."""
    generator = np.random.default_rng(7)
    x = generator.standard_normal((400, 6))
    odds = 3 * x @ generator.standard_normal((6, COLUMNS))
    return Lesson(x, (odds > 0).astype(np.float64) if hard else 1 / (1 + np.exp(-odds)))


def taught(student: Student, x: FloatArray, targets: FloatArray) -> FloatArray:
    """The log-odds of every column's student on the items that it learned from."""
    fitted = student.fit(x, targets)
    return np.stack([fitted.log_odds(i, x) for i in range(targets.shape[1])], axis=1)


class StudentContract:
    """What holds for every student, however it learns."""

    def student(self) -> Student:
        """The student to test."""
        raise TypeError("give the student to test: def student(self): return Mine()")

    def test_it_is_introduced(self) -> None:
        """It has a kind and a docstring."""
        assert self.student().kind, "`kind` is the name that a scenario writes"
        assert type(self.student()).__doc__, "`oversight list students` shows the first sentence"

    def test_every_key_has_a_default(self) -> None:
        """`student: {kind: NAME}` is enough, and a key that does not exist is refused."""
        kind = type(self.student())
        assert kind().kind == kind.model_validate({"kind": kind().kind}).kind == self.student().kind
        assert kind().problem(6) is None
        with pytest.raises(ValidationError, match="unknown key"):
            kind.model_validate({"no such key": 1})

    def test_shapes_and_types(self) -> None:
        """Log-odds are finite, one an item; targets are in [0, 1]; views keep the items."""
        student, (x, targets) = self.student(), lesson()
        learned = student.fit(x, targets).log_odds(0, x[:7])
        assert learned.shape == (7,)
        assert learned.dtype == np.float64
        assert np.isfinite(learned).all()
        given = student.targets(targets[:, 0], targets[:, 0] > 0.5)
        assert given.shape == (len(x),)
        assert ((given >= 0) & (given <= 1)).all()
        views = student.views(1, 0, x, x[:9])
        assert [len(view) for view in views] == [len(x), 9]
        assert np.array_equal(views[0][:9], views[1]), "both pools are seen the same way"
        pool = small_pool()
        answers = student.respond(np.zeros(pool.draws.items), pool, ordinary())
        assert answers.shape == (pool.draws.items,)

    def test_columns_do_not_depend_on_each_other(self) -> None:
        """Fitted alone or beside others, a column gives the same numbers, bit for bit."""
        x, targets = lesson()
        together = taught(self.student(), x, targets)
        for i in range(COLUMNS):
            alone = taught(self.student(), x, targets[:, i : i + 1])
            assert np.array_equal(alone[:, 0], together[:, i]), f"column {i} differs"
        few = taught(self.student(), x, targets[:, 1:3])
        assert np.array_equal(few, together[:, 1:3])

    def test_an_item_without_weight_teaches_nothing(self) -> None:
        """Labels of weight 0 may be anything, bit for bit; weights of 1 are no weights."""
        student, (x, targets) = self.student(), lesson()
        weights = np.ones_like(targets)
        weights[::3] = 0
        other = np.where(weights > 0, targets, 1 - targets)
        one, two = student.fit(x, targets, weights), student.fit(x, other, weights)
        assert np.array_equal(one.log_odds(0, x), two.log_odds(0, x))
        whole = student.fit(x, targets)
        assert not np.array_equal(one.log_odds(0, x), whole.log_odds(0, x)), "weights count"
        ones = student.fit(x, targets, np.ones_like(targets))
        assert np.allclose(ones.log_odds(0, x), whole.log_odds(0, x), atol=1e-4)

    def test_separable_labels_are_learned(self) -> None:
        """Hard labels that a direction separates are answered right, nearly all."""
        x, targets = lesson(hard=True)
        answers = taught(self.student(), x, targets) > 0
        assert np.mean(answers == (targets > 0.5)) > 0.95

    def test_gold_lifts_it_above_chance(self) -> None:
        """Taught with gold on items of the concept world, it is right on new ones."""
        world = ConceptWorld(train_items=500, test_items=500, features=6)
        train, test = world.pool(5, 0, "train"), world.pool(5, 0, "test")
        student = self.student()
        x, new = student.views(5, 0, train.x, test.x)
        fitted = student.fit(x, train.gold[:, None].astype(np.float64))
        answers = student.respond(fitted.log_odds(0, new), test, ordinary()) > 0
        assert np.mean(answers == test.gold) > 0.6

    def test_taught_again_it_is_the_same(self) -> None:
        """The same lesson gives the same numbers, whatever the global random state."""
        x, targets = lesson()
        one, two = twice_with_other_global_state(lambda: taught(self.student(), x, targets))
        assert np.array_equal(one, two)
        view, again = (self.student().views(3, 1, x)[0] for _ in range(2))
        assert np.array_equal(view, again)

    def test_pickles(self) -> None:
        """Student and fitted student reach workers by pickle."""
        x, targets = lesson()
        copy: Student = pickle.loads(pickle.dumps(self.student()))
        assert np.array_equal(taught(self.student(), x, targets), taught(copy, x, targets))
        fitted = self.student().fit(x, targets)
        again = pickle.loads(pickle.dumps(fitted))
        assert np.array_equal(fitted.log_odds(0, x), again.log_odds(0, x))

    def test_another_process_changes_nothing(self) -> None:
        """A fresh process gives the same numbers."""
        x, targets = lesson()
        there = elsewhere(taught, self.student(), x, targets)
        assert np.array_equal(taught(self.student(), x, targets), there)
