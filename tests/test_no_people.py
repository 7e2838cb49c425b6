"""A world without people, as a table of recorded labels: nobody is unaided there, and the scenario
says whose labels are weak."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import ValidationError

import oversight
from oversight import (
    BoolArray,
    Claims,
    Draws,
    Evidence,
    FloatArray,
    Mechanism,
    Pool,
    Study,
    Verdicts,
    World,
    read_only,
)
from oversight.core.messages import message_of
from oversight.reports.comparison import document
from oversight.testing import WorldContract

RIGHT = {"crowd": 0.7, "experts": 0.85}


class Recorded(World):
    """Items with labels that were given by somebody who is not simulated."""

    has: ClassVar[frozenset[str]] = frozenset()

    kind: str = "recorded"

    @property
    def width(self) -> int:
        return 4

    def items(self, part: Any) -> int:
        return 2000

    def pool(self, seed: int, replicate: int, part: Any) -> Pool:
        return RecordedPool(Draws(seed, ("replicate", replicate, part), self.items(part)))


class RecordedPool(Pool):
    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    @property
    def draws(self) -> Draws:
        return self._draws

    @cached_property
    def x(self) -> FloatArray:
        return read_only(self.draws.generator("world", "x").standard_normal((self.draws.items, 4)))

    @cached_property
    def gold(self) -> BoolArray:
        return read_only(self.x[:, 0] > 0)

    def truth(self, claims: Claims) -> BoolArray:
        return self.gold[np.broadcast_to(claims.item, claims.shape)]

    def features(self, claims: Claims) -> FloatArray:
        return self.x[np.broadcast_to(claims.item, claims.shape)]

    def label(self, column: str) -> BoolArray:
        """What somebody answered to each item, (items,)."""
        wrong = self.draws.generator("world", column).random(self.draws.items) > RIGHT[column]
        return self.gold ^ wrong


class Column(Mechanism):
    """The labels of a column."""

    name = "column"
    column: str

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        answers = self.pool.label(self.column)[claims.item]  # type: ignore[attr-defined]
        return Verdicts.of(np.where(answers, 1.0, -1.0))


def study(**changes: Any) -> Study:
    columns = {name: Column(column=name) for name in RIGHT}
    plain = {"world": Recorded(), "protocols": columns, "replicates": 3, "baseline": "crowd"}
    return Study(**{**plain, **changes})


class TestRecorded(WorldContract):
    def world(self) -> World:
        return Recorded()


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        study(**changes)
    (line,) = error.value.errors()
    return f"{'.'.join(map(str, line['loc']))}: {message_of(line)}"


def test_whose_labels_are_weak_must_be_said() -> None:
    missing = refusal(baseline=None)
    assert missing.startswith("baseline: missing; this world has no people")
    assert "one of 'crowd', 'experts'" in missing
    assert refusal(baseline="unaided").startswith("baseline: 'unaided' is no protocol here")
    assert "needs people" in refusal(protocols={**study().protocols, "mine": "direct"})
    people = {"world": oversight.Study(protocols={"a": "direct"}).world}
    changed = {"protocols": {"a": "debate"}, **people}
    with pytest.raises(ValidationError, match="no people, and so no unaided overseer"):
        Study.model_validate(changed).changed(world=Recorded(), protocols=study().protocols)


def test_nobody_is_added_and_pgr_follows_from_the_named_baseline(tmp_path: Path) -> None:
    results = oversight.compare(study(), out=tmp_path)
    assert results.failed == []
    assert results.protocols == ["crowd", "experts"]
    weak = results.column("crowd", "label_accuracy")
    assert weak == pytest.approx(0.7, abs=4.5 * np.sqrt(0.7 * 0.3 / 2000))
    assert np.array_equal(results.column("experts", "weak_accuracy"), weak)
    rows = {row["protocol"]: row for row in results.summary()}
    assert rows["crowd"]["oversight_gain"] == 0
    gap = (results.column("crowd", "ceiling_accuracy") - weak).mean()
    gain = (results.column("experts", "student_accuracy") - weak).mean()
    assert rows["experts"]["pgr"] == pytest.approx(gain / gap)
    assert "unaided" not in document(results).markdown()
    assert (tmp_path / "transcripts" / "experts.txt").exists()


def test_failures_and_sweeps_run_there_too() -> None:
    flips = study(failures={"flips": {"kind": "random_flips", "severity": [0.5, 1.0]}})
    stressed = oversight.stress(flips, tolerance=0.1)
    assert stressed.results.failed == []
    (broken,) = (
        one
        for one in stressed.breaks()
        if (one.protocol, one.measure) == ("experts", "label accuracy")
    )
    # Flips of a share q leave .85 (1 - q) + .15 q right: .7, as the crowd is, at .214.
    assert broken.knob == pytest.approx(0.214, abs=0.05)
    swept = oversight.sweep(study(sweep={"student.l2": [0.1, 10.0]}))
    assert swept.failed == []
    assert {row["protocol"] for row in swept.summary()} == {"crowd", "experts"}
