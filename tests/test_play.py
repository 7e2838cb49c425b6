"""`oversight play`: protocols against strategies, worst cases, equilibria; through the command
line."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import oversight
from oversight import Model, Setting, Strategy, Study, prepared
from oversight.cli.main import main
from oversight.components.profiles import HONEST
from oversight.overseers.meaning import meaning, moves
from oversight.running.replicate import run_replicate
from oversight.studies.game import Game, searched
from oversight.studies.play import STANDARD

SMALL = """
oversight: 1
name: small
replicates: 3
world: {train_items: 600, test_items: 600, features: 8}
protocols:
  open: {consultancy: {open: true, candidates: 4}}
  debate: {debate: {}}
  people: {decomposition: {}}
  audit: {audit: {of: {direct: {overseer: model}}, by: human, share: 0.5}}
"""
OWN = (
    SMALL
    + """
strategies:
  control: {share: 0}
  liar: {share: 0.3}
  rivals: {share: 0.3, copies: apart}
  knowing: {share: 0.3, knows: coins}
  bluffer: {share: 0.3, states: bluff}
  weak: {share: 0.3, picks: judge_weak}
  hiding: {share: 0.3, picks: unwatched, knows: coins}
  clock: {share: 0.3, knows: clock}
"""
)


def invoke(folder: Path, text: str, *options: str) -> Result:
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["play", str(path), *options])


def play(folder: Path, text: str, *options: str) -> dict[str, Any]:
    done = invoke(folder, text, "--format", "json", *options)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("play")


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    return play(folder, OWN, "--loss", "label", "--out", str(folder / "out"))


def rows(found: dict[str, Any], **about: str) -> list[dict[str, Any]]:
    return [row for row in found["rows"] if about.items() <= row.items()]


def the(found: dict[str, Any], protocol: str, strategy: str) -> dict[str, Any]:
    (row,) = rows(found, protocol=protocol, strategy=strategy)
    return row


def numbers(row: dict[str, Any]) -> list[Any]:
    return [row[key] for key in ("loss", "low", "high", "pgr", "label_accuracy", "harm")]


def test_there_are_no_holes(found: dict[str, Any]) -> None:
    protocols = ["unaided", "open", "debate", "people", "audit"]
    strategies = f"{HONEST} control liar rivals knowing bluffer weak hiding clock".split()
    assert [(row["protocol"], row["strategy"]) for row in found["rows"]] == [
        (protocol, strategy) for protocol in protocols for strategy in strategies
    ]
    keys = "protocol strategy loss low high pgr label_accuracy harm detection_power signal"
    assert all(list(row) == [*keys.split(), "checks_for_95", "status"] for row in found["rows"])
    assert all(row["loss"] == pytest.approx(1 - row["label_accuracy"]) for row in found["rows"])


def test_lies_cost_what_they_should(found: dict[str, Any]) -> None:
    """The model alone, audited at random: (1 - a)(A (1 - q) + (1 - A) q) + a T of MODEL 10."""
    lie, honest = the(found, "open", "liar")["loss"], the(found, "open", HONEST)["loss"]
    assert lie > honest + 0.02
    hiding, liar = (the(found, "audit", name)["loss"] for name in ("hiding", "liar"))
    assert hiding > liar > the(found, "audit", HONEST)["loss"]


@pytest.mark.parametrize("protocol", ["unaided", "people"])
def test_a_protocol_without_a_model_is_the_same_under_all(
    found: dict[str, Any], protocol: str
) -> None:
    first, *others = rows(found, protocol=protocol)
    for row in others:
        assert numbers(row) == numbers(first)
        assert row["status"] == "honest: no strong model in it"
        assert row["detection_power"] == pytest.approx(0.05, abs=1e-12)
        assert row["signal"] == "none"
        assert row["checks_for_95"] is None


def test_a_control_is_honest_and_detected_at_five_percent(found: dict[str, Any]) -> None:
    for protocol in ("open", "debate", "audit"):
        control = the(found, protocol, "control")
        assert numbers(control) == numbers(the(found, protocol, HONEST))
        assert control["detection_power"] == pytest.approx(0.05, abs=1e-12)
        assert control["status"] == "honest: share 0"
    for row in rows(found, strategy=HONEST):
        assert (row["detection_power"], row["signal"], row["checks_for_95"]) == (None, None, None)


def test_rivals_change_no_label_of_a_flat_debate_but_attack(found: dict[str, Any]) -> None:
    rivals, honest = the(found, "debate", "rivals"), the(found, "debate", HONEST)
    assert numbers(rivals)[:-1] == numbers(honest)[:-1]
    assert honest["harm"] == 0 < rivals["harm"] < 0.3
    assert rivals["status"] == "ok"


def test_what_nobody_can_know_is_honest_and_says_why(found: dict[str, Any]) -> None:
    for row in rows(found, strategy="clock"):
        assert row["status"].startswith("honest: ")
        assert numbers(row) == numbers(the(found, row["protocol"], HONEST))


def test_harm_is_attacked_and_wrong(found: dict[str, Any]) -> None:
    assert all(row["harm"] == 0 for row in rows(found, strategy=HONEST))
    trusted = the(found, "open", "liar")
    assert 0.1 < trusted["harm"] <= 0.3


def test_worst_cases_are_the_maxima_told_again(found: dict[str, Any]) -> None:
    for row in found["worst"]:
        losses = [one["loss"] for one in rows(found, protocol=row["protocol"])]
        assert row["loss"] == max(losses)
        assert row["loss"] == the(found, row["protocol"], row["strategy"])["loss"]
        assert row["low"] <= row["loss"] <= row["high"]
        assert row["fresh"] != row["loss"]  # other items
        assert abs(row["fresh"] - row["loss"]) < 6 * np.sqrt(0.25 / (3 * 600))


def test_fresh_replicates_follow_the_others(folder: Path, found: dict[str, Any]) -> None:
    """They have the next numbers, so that nothing of them chose the case."""
    study = oversight.load(folder / "small.yaml")
    game = Game.of(study, searching=False)
    (row,) = (one for one in found["worst"] if one["protocol"] == "open")
    case = game.case("open", row["strategy"])
    ran = [run_replicate(game.study, number, [case]).rows[case] for number in (3, 4, 5)]
    assert row["fresh"] == pytest.approx(1 - np.mean([values[0] for values in ran]), abs=1e-12)


def test_the_equilibrium(found: dict[str, Any]) -> None:
    game = found["equilibrium"]
    matrix = np.array([[one["loss"] for one in rows(found, protocol=p)] for p in game["protocols"]])
    ours, theirs = (np.array([*game[side].values()]) for side in ("protocols", "strategies"))
    assert sum(game["protocols"].values()) == sum(game["strategies"].values()) == 1
    assert game["value"] == pytest.approx(ours @ matrix @ theirs, abs=1e-12)
    assert (ours @ matrix).max() <= game["value"] + 1e-9
    assert (matrix @ theirs).min() >= game["value"] - 1e-9
    assert 0 <= game["exploitability"] < 1e-9
    assert game["low"] <= game["value"] <= game["high"]
    price = matrix.max(axis=1).min() - matrix[:, 0].min()
    assert found["price_of_robustness"] == pytest.approx(price, abs=1e-12) != 0


def test_files(folder: Path, found: dict[str, Any]) -> None:
    tables = {}
    for name in ("play", "worst", "equilibrium"):
        with (folder / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    for table, told in ((tables["play"], found["rows"]), (tables["worst"], found["worst"])):
        text = [{k: "" if v is None else str(v) for k, v in row.items()} for row in told]
        assert table == text
    sides = found["equilibrium"]["protocols"], found["equilibrium"]["strategies"]
    weights = {(row["side"], row["name"]): float(row["weight"]) for row in tables["equilibrium"]}
    assert weights == {
        (side, name): weight
        for side, held in zip(("protocol", "strategy"), sides, strict=True)
        for name, weight in held.items()
    }
    manifest = json.loads((folder / "out" / "manifest.json").read_text())
    assert manifest["kind"] == "play"
    assert {"play.csv", "summary.csv", "runs.csv"} <= set(manifest["files"])


def test_a_run_goes_on_with_the_same_bytes(folder: Path, found: dict[str, Any]) -> None:
    """Half of the numbers are there already, and two processes do the rest."""
    options = ("--loss", "label", "--out", str(folder / "half"))
    assert invoke(folder, OWN, "--replicates", "2", *options).exit_code == 0
    assert play(folder, OWN, "-j", "2", *options) == found
    for name in ("play.csv", "worst.csv", "equilibrium.csv", "summary.csv", "runs.csv"):
        one, other = (folder / where / name for where in ("out", "half"))
        assert one.read_bytes() == other.read_bytes()


KILLED = """
import os, signal, sys
import oversight

