"""Every mechanism, and some nested ones, under the contract; and broken ones that must fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mechanisms.audit import Audit
from mechanisms.cascade import Cascade
from mechanisms.consultancy import Consultancy
from mechanisms.critique import Critique
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.ladder import Ladder
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from mechanisms.vote import Vote
from oversight import Claims, Evidence, Human, Mechanism, Model, Overseer, Panel, Verdicts
from oversight.testing import MechanismContract
from oversight.testing.kit import perfect, small_pool


class TestDirect(MechanismContract):
    def mechanism(self) -> Overseer:
        return Direct()


class TestConsultancy(MechanismContract):
    def mechanism(self) -> Overseer:
        return Consultancy(candidates=4)


class TestOpenConsultancy(MechanismContract):
    def mechanism(self) -> Overseer:
        return Consultancy(open=True)


class TestDebate(MechanismContract):
    def mechanism(self) -> Overseer:
        return Debate(candidates=2)


class TestTreeDebate(MechanismContract):
    def mechanism(self) -> Overseer:
        return Debate(tree=True, turns=1)


class TestSoftDecomposition(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition()


class TestHardDecomposition(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(aggregate="hard")


class TestVotes(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(aggregate="hard", votes=3)


class TestHigherUp(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(height=1, votes=2)


class TestRewardModeling(MechanismContract):
    fitted = True

    def mechanism(self) -> Overseer:
        return RecursiveRewardModeling(samples=60, candidates=4)

    def with_samples(self, samples: int) -> Overseer:
        return RecursiveRewardModeling(samples=samples)


class TestRewardModelingLabeledByPeople(MechanismContract):
    fitted = True

    def mechanism(self) -> Overseer:
        return RecursiveRewardModeling(samples=60, labeler="human")

    def with_samples(self, samples: int) -> Overseer:
        return RecursiveRewardModeling(samples=samples, labeler="human")


class TestDebateAtTheLeaves(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(checker=Debate(turns=2))


class TestHardDebateAtTheLeaves(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(aggregate="hard", votes=2, checker=Debate(turns=1))


class TestDebateBeforeDecomposition(MechanismContract):
    def mechanism(self) -> Overseer:
        return Debate(judge=Decomposition())


class TestDecompositionTwice(MechanismContract):
    def mechanism(self) -> Overseer:
        return Decomposition(height=1, checker=Decomposition())


class TestTreeDebateBeforeDebate(MechanismContract):
    def mechanism(self) -> Overseer:
        return Debate(tree=True, turns=1, judge=Consultancy())


class TestRewardModelingWithDebate(MechanismContract):
    fitted = True

    def mechanism(self) -> Overseer:
        return RecursiveRewardModeling(samples=60, evaluator=Debate(turns=1))

    def with_samples(self, samples: int) -> Overseer:
        return RecursiveRewardModeling(samples=samples, evaluator=Debate(turns=1))


class TestDebateBeforeRewardModels(MechanismContract):
    fitted = True

    def mechanism(self) -> Overseer:
        return Debate(judge=RecursiveRewardModeling(samples=60))

    def with_samples(self, samples: int) -> Overseer:
        return Debate(judge=RecursiveRewardModeling(samples=samples))


class TestVote(MechanismContract):
    def mechanism(self) -> Overseer:
        return Vote(members=(Human(), Human(), Debate(), Decomposition()))


class TestAverage(MechanismContract):
    def mechanism(self) -> Overseer:
        return Vote(rule="average", weights=(1.0, 2.0, 0.5))


class TestConfidenceWeighted(MechanismContract):
    def mechanism(self) -> Overseer:
        return Vote(rule="confidence", members=(Human(), Consultancy()))


class TestDawidSkene(MechanismContract):
    def mechanism(self) -> Overseer:
        return Vote(rule="dawid-skene", members=(Human(), Human(), Human(), Debate()))


class TestCascade(MechanismContract):
    def mechanism(self) -> Overseer:
        return Cascade(then=Debate())


class TestCascadeByShare(MechanismContract):
    def mechanism(self) -> Overseer:
        return Cascade(first=Debate(turns=1), then=Decomposition(), share=0.3)


class TestAudit(MechanismContract):
    def mechanism(self) -> Overseer:
        return Audit(by=Debate(turns=1), share=0.4)


class TestAuditOfTheSuspicious(MechanismContract):
    def mechanism(self) -> Overseer:
        return Audit(of=Consultancy(), share=0.4, choose="suspicion")


class TestLadder(MechanismContract):
    fitted = True

    def mechanism(self) -> Overseer:
        return Ladder(rungs=(3, 6))

    def test_perfect_people_and_models_make_perfect_labels(self) -> None:
        """Students learn perfect labels as well as so many items allow."""
        pool = small_pool(train_items=2000, ceiling=1.0, decomposability=1.0)
        ready = Ladder(rungs=(6, 6)).prepare(pool, perfect())
        assert np.mean(ready.assess(pool.roots).answer == pool.gold) > 0.97


class TestCritique(MechanismContract):
    def mechanism(self) -> Overseer:
        return Critique()


class TestHybridOfEverything(MechanismContract):
    def mechanism(self) -> Overseer:
        escalated = Cascade(first=Vote(), then=Debate(judge=Critique()), share=0.3)
        return Decomposition(checker=Audit(of=escalated, by=Human(person=7)))


class TestPanel(MechanismContract):
    def mechanism(self) -> Overseer:
        return Panel(members=(Human(), Human(person=1), Debate()))


class TestModelsDebatingBeforeAModel(MechanismContract):
    def test_evidence_is_heard_and_paid_for(self) -> None:
        """A model's reading costs no human minutes."""

    def test_siblings_have_luck_of_their_own(self) -> None:
        """There is one model, whose copies share what they see."""

    def mechanism(self) -> Overseer:
        return Direct(overseer=Model())


