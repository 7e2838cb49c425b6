"""What a world declares, what a part of a protocol needs, and what is said where the two differ."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import ValidationError

from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from oversight import Model, Study, World
from oversight.components.overseer import Overseer
from oversight.core.claims import Claims, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.messages import message_of
from oversight.studies.checks import across_sections
from oversight.studies.sections import Scenario
from oversight.worlds.base import PEOPLE, TREE, Part


class Blank(World):
    """Items and nothing else: no tree, no people, no model, no margins."""

    kind: str = "blank"

    @property
    def width(self) -> int:
        return 3

    def items(self, part: Part) -> int:
        return 10


class Crowded(Blank):
    """People on lone questions."""

    has: ClassVar[frozenset[str]] = frozenset({PEOPLE, TREE})


class Guess(Overseer):
    """Needs nothing of a world."""

    name: ClassVar[str] = "guess"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        raise NotImplementedError


def problems(world: World, **protocols: Overseer) -> dict[str, str]:
    """What a study of these says, by where."""
    with pytest.raises(ValidationError) as error:
        Study(world=world, protocols=dict(protocols))
    return {".".join(map(str, e["loc"])): message_of(e) for e in error.value.errors()}


def test_every_part_is_refused_for_what_it_needs_itself() -> None:
    refused = problems(Blank(), deep=Decomposition(checker=Decomposition(checker=Guess())))
    tree = "needs a task tree, and the world blank has none; expected a world that has"
    assert refused["protocols.deep.decomposition"].startswith(tree)
    assert refused["protocols.deep.decomposition.checker.decomposition"].startswith(tree)
    assert "protocols.deep.decomposition.checker.decomposition.checker.guess" not in refused


def test_what_the_world_has_is_not_refused() -> None:
    refused = problems(Crowded(), deep=Decomposition(checker=Model()))
    assert "protocols.deep.decomposition" not in refused
    model = refused["protocols.deep.decomposition.checker.model"]
    assert model.startswith("needs a strong model, and the world blank has none")


def test_the_unaided_overseer_needs_people() -> None:
    """Without people there is none, and somebody else is to be the baseline."""
    refused = problems(Blank(), guess=Guess())
    assert list(refused) == ["baseline"]
    assert "no people, and so no unaided overseer" in refused["baseline"]
    written = problems(Blank(), mine=Direct())
    assert "needs people" in written["protocols.mine.direct.overseer.human"]


def test_nothing_is_asked_of_people_and_models_that_are_not_there() -> None:
    """Their accuracies, a tree's height and a ceiling decide nothing in such a world."""
    study = Scenario(
        world=Blank(),
        protocols={"guess": Guess()},
        baseline="guess",
        overseer={"accuracy": [0.7]},  # type: ignore[arg-type]
        model={"accuracy": {"root": 1.0}},  # type: ignore[arg-type]
    )
    assert across_sections(study) == []


def test_a_changed_world_is_checked_against_protocols_again() -> None:
    study = Study(protocols={"deep": Decomposition()})
    with pytest.raises(ValidationError, match="needs a task tree"):
        study.changed(world=Blank())


def test_changing_a_study_checks_what_changed() -> None:
    study = Study(protocols={"asking": Direct()}, replicates=3)
    assert study.changed(replicates=5).replicates == 5
    assert study.changed(replicates=5).protocols["asking"] is study.protocols["asking"]
    for wrong in (
        {"replicates": 0},
        {"replicats": 5},
        {"protocols": {}},
        {"overseer": {"accuracy": {"root": 0.99}}},
        {"sweep": {"overseer.structure": [2.0]}},
    ):
        with pytest.raises(ValidationError):
            study.changed(**wrong)
