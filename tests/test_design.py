"""`oversight design`: the space, the front, the search, what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import oversight
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from mechanisms.direct import Direct
from oversight import Design, Study
from oversight.analyses.comparing import compare
from oversight.analyses.designing import design
from oversight.analyses.searching import Tried, at_random, enumerated, search
from oversight.analyses.searching import _propose as propose
from oversight.cli.main import main
from oversight.core.errors import DesignError
from oversight.findings.design import Designed, Point, front, hypervolume
from oversight.findings.results import Results
from oversight.running.keys import Keys
from oversight.running.runner import Runner
from oversight.running.store import Store
from oversight.running.workers import Workers
from oversight.studies.cases import Case
from oversight.worlds.salience import SalienceWorld

SMALL: dict[str, Any] = {
    "mechanisms": ["direct", "debate", "decomposition"],
    "depth": 1,
    "knobs": {
        "debate": {"turns": [1, 3], "candidates": [1, 4], "tree": [False, True]},
        "decomposition": {"aggregate": ["soft", "hard"], "votes": [1, 3], "height": [0, 1]},
    },
}
"""17 protocols: direct, 8 debates, 8 decompositions."""


def study(**design: Any) -> Study:
    return Study.model_validate(
        {
            "name": "small",
            "replicates": 3,
            "world": {"train_items": 400, "test_items": 400, "features": 8},
            "protocols": {"debate": "debate", "reviewers": {"decomposition": {"votes": 3}}},
            "failures": {"noise": {"kind": "noisy_aggregator"}},
            "design": {"replicates": 2, "batch": 8, **design},
        }
    )


def tried(of: Study) -> Tried:
    assert of.design is not None
    runner = Runner(Store.open(), Workers())

    def running(study: Study, cases: list[Case]) -> Results:
        keys = Keys(study)
        runner.run([(keys, cases)])
        return Results(study, cases, runner.store, keys)

    return Tried(of, of.design, running)


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(Direct(), minutes, pgr) for minutes, pgr in pairs]


def test_a_front_by_hand() -> None:
    some = points((1, 0.2), (2, 0.1), (2, 0.5), (3, 0.5), (5, 0.9), (6, 0.8))
    assert [(p.minutes, p.pgr) for p in front(some)] == [(1, 0.2), (2, 0.5), (5, 0.9)]
    # Nothing up to 1 minute, .2 from 1 to 2, .5 from 2 to 5, .9 from 5 to 10.
    assert hypervolume(some, 10) == pytest.approx((0.2 + 1.5 + 4.5) / 10)
    assert hypervolume(some, 1.5) == pytest.approx(0.1 / 1.5)
    assert front([Point(Direct(), 1, 0.9, breaks=0.1), *some]) == front(some)
    assert front([]) == []


pairs = st.lists(st.tuples(st.floats(0, 100), st.floats(-1, 2)), min_size=1, max_size=30)


@given(pairs)
def test_fronts(some: list[tuple[float, float]]) -> None:
    every = points(*some)
    best = front(every)
    for point in every:
        assert any(b.minutes <= point.minutes and b.pgr >= point.pgr for b in best)
    for a in best:
        assert not any(
            b.minutes <= a.minutes and b.pgr >= a.pgr and (b.minutes, b.pgr) != (a.minutes, a.pgr)
            for b in every
        )
    more = [*every, Point(Direct(), 0.0, 3.0)]
    assert hypervolume(more, 50) >= hypervolume(every, 50)


def test_a_space_small_enough_to_count() -> None:
    small = study(**SMALL)
    assert small.design is not None
    space = small.design.space(small.world)
    every = space.enumerated(100)
    assert every is not None
    assert len({p.identity() for p in every}) == len(every) == 17
    assert space.enumerated(16) is None
    assert Decomposition(votes=3, height=1) in every
    deeper = Design(**{**SMALL, "depth": 2}).space(small.world).enumerated(5000)
    assert deeper is not None
    # Each of 8 debates may be judged, each of 8 decompositions checked, by a person or any of
    # the 16; direct judgment by a mechanism is that mechanism.
    assert len(deeper) == 1 + 16 * 17


def test_a_space_leaves_out_what_the_world_cannot_carry() -> None:
    world = SalienceWorld()
    settings = Design(mechanisms=("direct", "debate", "decomposition"), depth=1)
    every = settings.space(world).enumerated(1000)
    assert every is not None
    assert {protocol.name for protocol in every} == {"direct", "debate"}
    assert Study(world=world, protocols={str(i): each for i, each in enumerate(every)})


@pytest.mark.parametrize("by_search", [False, True])
def test_the_true_front_is_found(by_search: bool) -> None:
    """Against every protocol of the space, run by `compare` on the same replicates."""
    small = study(**SMALL, evaluations=17)
    assert small.design is not None
    space, found = small.design.space(small.world), tried(small)
    if by_search:
        propose(found, space, None)
    else:
        assert (
            search(found, space, enumerated(space, small.design)) == "all 17 protocols of the space"
        )
    every = {p.identity(): p for p in space.enumerated(100) or ()}
    whole = found.study.model_copy(update={"protocols": every})
    results = compare(whole)
    truth = front(
        Point(p, float(results.column(n, "human_minutes_per_item").mean()), results.pgr(n).value)
        for n, p in every.items()
    )
    assert [(p.minutes, p.pgr) for p in found.front] == [(p.minutes, p.pgr) for p in truth]
    assert len(truth) > 1


@pytest.fixture(scope="module")
def done() -> Designed:
    return design(study(evaluations=24))


def facts(designed: Designed) -> list[tuple[Any, ...]]:
    keys = ("protocol", "what", "origin", "pgr", "human_minutes_per_item", "searched_pgr")
    return [tuple(row[key] for key in keys) for row in designed.rows()]


def test_workers_do_not_matter(done: Designed) -> None:
    assert facts(design(study(evaluations=24), jobs=2)) == facts(done)
    assert done.tried == 24


def test_the_search_never_sees_what_confirms_it(done: Designed) -> None:
    assert tried(done.study).study.seed != done.study.seed
    name, thought = next(iter(done.front.items()))
    again = compare(done.study.model_copy(update={"protocols": {name: thought.protocol}}))
    assert again.pgr(name).value == done.confirmed.pgr(name).value
    assert again.pgr(name).value != thought.pgr


def test_a_killed_search_goes_on(tmp_path: Path, done: Designed) -> None:
    ran: list[int] = []

    def killed(replicate: Any) -> None:
        ran.append(len(replicate.rows))
        if len(ran) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        design(study(evaluations=24), out=tmp_path, progress=killed)
    first = sum(ran)
    assert facts(design(study(evaluations=24), out=tmp_path, progress=killed)) == facts(done)
    alone: list[int] = []
    design(study(evaluations=24), out=tmp_path / "x", progress=lambda r: alone.append(len(r.rows)))
    assert sum(ran) == sum(alone), "something was run twice"
    assert first > 0
    again: list[int] = []
    design(study(evaluations=24), out=tmp_path, progress=lambda r: again.append(1))
    assert again == []


def test_the_front_is_written_as_scenarios(tmp_path: Path) -> None:
    made = design(study(evaluations=16), out=tmp_path)
    files = sorted((tmp_path / "front").glob("f*.yaml"))
    assert [f.stem for f in files] == sorted(made.front)
    for file in files:
        found = compare(oversight.load(file))
        column = found.column(file.stem, "student_accuracy")
        assert np.array_equal(column, made.confirmed.column(file.stem, "student_accuracy"))
        assert set(made.study.protocols) < set(found.protocols)
    assert (tmp_path / "design.csv").read_text().count("\n") == 1 + len(made.rows())


def test_a_front_in_a_world_with_a_tree_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text(
        json.dumps(
            {
                "directed": True,
                "nodes": [{"id": "a", "gate": "and"}, {"id": "b", "prior": 0.7}, {"id": "c"}],
                "edges": [{"source": "a", "target": "b"}, {"source": "a", "target": "c"}],
            }
        )
    )
    (tmp_path / "mine.yaml").write_text(
        "oversight: 1\nreplicates: 2\nprotocols: {it: decomposition}\n"
        "world: {train_items: 600, test_items: 600, features: 4,\n"
        "  tree: {kind: file, path: tree.json}}\n"
        "design: {evaluations: 4, replicates: 2, depth: 1, mechanisms: [direct, decomposition]}\n"
    )
    made = design(oversight.load(tmp_path / "mine.yaml"), out=tmp_path / "out")
    again = oversight.load(tmp_path / "out" / "front" / "f1.yaml")
    assert again.world.task_tree.labels == ("a", "b", "c")
    found, before = compare(again), made.confirmed
    for name in ("f1", "it"):
        one, two = (r.column(name, "label_accuracy") for r in (found, before))
        assert np.array_equal(one, two)


def test_constraints() -> None:
    cheap = design(study(**SMALL, minutes=5.0))
    assert all(point.minutes <= 5 for point in cheap.front.values())
    assert cheap.budget == 5
    free = design(study(**SMALL))
    assert max(point.minutes for point in free.front.values()) > 5
    safe = design(study(**SMALL, survive={"noise": 1.0}))
    kinds = {point.protocol.name for point in safe.front.values()}
    assert "decomposition" not in kinds, "gates that say nothing leave nothing"
    assert "debate" in kinds


def test_a_search_can_ask_for_what_survives_a_model_that_schemes() -> None:
    """Open consultancy is cheap and good as long as the model is honest; where it lies on the fifth
    of the items on which the judge is weakest, nothing is left."""

    knobs = {
        "consultancy": {"open": [True], "turns": [3], "candidates": [32]},
        "decomposition": {"aggregate": ["soft"], "votes": [1], "height": [0]},
    }

    def found(**survive: float) -> set[str]:
        small = Study.model_validate(
            {
                "world": {"train_items": 1500, "test_items": 1500, "features": 16},
                "replicates": 3,
                "protocols": {"open": {"consultancy": {"open": True}}},
                "failures": {"lies": {"kind": "scheming", "strategy": {"picks": "judge_weak"}}},
                "design": {"mechanisms": [*knobs], "knobs": knobs, "depth": 1, "survive": survive},
            }
        )
        return {point.protocol.name for point in design(small).front.values()}

    assert found() == {"consultancy"}
    assert found(lies=0.2) == {"decomposition"}


def test_random_search_tries_as_many(done: Designed) -> None:
    blind = tried(study(evaluations=24))
    assert blind.study.design is not None
    at_random(blind, blind.study.design.space(blind.study.world), 24)
    assert len(blind.points) == 24
    assert set(done.hypervolumes()) == {"search", "random search", "by hand"}


def test_an_impossible_budget() -> None:
    with pytest.raises(DesignError, match=r"at most 0\.001 human minutes an item; the cheapest"):
        design(study(**SMALL, minutes=0.001))


def scenario(tmp_path: Path, design: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(
        "oversight: 1\nreplicates: 2\nprotocols: {debate: debate}\n"
        "world: {train_items: 600, test_items: 600, features: 4}\n"
        f"design: {design}\n"
    )
    return str(path)


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ("{mechanisms: []}", "an empty space"),
        ("{mechanisms: [debat]}", "did you mean 'debate'?"),
        ("{knobs: {debate: {turn: [1]}}}", "did you mean 'turns'?"),
        ("{knobs: {debate: {turns: []}}}", "no value to try"),
        ("{knobs: {debat: {turns: [1]}}}", "unknown mechanism 'debat'"),
        ("{evaluations: 0}", "greater than or equal to 1"),
        ("{minutes: 0}", "greater than 0"),
        ("{minutes: -3}", "greater than 0"),
        ("{survive: {collusion: 0.5}}", "names no failure of this scenario"),
        ("{depth: 9}", "less than or equal to 4"),
        ("{population: 9}", "unknown key"),
        ("{mechanisms: [ladder], knobs: {ladder: {rungs: [[9]]}}}", "holds no protocol"),
        ("{mechanisms: [debate], knobs: {debate: {turns: [x]}}}", "holds no protocol"),
        ("{minutes: 0.0001, mechanisms: [direct]}", "the cheapest, direct(), costs 12"),
    ],
)
def test_bad_input(tmp_path: Path, says: str, wanted: str) -> None:
    done = CliRunner().invoke(main, ["design", scenario(tmp_path, says)])
    assert done.exit_code == 2, done.output
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = CliRunner().invoke(main, ["design", scenario(tmp_path, "{evaluations: 8}")])
    assert done.exit_code == 2
    assert "install it with the extra `search`" in done.stderr


def test_the_command_line(tmp_path: Path) -> None:
    path = scenario(tmp_path, "{replicates: 2, batch: 8}")
    words = ["design", path, "--evaluations", "12", "--minutes", "30"]
    table = CliRunner().invoke(main, words)
    assert table.exit_code == 0, table.output
    for text in ("hypervolume", "random search", "what it is", "at most 30 minutes"):
        assert text in table.stdout
    told = json.loads(CliRunner().invoke(main, [*words, "--format", "json"]).stdout)
    assert {row["origin"] for row in told["rows"]} == {"search", "random search", "by hand"}
    assert "| protocol |" in CliRunner().invoke(main, [*words, "--format", "markdown"]).stdout
    assert "origin" in CliRunner().invoke(main, [*words, "--format", "csv"]).stdout


def test_settings_in_python() -> None:
    assert Debate().tries["turns"]
    assert Direct().tries == {}
