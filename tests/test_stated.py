"""What every mechanism states about its labels, beside how often these are right: the table of
docs/mechanisms.md. Panels and votes have tests of their own."""

from __future__ import annotations

from pathlib import Path

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
from oversight import Mechanism, Setting
from oversight.core.plugins import plugins
from tests.helpers import pool, setting, world

ITEMS = 8000
PAGE = Path(__file__).parent.parent / "docs" / "mechanisms.md"
STATING: dict[str, Mechanism] = {
    "direct": Direct(),
    "consultancy": Consultancy(),
    "consultancy, 8 candidates": Consultancy(candidates=8),
    "critique": Critique(),
    "debate": Debate(),
    "debate, 8 candidates": Debate(candidates=8),
    "debate, tree, 0 turns": Debate(tree=True, turns=0),
    "debate, tree": Debate(tree=True),
    "decomposition, soft": Decomposition(),
    "decomposition, hard": Decomposition(aggregate="hard"),
    "cascade": Cascade(below=0.75),
    "audit, .25 at random": Audit(share=0.25),
    "audit, .25 by suspicion": Audit(share=0.25, choose="suspicion"),
    "ladder, one rung of 16": Ladder(rungs=(16,)),
    "reward modeling": RecursiveRewardModeling(samples=1000),
    "reward modeling, people label": RecursiveRewardModeling(samples=1000, labeler="human"),
}
LEARN = ("ladder", "reward modeling")
CASES: tuple[Setting, ...] = (
    setting(root=0.7, leaf=0.92, u_root=1.0, u_leaf=1.0, structure=0.0),
    setting(root=0.7, leaf=0.92, u_root=0.93, u_leaf=0.98, structure=0.6),
)


def stated(name: str, case: int, seed: int) -> tuple[float, float]:
    """How often labels are right, and what is stated on average."""
    items = pool(world(train_items=ITEMS, features=32), seed=seed)
    verdicts = STATING[name].prepare(items, CASES[case]).assess(items.roots)
    right = float(np.mean(verdicts.answer == items.intended))
    return right, float(verdicts.confidence.mean())


def rows() -> dict[str, list[float]]:
    """The numbers of the page's table, by row: right and stated, in each case."""
    _, _, after = PAGE.read_text().partition("| mechanism | right | stated |")
    table = after.partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {name: [float(number) for number in numbers[:4]] for name, *numbers in cells}


def test_the_page_has_every_mechanism() -> None:
    assert list(rows()) == list(STATING)
    kinds = {protocol.name for protocol in STATING.values()}
    assert kinds | {"vote"} == {
        name
        for name, kind in plugins("mechanisms").loaded.items()
        if kind.__module__.startswith("mechanisms.")
    }


@pytest.mark.parametrize("case", [0, 1])
@pytest.mark.parametrize("name", list(STATING))
def test_what_is_stated_is_as_far_from_what_is_right_as_the_page_says(name: str, case: int) -> None:
    right, confidence = stated(name, case, seed=7)
    page = rows()[name][2 * case : 2 * case + 2]
    # What learns from a sample, or sees a random view, differs from world to world.
    spread = 0.03 if name.startswith(LEARN) else 0.0
    error = np.sqrt(page[0] * (1 - page[0]) / ITEMS)
    assert abs(right - page[0]) < 4 * error + spread + 5e-4
    assert abs(confidence - page[1]) < 4 * 0.15 / np.sqrt(ITEMS) + spread + 5e-4
