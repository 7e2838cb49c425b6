"""Agent score difference, and protocols drawn as trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import expit

from mechanisms.audit import Audit
from mechanisms.cascade import Cascade
from mechanisms.consultancy import Consultancy
from mechanisms.critique import Critique
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from mechanisms.vote import Vote
from oversight import Human, Model, Overseer, Study
from oversight.cli.main import main
from oversight.metrics.agent_score import differences
from oversight.overseers.recording import Tape, recorded
from oversight.reports.diagram import draw
from tests.helpers import PERFECT, Blank, pool, setting, world

ITEMS = 20_000


def scored(protocol: Overseer, **who: Any) -> tuple[float, float, Any, Any]:
    items = pool(world(train_items=ITEMS))
    tape = Tape(items)
    ready = recorded(protocol.prepare(items, setting(**who)), tape)
    verdicts = ready.assess(items.roots)
    return *differences(verdicts, items.intended, tape.defended), verdicts, items


@pytest.mark.parametrize(
    "protocol",
    [
        Debate(),
        Debate(tree=True, turns=1),
        Debate(tree=True, turns=0),
        Decomposition(checker=Debate(turns=1)),
        Debate(judge=Consultancy()),
        Vote(members=(Debate(), Human())),
    ],
    ids=lambda p: p.identity(),
)
def test_a_symmetric_protocol(protocol: Overseer) -> None:
    """Where both sides are argued: 2 (2 p - 1), p the mean belief in the truth; exactly."""
    brier, log, verdicts, items = scored(protocol)
    truth = np.where(items.intended, verdicts.belief, 1 - verdicts.belief)
    assert brier == pytest.approx(2 * (2 * truth.mean() - 1), abs=1e-12)
    odds = verdicts.evidence + verdicts.prior
    assert log == pytest.approx(np.mean(np.where(items.intended, odds, -odds)), abs=1e-9)


def test_a_consultant_is_scored_by_the_side_it_was_given() -> None:
    """A judge who knows nothing, a perfect model: evidence is gain x N(+-T c mu, T) toward the
    side, the truth with chance one half."""
    brier, _, _, _ = scored(Consultancy(judge=Blank()), **PERFECT)
    rng = np.random.default_rng(0)
    size = 1_000_000
    push = {way: 0.6 * (way * 3 * 0.25 + np.sqrt(3) * rng.standard_normal(size)) for way in (1, -1)}
    for_truth, for_falsehood = (-2 * (1 - expit(push[way])) ** 2 for way in (1, -1))
    expected = for_truth.mean() - for_falsehood.mean()
    error = np.sqrt(2 * (for_truth.var() + for_falsehood.var()) / ITEMS)
    assert abs(brier - expected) < 4 * error


def test_persuasion_that_does_not_care_for_truth_scores_nothing() -> None:
    brier, _, _, _ = scored(Consultancy(judge=Blank(), evidence=0.0, candidates=8), **PERFECT)
    assert abs(brier) < 4 * np.sqrt(2 / ITEMS)


def test_debate_rewards_the_truth_more_than_consultancy_does() -> None:
    debate, consultancy = (scored(kind(candidates=4))[0] for kind in (Debate, Consultancy))
    assert debate > consultancy + 0.1


def test_a_critic_defends_what_is_false_of_true_claims() -> None:
    items = pool(world(train_items=ITEMS))
    tape = Tape(items)
    recorded(Critique().prepare(items, setting()), tape).assess(items.roots)
    assert np.array_equal(tape.defended.truth, ~items.intended)
    assert np.array_equal(tape.defended.falsehood, items.intended)


@pytest.mark.parametrize(
    "protocol",
    [Direct(), Decomposition(), RecursiveRewardModeling(samples=50), Direct(overseer=Model())],
    ids=lambda p: p.identity(),
)
def test_where_nobody_argues_there_is_no_score(protocol: Overseer) -> None:
    brier, log, _, _ = scored(protocol)
    assert np.isnan(brier)
    assert np.isnan(log)


def test_writing_down_changes_nothing() -> None:
    items, who = pool(world()), setting()
    for protocol in (Debate(tree=True), RecursiveRewardModeling(samples=50, labeler="human")):
        plain = protocol.prepare(items, who).assess(items.roots)
        taped = recorded(protocol.prepare(items, who), Tape(items)).assess(items.roots)
        assert np.array_equal(plain.evidence, taped.evidence)


def test_a_protocol_as_a_tree() -> None:
    nested = Decomposition(
        votes=3,
        checker=Cascade(then=Debate(turns=2, tree=True), share=0.25),
    )
    assert draw(nested) == "\n".join(
        [
            "decomposition (votes 3)",
            "├── checker: cascade (share 0.25)",
            "│   ├── first: human",
            "│   └── then: debate (turns 2, tree yes)",
            "│       ├── judge: human",
            "│       └── debater: model",
            "└── aggregator: soft",
        ]
    )
    several = Audit(of=Vote(rule="average"), by=Human(person=4))
    assert draw(several) == "\n".join(
        [
            "audit",
            "├── of: vote (rule average)",
            "│   └── members: 3 x human",
            "└── by: human (person 4)",
        ]
    )


def test_a_diagram_says_what_a_copy_of_the_model_does() -> None:
    strategy = {"share": 0.1, "picks": "judge_weak", "copies": "apart"}
    study = Study(protocols={"it": {"direct": {"overseer": {"model": {"strategy": strategy}}}}})
    drawn = draw(study.protocols["it"])
    assert drawn == "direct\n└── overseer: model (strategy 0.1 judge_weak, apart)"


def test_check_draws() -> None:
    done = CliRunner().invoke(main, ["check", "quickstart", "--tree", "debate at the leaves"])
    assert done.exit_code == 0
    assert done.stdout.startswith("debate at the leaves: decomposition\n├── checker: debate")
    bad = CliRunner().invoke(main, ["check", "quickstart", "--tree", "debates"])
    assert bad.exit_code == 2
    assert "did you mean 'debate'?" in bad.stderr
