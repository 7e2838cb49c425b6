"""What a scenario must keep to across its sections: accuracies fit the world, protocols and
failures fit each other, and every value that is to be tried makes a scenario of its own.

What one section must keep to stands with the section's class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from oversight.components.component import Component
from oversight.components.profiles import accuracy_problem
from oversight.core.config import Place, error_at, errors_of, nearest
from oversight.core.errors import KnobError
from oversight.core.kinds import kind_of
from oversight.core.plugins import plugins
from oversight.overseers.perception import idle
from oversight.studies.cases import UNAIDED, unaided_of, written_unaided
from oversight.studies.knobs import varied
from oversight.studies.sections import Scenario, looks
from oversight.studies.sweep import MOST_POINTS
from oversight.worlds.base import MODEL, PEOPLE

Errors = Iterator[InitErrorDetails]


def across_sections(
    study: Scenario, changed: frozenset[str] | None = None
) -> list[InitErrorDetails]:
    """Everything that is wrong with how sections go together, each error at its place.

    changed  the sections that are new since the study was checked last; None for all
    """
    return [
        error
        for check, sections in CHECKS.items()
        if changed is None or not changed.isdisjoint(sections)
        for error in check(study)
    ]


def _accuracies(study: Scenario) -> Errors:
    """People and model are right more often than chance, and no more often than can be; and they
    perceive what the world has."""
    world = study.world
    best, height = world.best_accuracy, world.task_tree.height
    people = (PEOPLE, "overseer", study.overseer, ("structure", "difficulty", "skill_sd"))
    model = (MODEL, "model", study.model, ("shared_bias", "difficulty"))
    for who, section, profile, of_margins in (people, model):
        if who not in world.has:
            continue
        if problem := accuracy_problem(profile.accuracy, best, height):
            yield error_at(problem, (section, "accuracy"))
        for key, message in idle(profile, of_margins, world):
            yield error_at(message, (section, key))


def _student(study: Scenario) -> Errors:
    """The student can learn from what the world has."""
    for key, problem in study.student.problems(study.world):
        yield error_at(problem, ("student", key))


def _protocols(study: Scenario) -> Errors:
    """Every part of a protocol finds in the world what it needs, and fits it."""
    for name, protocol in study.protocols.items():
        for place, part in parts(protocol, ("protocols", name)):
            if unmet := part.unmet(study.world):
                yield error_at(unmet, place)
                continue
            for key, message in part.problems(study.world):
                yield error_at(message, (*place, key))


def _baseline(study: Scenario) -> Errors:
    """The baseline is a protocol, and named where the world has no people who could be it."""
    people = PEOPLE in study.world.has
    if study.baseline is None:
        if not people:
            names = ", ".join(map(repr, study.protocols))
            message = (
                "missing; this world has no people, and so no unaided overseer. Expected the "
                f'protocol whose labels are "weak", one of {names}'
            )
            yield error_at(message, ("baseline",))
        return
    unaided = {unaided_of(study.protocols)} if people else set()
    if study.baseline not in (known := unaided.union(study.protocols)):
        message = (
            f"{study.baseline!r} is no protocol here; {nearest(study.baseline, sorted(known))}"
        )
        yield error_at(message, ("baseline",))


def _unaided(study: Scenario) -> Errors:
    """The unaided overseer is installed, and no other protocol has its name."""
    try:
        kind_of(plugins("mechanisms"), "direct", ("protocols",))
    except ValidationError as error:
        yield from errors_of(error)
        return
    if written_unaided(study.protocols) is not None:
        return
    for name in study.protocols:
        if looks(name) == UNAIDED:
            message = "names the baseline, which is `direct: {}`; call this protocol something else"
            yield error_at(message, ("protocols", name))


def _roles(study: Scenario) -> Errors:
    """Every failure that a scenario names has a role to strike."""
    for name, failure in study.failures.items():
        for place, message in failure.misses(study.protocols.values()):
            yield error_at(message, ("failures", name, *place))


def _onsets(study: Scenario) -> Errors:
    """Every failure strikes items and claims that the world has."""
    items, height = study.world.items("train"), study.world.task_tree.height
    for name, failure in study.failures.items():
        for place, message in failure.problems(items, height):
            yield error_at(message, ("failures", name, *place))


def _design(study: Scenario) -> Errors:
    """A search uses what is installed, and failures that the scenario has."""
    if study.design is not None:
        for place, message in study.design.problems(study.failures):
            yield error_at(message, ("design", *place))


def _values(study: Scenario) -> Errors:
    """Every value that a sweep or a sensitivity analysis tries makes a scenario that could be a
    file, and there are not too many."""
    ranges = study.sensitivity.knobs if study.sensitivity else {}
    sections: tuple[tuple[Place, Mapping[str, tuple[float, ...]]], ...] = (
        (("sweep",), study.sweep),
        (("sensitivity", "knobs"), ranges),
    )
    still = study.still if study.sweep or ranges else study
    for place, knobs in sections:
        for path, values in knobs.items():
            if message := _first_problem(still, path, values):
                yield error_at(message, (*place, path))
    points = prod(len(values) for values in study.sweep.values())
    if points > MOST_POINTS:
        message = f"{points:,} points; at most {MOST_POINTS:,} are run at once"
        yield error_at(message, ("sweep",))


def _first_problem(study: Scenario, path: str, values: tuple[float, ...]) -> str:
    """Why one of these values does not fit; empty where all fit."""
    # The ends first: of a long range that leaves what can be, one of them does not fit.
    for value in dict.fromkeys((min(values), max(values), *values)):
        try:
            varied(study, path, value)
        except KnobError as error:
            return str(error).removeprefix(f"{path}: ")
    return ""


SIMULATED = ("seed", "world", "overseer", "model", "student", "protocols", "failures", "desk")
"""The sections that have knobs to vary."""

CHECKS: dict[Callable[[Scenario], Errors], tuple[str, ...]] = {
    _accuracies: ("overseer", "model", "world"),
    _student: ("student", "world"),
    _protocols: ("protocols", "world"),
    _unaided: ("protocols",),
    _baseline: ("baseline", "protocols", "world"),
    _roles: (),  # runs that try other protocols, or the whole catalogue, leave such cases out
    _onsets: ("failures", "world"),
    _design: ("design", "failures"),
    _values: ("sweep", "sensitivity", *SIMULATED),
}
"""Every check, in the order in which errors are reported, with the sections that it reads; without
any, it holds for a scenario as it is written."""


def parts(component: Component, place: Place) -> Iterator[tuple[Place, Component]]:
    """Every component of a protocol with its place in the file, the whole first."""
    place = (*place, component.name)
    yield place, component
    for role in type(component).model_fields:
        value = getattr(component, role)
        if isinstance(value, Component):
            yield from parts(value, (*place, role))
        elif isinstance(value, tuple):
            for i, part in enumerate(value):
                if isinstance(part, Component):
                    yield from parts(part, (*place, role, i))