class Broken(Mechanism):
    """A base for mechanisms that break one rule each."""

    name = "broken"
    judge: Any = Human()

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return self.spoil(claims, self.judge.assess(claims, evidence))

    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        raise AssertionError


def plus(verdicts: Verdicts, **changes: Any) -> Verdicts:
    from dataclasses import replace

    return replace(verdicts, **changes)


class GlobalLuck(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        luck = np.random.normal(size=claims.shape)  # noqa: NPY002 -- the fault
        return plus(verdicts, evidence=verdicts.evidence + luck)


class LuckOfTheBatch(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        return plus(verdicts, evidence=verdicts.evidence - verdicts.evidence.mean())


class PaysBack(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        return plus(verdicts, minutes=verdicts.minutes - 100.0)


class CostOfTheBatch(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        return plus(verdicts, minutes=verdicts.minutes + 1.0 / verdicts.minutes.size)


class Deaf(Broken):
    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        return self.judge.assess(claims)  # type: ignore[no-any-return]


class KnowsItsJudge(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        known = isinstance(self.judge, Human)
        return verdicts if known else plus(verdicts, evidence=-verdicts.evidence)


class Unpicklable(Broken):
    _secret: Any = None

    def prepare(self, pool: Any, setting: Any) -> Any:
        prepared = super().prepare(pool, setting)
        prepared._secret = lambda: None
        return prepared

    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        return verdicts


class Stubborn(Broken):
    def spoil(self, claims: Claims, verdicts: Verdicts) -> Verdicts:
        return plus(verdicts, evidence=np.abs(verdicts.evidence))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (GlobalLuck, "independent_of_global_random_state"),
        (GlobalLuck, "a_fresh_preparation_is_the_same"),
        (LuckOfTheBatch, "batches_and_order_change_nothing"),
        (PaysBack, "costs_are_reported"),
        (CostOfTheBatch, "costs_are_additive"),
        (Deaf, "evidence_is_heard_and_paid_for"),
        (KnowsItsJudge, "a_rewrite_that_changes_nothing_changes_nothing"),
        (Unpicklable, "pickles_before_and_after_preparation"),
        (Stubborn, "perfect_people_and_models_make_perfect_labels"),
    ],
)
def test_the_contract_catches(kind: type[Broken], check: str) -> None:
    class Contract(MechanismContract):
        def mechanism(self) -> Overseer:
            return kind()

    with pytest.raises((AssertionError, AttributeError, TypeError)):
        getattr(Contract(), f"test_{check}")()
