"""Protocols nobody wrote down: drawn at random from what a search may come up with, they keep the
rules of the contract, healthy and failing."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mechanisms.audit import Audit
from mechanisms.cascade import Cascade
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.ladder import Ladder
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from mechanisms.vote import Vote
from oversight import Claims, Design, Human, Injection, Overseer, Study, Verdicts, prepared
from oversight.cli.main import main
from oversight.core.plugins import plugins
from oversight.running.replicate import run_replicate
from oversight.testing.kit import ITEMS, NUMBERS, assert_same, ordinary, small_pool

KNOBS = {"ladder": {"rungs": ((2,), (2, 4, 6))}}


def some(verdicts: Verdicts, index: Any) -> Verdicts:
    return Verdicts(**{name: getattr(verdicts, name)[index] for name in NUMBERS})


@pytest.mark.parametrize("seed", range(40))
def test_any_nesting_keeps_the_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool, who = small_pool(), ordinary()
    space = Design(depth=3, knobs=KNOBS).space(pool.world)
    drawn = (space.draw(lambda _, options: int(rng.integers(options))) for _ in range(50))
    protocol = next(p for p in drawn if p is not None)
    ready = protocol.prepare(pool, who)
    whole, order = ready.assess(pool.roots), rng.permutation(ITEMS)
    assert np.isfinite(whole.evidence).all()
    assert (whole.minutes >= 0).all()
    assert_same(ready.assess(Claims.of(order)), some(whole, order))
    node = int(rng.integers(len(pool.tree)))
    grid = ready.assess(Claims.of(pool.everyone, np.array([[0], [node]])))
    assert_same(some(grid, 0), whole)
    assert_same(pickle.loads(pickle.dumps(ready)).assess(pool.roots), whole)
    few = np.arange(3)
    assert_same(ready.assess(Claims.of(few, traced=True)), some(whole, few))

    name = str(rng.choice(sorted(plugins("failures").loaded)))
    injected = Injection(together=(plugins("failures").get(name)(),))
    none, _ = injected.into(protocol, None, 0.0)
    assert_same(none.prepare(pool, who).assess(pool.roots), whole)
    failing, _ = injected.into(protocol, None, 0.7)
    struck = prepared(failing, pool, who).protocol
    assert_same(struck.assess(Claims.of(order)), some(struck.assess(pool.roots), order))


@pytest.mark.parametrize(
    "protocol",
    [
        Cascade(first=Debate(), then=Decomposition(), share=0.3),
        Audit(of=Decomposition(), by=Debate(), choose="suspicion", share=0.3),
        Vote(rule="dawid-skene", members=(Human(), Human(), Debate())),
        Ladder(rungs=(4, 6)),
        Decomposition(aggregate="hard", votes=3),
        RecursiveRewardModeling(samples=40),
    ],
    ids=lambda p: p.name,
)
def test_what_ran_before_does_not_matter(protocol: Overseer) -> None:
    """What a mechanism works out over the whole pool is its own, healthy or failing."""
    study = Study(
        world={"train_items": 300, "test_items": 300, "features": 6},
        protocols={"it": protocol},
        failures={"bias": {"kind": "belief_bias"}, "doubt": {"kind": "underconfidence"}},
    )
    cases = study.cases(study.failures)
    together = run_replicate(study, 0, cases).rows
    for case in cases:
        alone = run_replicate(study, 0, [case]).rows[case]
        assert np.array_equal(alone, together[case], equal_nan=True), case
    backwards = run_replicate(study, 0, cases[::-1]).rows
    for case in cases:
        assert np.array_equal(backwards[case], together[case], equal_nan=True), case


def test_what_the_code_review_repairs_and_what_not() -> None:
    """docs/hybrids.md, from the reference results."""
    path = Path(__file__).parent.parent / "results" / "code-review" / "breaks.csv"
    with path.open(encoding="utf-8") as file:
        rows = {
            (row["failure"], row["protocol"]): row
            for row in csv.DictReader(file)
            if row["measure"] == "label accuracy"
        }
    hybrid, whole, apart = "debate where contested", "debate on the whole", "taken apart"
    for repaired in ("debaters lie well", "the judge misses arguments"):
        assert rows[repaired, whole]["status"] == "breaks"
        assert rows[repaired, hybrid]["status"] == "never"
    lean = "reviewers lean the wrong way"
    assert rows[lean, apart]["status"] == "breaks"
    assert rows[lean, hybrid]["status"] == "never"
    audited = "contested, the suspicious audited"
    for stays in ("every check is a guess", "noisy gates", "parts that do not make the whole"):
        alone, with_debate, with_audit = (
            float(rows[stays, name]["severity"]) for name in (apart, hybrid, audited)
        )
        assert with_debate - alone < 0.06
        assert with_audit > with_debate + 0.05
        assert rows[stays, hybrid]["silent"] == "True"


def test_the_drawing_of_the_hybrids_page_is_what_the_command_prints() -> None:
    page = (Path(__file__).parent.parent / "docs/hybrids.md").read_text(encoding="utf-8")
    shown = page.split('--tree "debate where contested"\n')[1].split("\n\n")[0]
    command = ["check", "code-review", "--tree", "debate where contested"]
    printed = CliRunner().invoke(main, command).stdout
    assert [line.strip() for line in shown.splitlines()] == [
        line.strip() for line in printed.splitlines()
    ]


def test_what_the_hybrids_page_says_of_guesses_is_in_its_table() -> None:
    page = (Path(__file__).parent.parent / "docs/hybrids.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| ")}
    first, every = rows["| the first reviewer guesses"], rows["| every check is a guess"]
    assert first.count(".20!") == 1
    assert every.split(" | ")[4] == ".12!"
    assert "(.20,\nagainst .12 where the debated checks are guesses too)" in page
