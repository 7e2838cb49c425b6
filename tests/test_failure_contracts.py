"""Every failure of the catalogue under the contract, in a protocol that it strikes."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mechanisms.consultancy import Consultancy
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from oversight import Claims, Evidence, Failure, Overseer, OverseerFailure, Verdicts
from oversight.core.plugins import plugins
from oversight.testing import FailureContract

REWARDS = RecursiveRewardModeling(samples=60, candidates=4)
STRUCK: dict[str, Overseer] = {
    "automation_bias": REWARDS,
    "belief_bias": Direct(),
    "collusion": Debate(),
    "common_cause": Decomposition(votes=3),
    "credulity": Consultancy(),
    "depth_cut": Decomposition(),
    "drift": REWARDS,
    "edited_labels": Debate(),
    "exploited_misconception": Debate(tree=True, turns=2),
    "fabricated_evidence": Debate(candidates=2),
    "heavy_tailed_reward": REWARDS,
    "hidden_flaws": REWARDS,
    "human_simulator": Direct(),
    "inattention": Debate(),
    "label_noise": REWARDS,
    "label_tampering": Debate(),
    "lost_context": Decomposition(aggregate="hard", short_circuit=False),
    "lost_interactions": Debate(tree=True, turns=1),
    "malicious_leaves": Decomposition(checker=Debate(turns=1)),
    "mismatched_interfaces": Decomposition(aggregate="hard"),
    "narrow_view": Debate(),
    "noisy_aggregator": Decomposition(aggregate="hard"),
    "obfuscated_argument": Debate(tree=True, turns=2),
    "one_sided_flips": Direct(),
    "overconfidence": Decomposition(),
    "persuasive_liar": Consultancy(candidates=3),
    "position_bias": Debate(),
    "premature_stopping": Decomposition(checker=Debate(turns=3)),
    "random_flips": REWARDS,
    "scheming": Debate(tree=True, turns=1),
    "stale_reward_model": REWARDS,
    "sycophancy": Consultancy(open=True, turns=2, candidates=2),
    "too_few_comparisons": REWARDS,
    "unassessed_aspect": Decomposition(height=1),
    "underconfidence": Decomposition(),
    "verbosity_bias": Consultancy(),
    "weak_honest_evidence": Debate(turns=2),
    "wrong_on_a_class": Decomposition(),
}


def test_every_failure_is_here() -> None:
    assert sorted(plugins("failures").loaded) == sorted(STRUCK)
    assert len(STRUCK) >= 24


@pytest.mark.parametrize("name", STRUCK)
class TestCatalogue(FailureContract):
    name: ClassVar[str] = ""

    @pytest.fixture(autouse=True)
    def _which(self, name: str) -> None:
        self.named = name
        # Reward models and panels are fitted to all items, struck or not.
        fitted = STRUCK[name] is REWARDS or name == "common_cause"
        self.local = not fitted or name == "random_flips"

    def failure(self) -> Failure:
        made: Failure = plugins("failures").get(self.named)()
        return made

    def protocol(self) -> Overseer:
        return STRUCK[self.named]


class Broken(OverseerFailure):
    """A base for failures that break one rule each."""

    name = "broken"
    knob = "nothing in particular"
    source = "these tests"
    can_strike = ("people",)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        from dataclasses import replace

        return replace(verdicts, evidence=self.spoil(claims, verdicts.evidence))

    def spoil(self, claims: Claims, found: Any) -> Any:
        raise AssertionError


class AlwaysOn(Broken):
    def spoil(self, claims: Claims, found: Any) -> Any:
        return -found


class NeverOn(Broken):
    def spoil(self, claims: Claims, found: Any) -> Any:
        return found


class Everywhere(Broken):
    def spoil(self, claims: Claims, found: Any) -> Any:
        return found * (1 + self.severity)


class OfTheBatch(Broken):
    def spoil(self, claims: Claims, found: Any) -> Any:
        return found - self.strength(claims) * found.mean()


class Unsaid(Broken):
    knob = ""

    def spoil(self, claims: Claims, found: Any) -> Any:
        return found + self.strength(claims)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (AlwaysOn, "severity_0_changes_nothing"),
        (NeverOn, "severity_1_changes_something"),
        (Everywhere, "items_it_does_not_strike_stay_as_they_were"),
        (OfTheBatch, "batches_and_order_change_nothing"),
        (Unsaid, "it_says_what_it_is"),
    ],
)
def test_the_contract_catches(kind: type[Broken], check: str) -> None:
    class Contract(FailureContract):
        def failure(self) -> Failure:
            return kind()

        def protocol(self) -> Overseer:
            return Direct()

    with pytest.raises(AssertionError):
        getattr(Contract(), f"test_{check}")()