done = []

def kill(replicate):
    done.append(replicate)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

oversight.play(oversight.load(sys.argv[1]), loss="label", out=sys.argv[2], progress=kill)
"""


def test_a_killed_run_goes_on(folder: Path, found: dict[str, Any]) -> None:
    (folder / "small.yaml").write_text(OWN, encoding="utf-8")
    out = folder / "killed"
    command = [sys.executable, "-c", KILLED, str(folder / "small.yaml"), str(out)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not (out / "play.csv").exists()
    done = invoke(folder, OWN, "--loss", "label", "--format", "json", "--out", str(out))
    assert json.loads(done.stdout) == found
    assert (out / "play.csv").read_bytes() == (folder / "out" / "play.csv").read_bytes()


def test_the_tables_name_everything(folder: Path) -> None:
    done = invoke(folder, OWN, "--loss", "label", "--out", str(folder / "out"))
    assert done.exit_code == 0
    for words in (
        "Loss (1 - label accuracy)",
        "b  liar",
        "Price of robustness",
        "all cost the same",
        "'control' is 'honest'",
        "'knowing' is 'liar'",
        "unaided, people under every strategy: honest: no strong model in it.",
    ):
        assert words in done.stdout, words
    assert "'bluffer' is" not in done.stdout  # the audited model states its verdicts
    assert "'hiding' is" not in done.stdout  # and is audited


def test_more_strategies_never_lower_a_maximum(folder: Path, found: dict[str, Any]) -> None:
    few = OWN[: OWN.index("  knowing:")]
    fewer = play(folder, few, "--loss", "label")
    assert [row["loss"] for row in fewer["worst"]] != [row["loss"] for row in found["worst"]]
    for less, more in zip(fewer["worst"], found["worst"], strict=True):
        assert less["loss"] <= more["loss"]
    assert fewer["equilibrium"]["value"] <= found["equilibrium"]["value"] + 1e-9


def test_constant_rows_have_no_price(folder: Path) -> None:
    text = SMALL[: SMALL.index("  open:")] + "  people: {decomposition: {}}\n"
    found = play(folder, text, "--loss", "label", "--replicates", "2")
    assert found["price_of_robustness"] == 0
    assert found["equilibrium"]["exploitability"] == 0
    assert {row["strategy"] for row in found["rows"]} == {HONEST, *STANDARD}


def test_harm_leaves_the_unaided_overseer_out(folder: Path) -> None:
    found = play(folder, OWN, "--loss", "harm", "--out", str(folder / "out"))
    assert "unaided" not in found["equilibrium"]["protocols"]
    assert [row["protocol"] for row in found["worst"]] == ["open", "debate", "people", "audit"]
    assert all(row["harm"] == row["loss"] == 0 for row in rows(found, protocol="unaided"))
    lone = SMALL[: SMALL.index("  open:")] + "  alone: {direct: {}}\n"
    done = invoke(folder, lone, "--loss", "harm")
    assert done.exit_code == 2
    assert "harm is no loss of the unaided overseer" in done.output


def test_responses_are_searched_for(folder: Path) -> None:
    """The search starts with a strategy that does little, and ends with a game in which none of the
    whole space does much better. Nobody works without the model, so that it matters."""
    text = SMALL.replace("  people: {decomposition: {}}\n", "")
    text = text + "strategies: {timid: {share: 0.01}}\n"
    plain = play(folder, text, "--loss", "label")
    options = ("--respond", "--tolerance", "0.004", "--loss", "label", "--share", "0.3")
    found = play(folder, text, *options)
    new = [*found["equilibrium"]["strategies"]][2:]
    assert new
    assert found["equilibrium"]["value"] > plain["equilibrium"]["value"]
    assert len(found["rows"]) == 4 * (2 + len(new))
    # the same space, written out
    places = ["random rate", "judge_weak rate", "judge_weak everything", "pivotal rate"]
    ways = product([*places, "unwatched coins"], ("belief", "bluff"), ("together", "apart"))
    every = {}
    for place, states, copies in ways:
        picks, knows = place.split()
        how = {"picks": picks, "knows": knows, "states": states, "copies": copies, "share": 0.3}
        every[f"{place} {states} {copies}"] = how
    study = oversight.load(folder / "small.yaml").changed(strategies=every)
    whole = oversight.play(study, loss="label")
    mixture = np.array([*found["equilibrium"]["protocols"].values()])
    gain = float((mixture @ whole.losses).max()) - found["equilibrium"]["value"]
    assert max(gain, 0) <= found["equilibrium"]["exploitability"] + 1e-9 <= 0.004 + 2e-9


def test_pgr_is_the_default_loss(folder: Path) -> None:
    found = play(folder, OWN, "--replicates", "4")
    assert found["loss"] == "pgr"
    for row in found["rows"]:
        assert row["loss"] == pytest.approx(1 - row["pgr"], abs=1e-12)


UNDEFINED = SMALL.replace("features: 8}", "features: 8, ceiling: 0.7}") + (
    "overseer: {accuracy: {root: 0.7, leaf: 0.92}}\nmodel: {accuracy: {root: 0.7, leaf: 0.98}}\n"
)


def test_an_undefined_loss_is_told(folder: Path) -> None:
    done = invoke(folder, UNDEFINED, "--format", "json")
    assert done.exit_code == 1
    assert "--loss label" in done.stderr
    found = json.loads(done.stdout)
    assert found["equilibrium"] is None is found["price_of_robustness"]
    assert found["worst"] == []
    assert all(row["loss"] is None is row["pgr"] for row in found["rows"])
    assert all(row["status"].startswith("undefined: ") for row in found["rows"])
    assert invoke(folder, UNDEFINED, "--loss", "label").exit_code == 0


def test_a_failed_cell_leaves_no_equilibrium(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mechanisms.debate import Debate

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Debate, "assess", broken)
    done = invoke(folder, OWN, "--loss", "label", "--format", "json", "--replicates", "2")
    assert done.exit_code == 1
    assert "a bug" in done.stderr
    found = json.loads(done.stdout)
    assert found["equilibrium"] is None
    assert the(found, "open", "liar")["loss"] is not None
    assert the(found, "debate", "liar")["loss"] is None


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("strategies: {}", ":11: strategies: no strategies to play; expected at least one"),
        ("strategies: {a: {picks: weak}}", ":11: strategies.a.picks: "),
        ("strategies: {a: {share: 1.5}}", ":11: strategies.a.share: "),
        ("strategies: {a: {share: -0.1}}", ":11: strategies.a.share: "),
        ("strategies: {a: {picks: unwatched}}", "expected knows: coins"),
        ("strategies: {a: {pick: random}}", "did you mean 'picks'?"),
        ("strategies: {a: {offered: true}}", ":11: strategies.a.offered: unknown key"),
        ("model: {strategy: {offered: true}}", ":11: model.strategy.offered: unknown key"),
        ("strategies: {honest: {share: 0.1}}", "is always played"),
        ("strategies: {a: 3}", ":11: strategies.a: "),
        ("play: {share: 2}", ":11: play.share: "),
        ("play: {items: 10, checks: 11}", "11 checks of 10 items"),
    ],
)
def test_bad_input(folder: Path, section: str, words: str) -> None:
    done = invoke(folder, SMALL + section + "\n")
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("option", [("--share", "2"), ("--tolerance", "0"), ("--loss", "money")])
def test_bad_options(folder: Path, option: tuple[str, str]) -> None:
    assert invoke(folder, SMALL, *option).exit_code == 2


def test_a_share_that_nothing_uses_is_told(folder: Path) -> None:
    done = invoke(folder, OWN, "--loss", "label", "--share", "0.5", "--out", str(folder / "out"))
    assert done.exit_code == 0
    assert "--share is left aside" in done.stderr


def test_labels_that_nothing_touches_are_not_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mechanisms.debate import Debate

    study = Study(
        world={"train_items": 100, "test_items": 100, "features": 4},
        protocols={"debate": "debate", "people": "decomposition"},
        strategies={"rivals": {"copies": "apart"}, "liars": {}},
    )
    game, asked = Game.of(study, searching=False), []
    assess = Debate.assess

    def counted(self: Debate, *arguments: Any) -> Any:
        asked.append(1)
        return assess(self, *arguments)

    monkeypatch.setattr(Debate, "assess", counted)
    cases = game.cases([HONEST, "rivals", "liars"])
    assert len(cases) == 2 + 1 + 2  # unaided and people once, debate three times
    run_replicate(game.study, 0, cases)
    assert len(asked) == 2


PROTOCOLS: dict[str, Any] = {
    "trusting": {"direct": {"overseer": "model"}},
    "debate": "debate",
    "tree": {"debate": {"tree": True}},
    "before a model": {"debate": {"judge": "model"}},
    "assigned": {"consultancy": {"candidates": 4}},
    "open": {"consultancy": {"open": True, "candidates": 4}},
    "critique": {"critique": {"candidates": 2}},
    "rewards": {"recursive_reward_modeling": {"samples": 40}},
    "parts": {"decomposition": {"checker": "model"}},
    "parts, hard": {"decomposition": {"checker": {"debate": {"tree": True}}, "aggregate": "hard"}},
    "audit": {"audit": {"of": "model", "share": 0.4}},
    "suspicion": {"audit": {"of": "model", "share": 0.4, "choose": "suspicion"}},
    "cascade": {"cascade": {"first": "model", "below": 0.9}},
    "audited debate": {"audit": {"of": "debate", "share": 0.4}},
    "vote": {"vote": {"members": ["model", "human", "debate"]}},
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_meaning_gives_the_same_labels(name: str) -> None:
    """Strategies that are called the same give the same labels and attack the same items, bit for
    bit; where nothing is called moved, labels are those of an honest model."""
    study = Study(
        world={"train_items": 120, "test_items": 10, "features": 4},
        protocols={name: PROTOCOLS[name]},
    )
    pool, protocol = study.world.pool(1, 0, "train"), study.cells[name]

    @cache
    def labels(strategy: Strategy | str) -> tuple[bytes, ...]:
        setting = Setting(study.overseer, study.model.changed(strategy=strategy))
        ready = prepared(protocol, pool, setting)
        verdicts = ready.protocol.assess(pool.roots)
        given = (verdicts.evidence.tobytes(), verdicts.answer.tobytes())
        if not moves(protocol, setting):
            assert strategy == HONEST or given == labels(HONEST)[:-1]
        return (*given, ready.attacked.tobytes())

    plainest = set()
    for strategy in searched(0.3).values():
        means = meaning(strategy, protocol, study.world)
        assert (means is None) == (strategy.knows == "clock")
        assert labels(strategy) == labels(HONEST if means is None else means)
        plainest.add(means)
    assert len(plainest) > 3


def test_a_lone_model_states_verdicts_and_argues_for_nobody() -> None:
    small = Study(world={"train_items": 20, "test_items": 20}, protocols={"alone": "direct"}).world
    bluff = Strategy(states="bluff", copies="apart")
    assert meaning(bluff, Model(), small) == Strategy(states="bluff", copies="together")


def test_one_part_that_is_looked_at_is_enough_for_unwatched_items() -> None:
    watched = {"audit": {"of": "model"}}
    unwatched = Strategy(picks="unwatched", knows="coins")
    for members, picks in (
        (["human", watched], "unwatched"),
        ([watched, "human"], "unwatched"),
        (["human", "model"], "random"),
    ):
        study = Study(protocols={"vote": {"vote": {"members": members}}})
        means = meaning(unwatched, study.protocols["vote"], study.world)
        assert means is not None
        assert means.picks == picks
