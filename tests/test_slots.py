"""Failures find the slots of a mechanism by what these take and do, whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from mechanisms.audit import Audit
from mechanisms.cascade import Cascade
from mechanisms.debate import Debate
from oversight import (
    AgentSlot,
    Arguing,
    Claims,
    Component,
    Evidence,
    Failure,
    Human,
    Injection,
    Mechanism,
    Model,
    OverseerSlot,
    Verdicts,
    exchange,
    judged,
)
from oversight.components.wrappers import inner_of
from oversight.core.plugins import plugins
from tests.helpers import pool, setting, world


def of(kind: str, **knobs: Any) -> Failure:
    failure: Failure = plugins("failures").get(kind)(**knobs)
    return failure


def struck(protocol: Mechanism, failure: Failure) -> Any:
    return Injection(together=(failure,)).into(protocol, None, 1.0)[0]


class Dispute(Mechanism, Arguing):
    """A debate whose slots have names of their own. It draws as a debate does."""

    name: ClassVar[str] = "debate"

    prover: AgentSlot = Model()
    verifier: OverseerSlot = Human()

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        yes = np.ones(claims.shape, dtype=np.bool_)
        sides, chance = {"for": yes, "against": ~yes}, self.chance(claims)
        heard = exchange(self.prover, self.verifier, claims, sides, 3, self, chance, evidence)
        return judged(self.verifier, claims, heard, 6, self.candidates)


class Declared(Dispute):
    """The same, where the class says that a lone consultant argues and that checkers listen."""

    does: ClassVar[Mapping[str, str]] = {"prover": "consultant", "verifier": "checker"}


class Halves(Mechanism):
    """Somebody answers for the item's own question, or for its first part."""

    name: ClassVar[str] = "halves"

    somebody: OverseerSlot = Human()
    part: bool = False

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        below = replace(claims, node=claims.node + 1) if self.part else claims
        return self.read(self.somebody.assess(below), evidence)


ARGUING = ("weak_honest_evidence", "persuasive_liar", "fabricated_evidence", "collusion")
LISTENING = ("position_bias", "verbosity_bias", "inattention", "premature_stopping")


@pytest.mark.parametrize("kind", [*ARGUING, *LISTENING])
def test_a_slot_of_another_name_is_struck_as_what_it_takes(kind: str) -> None:
    """Whoever argues fails as a debater does, who hears it as a judge does, and each once."""
    items, who = pool(world(train_items=2000)), setting()
    failing = struck(Dispute(), of(kind))
    slot = failing.prover if kind in ARGUING else failing.verifier
    assert isinstance(slot, Failure)
    assert not isinstance(slot.inner, Failure)
    assert slot.on in ("prover", "verifier")
    healthy = Dispute().prepare(items, who).assess(items.roots)
    changed = failing.prepare(items, who).assess(items.roots)
    assert not np.array_equal(healthy.evidence, changed.evidence)


def test_it_fails_as_the_shipped_mechanism_does() -> None:
    items, who = pool(world(train_items=2000)), setting()
    for kind in ("weak_honest_evidence", "persuasive_liar", "collusion"):  # these draw nothing
        own, shipped = (
            struck(protocol, of(kind)).prepare(items, who).assess(items.roots).evidence
            for protocol in (Dispute(), Debate())
        )
        assert np.array_equal(own, shipped)


def test_a_class_says_what_its_slots_do() -> None:
    protocol = Declared()
    assert of("persuasive_liar").roles_in(protocol) == ["consultant"]
    assert of("malicious_leaves").roles_in(protocol) == ["checker"]
    for kind in ("collusion", "inattention", "hidden_flaws"):
        assert of(kind).roles_in(protocol) == []
        assert struck(protocol, of(kind)) == protocol
    items, who = pool(world()), setting()
    healthy = protocol.prepare(items, who).assess(items.roots)
    lying = struck(protocol, of("malicious_leaves", most=1.0)).prepare(items, who)
    assert np.array_equal(lying.assess(items.roots).answer, ~items.intended)
    assert not np.array_equal(healthy.answer, ~items.intended)


@pytest.mark.parametrize("kind", ["malicious_leaves", "lost_context", "common_cause", "drift"])
def test_who_may_be_a_checker_is_one_of_claims_below_the_question(kind: str) -> None:
    items, who = pool(world()), setting()
    for part in (False, True):
        healthy = Halves(part=part)
        assert of(kind).roles_in(healthy)
        before, after = (
            protocol.prepare(items, who).assess(items.roots).evidence
            for protocol in (healthy, struck(healthy, of(kind)))
        )
        level = items.template.heights[1]
        assert np.array_equal(before, after) == (not part or (kind == "drift" and level == 0))


@pytest.mark.parametrize(
    ("protocol", "slot"), [(Audit(share=1.0), "by"), (Cascade(below=1.1), "then")]
)
def test_the_second_overseer_of_an_audit_and_a_cascade_is_struck(
    protocol: Mechanism, slot: str
) -> None:
    """Its verdicts are all that counts here, so every label is wrong."""
    items, who = pool(world()), setting()
    failure = of("malicious_leaves", on=slot, most=1.0)
    assert failure.roles_in(protocol) == [slot]
    failing = struck(protocol, failure).prepare(items, who)
    assert np.array_equal(failing.assess(items.roots).answer, ~items.intended)
    context = struck(protocol, of("lost_context", on=slot)).prepare(items, who)
    guessed = context.assess(items.roots).answer == items.intended
    assert abs(guessed.mean() - 0.5) < 4 * 0.5 / np.sqrt(guessed.size)


def test_slots_of_shipped_mechanisms_play_what_they_are_called() -> None:
    def slots(component: Component) -> list[tuple[str, frozenset[str]]]:
        here = [(slot, component.plays(slot).roles) for slot, _ in component.slots()]
        return here + [pair for _, part in component.slots() for pair in slots(part)]

    for name, kind in plugins("mechanisms").loaded.items():
        if kind.__module__.startswith("mechanisms."):
            assert all(roles == {slot} for slot, roles in slots(kind())), name


def test_a_person_in_a_slot_of_another_name_is_still_a_person() -> None:
    failing = struck(Dispute(), of("overconfidence"))
    assert inner_of(failing.verifier, Human) == Human()
    assert failing.verifier.on == "people"
