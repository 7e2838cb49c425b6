"""What people get wrong: each message says where, what, and what would be right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from oversight.cli.main import main

OK = "oversight: 1\nprotocols:\n  a: {direct: {}}\n"
KNOBS = "oversight: 1\nprotocols:\n  a: "
TREE = OK + "world: {tree: "

# name: (file, line and path after the file's name, words of the message)
BAD: dict[str, tuple[str, str, str]] = {
    "unknown key": (OK + "replicats: 3\n", ":4: replicats", "did you mean 'replicates'?"),
    "unknown knob, nested": (
        "oversight: 1\nprotocols:\n  a:\n    decomposition:\n      checker:\n        debate:\n"
        "          turms: 2\n",
        ":7: protocols.a.decomposition.checker.debate.turms",
        "did you mean 'turns'?",
    ),
    "word for a number": (OK + "replicates: many\n", ":4: replicates", "expected a valid integer"),
    "fraction": (OK + "replicates: 2.5\n", ":4: replicates", "expected a valid integer"),
    "quoted number": (OK + 'seed: "4"\n', ":4: seed", "expected a valid integer"),
    "truth for a number": (OK + "seed: true\n", ":4: seed", "expected a valid integer"),
    "date": (OK + "seed: 2026-01-01\n", ":4: seed", "expected a valid integer"),
    "negative seed": (OK + "seed: -1\n", ":4: seed", "greater than or equal to 0"),
    "huge number": (OK + f"seed: {10**30}\n", ":4: seed", "expected less than"),
    "no replicates": (OK + "replicates: 0\n", ":4: replicates", "greater than or equal to 1"),
    "NaN": (OK + "overseer: {structure: .nan}\n", ":4: overseer.structure", "finite number"),
    "infinity": (OK + "overseer: {confidence: .inf}\n", ":4: overseer.confidence", "finite"),
    "NaN ceiling": (OK + "world: {ceiling: .nan}\n", ":4: world.ceiling", "expected"),
    "negative minutes": (
        OK + "overseer: {minutes: {root: -1}}\n",
        ":4: overseer.minutes.root",
        "0",
    ),
    "share above one": (
        OK + "overseer: {structure: 2}\n",
        ":4: overseer.structure",
        "or equal to 1",
    ),
    "accuracy below chance": (
        OK + "overseer: {accuracy: {root: 0.4, leaf: 0.9}}\n",
        ":4: overseer.accuracy",
        "expected above 0.5 and at most the ceiling 0.95",
    ),
    "accuracy above the ceiling": (
        OK + "overseer: {accuracy: {root: 0.97, leaf: 0.9}}\n",
        ":4: overseer.accuracy",
        "at most the ceiling 0.95",
    ),
    "model above the ceiling": (
        OK + "model: {accuracy: {root: 0.99, leaf: 0.9}}\n",
        ":4: model.accuracy",
        "at most the ceiling 0.95",
    ),
    "leaf accuracy below chance": (
        OK + "overseer: {accuracy: {root: 0.7, leaf: 0.3}}\n",
        ":4: overseer.accuracy",
        "expected above 0.5",
    ),
    "too few accuracies": (
        OK + "overseer: {accuracy: [0.7, 0.8]}\n",
        ":4: overseer.accuracy",
        "2 accuracies for a tree of 3 levels",
    ),
    "lone accuracy": (OK + "overseer: {accuracy: 0.7}\n", ":4: overseer.accuracy", "root"),
    "NaN accuracy": (
        OK + "overseer: {accuracy: {root: .nan, leaf: 0.9}}\n",
        ":4: overseer.accuracy.root",
        "finite",
    ),
    "a nested person above the ceiling": (
        "oversight: 1\nprotocols:\n  a:\n    debate:\n      judge:\n"
        "        human: {accuracy: {root: 0.99, leaf: 0.9}}\n",
        ":6: protocols.a.debate.judge.human.accuracy",
        "at most the ceiling 0.95",
    ),
    "unknown mechanism": (
        KNOBS + "{debat: {}}\n",
        ":3: protocols.a.debat",
        "did you mean 'debate'? (one of your own? register it as an entry point",
    ),
    "no protocols": ("oversight: 1\nprotocols: {}\n", ":2: protocols", "at least one"),
    "protocols left out": ("oversight: 1\n", ":1: protocols", "missing"),
    "protocols empty": ("oversight: 1\nprotocols:\n", ":2: protocols", "expected keys and values"),
    "protocols listed": ("oversight: 1\nprotocols: [debate]\n", ":2: protocols", "keys and values"),
    "a number for a protocol": (KNOBS + "3\n", ":3: protocols.a", "expected an overseer"),
    "nothing for a protocol": (KNOBS + "\n", ":3: protocols.a", "expected an overseer"),
    "two mechanisms in one": (KNOBS + "{debate: {}, direct: {}}\n", ":3: protocols.a", "2 names"),
    "no name": ("oversight: 1\nprotocols:\n  '': direct\n", ":3: protocols.", "printable"),
    "the baseline's name": (
        "oversight: 1\nprotocols:\n  unaided: {debate: {}}\n",
        ":3: protocols.unaided",
        "names the baseline",
    ),
    "YAML 1.1 truth": (
        KNOBS + "{consultancy: {open: yes}}\n",
        ":3: protocols.a.consultancy.open",
        "YAML 1.2 writes true and false",
    ),
    "no votes": (
        KNOBS + "{decomposition: {votes: 0}}\n",
        ":3: protocols.a.decomposition.votes",
        "1",
    ),
    "null knob": (KNOBS + "{debate: {turns: null}}\n", ":3: protocols.a.debate.turns", "integer"),
    "a slot for Python": (
        KNOBS + "{decomposition: {aggregator: soft}}\n",
        ":3: protocols.a.decomposition.aggregator",
        "set from Python",
    ),
    "a person who argues": (
        KNOBS + "{debate: {debater: human}}\n",
        ":3: protocols.a.debate",
        "model",
    ),
    "duplicate key": ("oversight: 1\nseed: 1\nseed: 2\n", ":3: ", 'duplicate key "seed"'),
    "future schema": ("oversight: 2\nnew: {}\n", ":1: oversight", "from the future"),
    "no schema": ("protocols: {a: direct}\n", ":1: oversight", "missing"),
    "schema in words": ("oversight: one\nprotocols: {a: direct}\n", ":1: oversight", "version"),
    "empty file": ("", ": ", "is empty"),
    "a list": ("- 1\n", ": ", "holds a list"),
    "a word": ("hello\n", ": ", "expected keys and values"),
    "a tab": ("oversight: 1\n\tseed: 3\n", ":2: ", "not YAML 1.2"),
    "two documents": (OK + "---\n" + OK, ":4: ", "another document"),
    "unknown alias": (OK + "seed: *x\n", ":4: ", "undefined alias"),
    "a protocol in itself": (KNOBS + "&x {debate: {judge: *x}}\n", ":3: ", "part of itself"),
    "aliases without end": (
        "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{k}: &{k} [{','.join([f'*{j}'] * 9)}]\n" for j, k in ("ab", "bc", "cd", "de", "ef")
        ),
        ": ",
        "once aliases are written out",
    ),
    "deep nesting": ("oversight: " + "[" * 400 + "]" * 400, ": ", "nested too deeply"),
    "wrong table": (
        TREE + "{branching: 3, depth: 1, gates: ['0111']}}\n",
        ":4: world.tree.gates.0",
        "expected 8 entries",
    ),
    "constant table": (
        TREE + "{branching: 2, depth: 1, gates: ['1111']}}\n",
        ":4: world.tree.gates.0",
        "constant truth table",
    ),
    "unknown gate": (
        TREE + "{branching: 2, depth: 1, gates: [nor]}}\n",
        ":4: world.tree.gates.0",
        "expected and, or, xor, majority, repeat",
    ),
    "too few gates": (TREE + "{depth: 3, gates: [or]}}\n", ":4: world.tree.gates", "expected 3"),
    "a tree of 10^9 nodes": (
        TREE + "{branching: 10, depth: 9}}\n",
        ":4: world.tree",
        "a tree of 1,111,111,111 nodes; at most 50,000",
    ),
    "a tree without end": (TREE + "{depth: 900000000}}\n", ":4: world.tree.depth", "200"),
    "too many claims": (
        OK + "world: {train_items: 1000000, tree: {depth: 7}}\n",
        ":4: world",
        "fewer items or a smaller tree",
    ),
    "wide gates": (TREE + "{branching: 11, depth: 1}}\n", ":4: world.tree.branching", "1 and 10"),
    "kind of tree": (TREE + "{kind: round}}\n", ":4: world.tree.kind", "balanced, file"),
    "leaf prior": (TREE + "{leaf_prior: 1.5}}\n", ":4: world.tree.leaf_prior", "between 0 and 1"),
    "no fair root": (
        TREE + "{branching: 2, depth: 1, gates: ['0001'], leaf_prior: even}}\n",
        ":4: world.tree.leaf_prior",
        "expected balanced or a number",
    ),
    "missing tree": (
        TREE + "{kind: file, path: no.json}}\n",
        ":4: world.tree.path",
        "no.json: no such file; beside the scenario: cyclic.json",
    ),
    "tree outside": (
        TREE + "{kind: file, path: ../secret.json}}\n",
        ":4: world.tree.path",
        "outside the scenario's folder",
    ),
    "tree through a link": (
        TREE + "{kind: file, path: link.json}}\n",
        ":4: world.tree.path",
        "outside the scenario's folder",
    ),
    "tree without a path": (TREE + "{kind: file}}\n", ":4: world.tree.path", "missing"),
    "cyclic tree": (TREE + "{kind: file, path: cyclic.json}}\n", ":4: world.tree.path", "a cycle"),
    "unrooted tree": (TREE + "{kind: file, path: two.json}}\n", ":4: world.tree.path", "2 roots"),
    "tree not JSON": (
        TREE + "{kind: file, path: no tree.json}}\n",
        ":4: world.tree",
        "not readable",
    ),
    "unknown world": (OK + "world: {kind: concpt}\n", ":4: world.kind", "did you mean 'concept'"),
    "world listed": (OK + "world: [1]\n", ":4: world", "expected keys and values"),
    "people in a word": (OK + "overseer: good\n", ":4: overseer", "expected keys and values"),
    "narrow representation": (
        OK + "student: {features: 99}\n",
        ":4: student.features",
        "expected at most 32",
    ),
    "unknown loss": (OK + "student: {loss: hinge}\n", ":4: student.loss", "'cross-entropy'"),
    "not built yet": (OK + "calibrate: {people: 3}\n", ":4: calibrate", "unknown key"),
    "nobody": (OK + "desk: {people: 0}\n", ":4: desk.people", "nobody to do the work"),
    "negative hours": (OK + "desk:\n  hours: -5\n", ":5: desk.hours", "-5 is not right"),
    "a sitting longer than the day": (
        OK + "desk:\n  hours_per_day: 2\n  sitting: 180\n",
        ":6: desk.sitting",
        "no more than the day has",
    ),
    "a deadline before the start": (
        OK + "desk: {deadline: 8}\n",
        ":4: desk.deadline",
        "before anybody has started",
    ),
    "a sweep of nothing": (OK + "sweep:\n  seed: []\n", ":5: sweep.seed", "no values"),
    "a sweep along a path that leads nowhere": (
        OK + "sweep:\n  overseer.acuracy.root: [0.6, 0.7]\n",
        ":5: sweep.overseer.acuracy.root",
        "did you mean 'accuracy'",
    ),
    "a sweep into what cannot be": (
        OK + "sweep:\n  overseer.accuracy.root: [0.6, 0.99]\n",
        ":5: sweep.overseer.accuracy.root",
        "at most the ceiling",
    ),
    "a sweep of a protocol that is not there": (
        OK + "sweep:\n  protocols.x.debate.turns: [1, 2]\n",
        ":5: sweep.protocols.x.debate.turns",
        "unknown key 'x'",
    ),
    "a range that ends before it starts": (
        OK + "sweep:\n  overseer.structure: {from: 0.5, to: 0.2}\n",
        ":5: sweep.overseer.structure",
        "is no range",
    ),
    "words to sweep": (
        OK + "sweep:\n  overseer.structure: [low, high]\n",
        ":5: sweep.overseer.structure",
        "'low' is no number",
    ),
    "a sweep of a desk that is not there": (
        OK + "sweep:\n  desk.people: [1, 2]\n",
        ":5: sweep.desk.people",
        "left out here",
    ),
    "samples that are no power of two": (
        OK + "sensitivity:\n  samples: 48\n",
        ":5: sensitivity.samples",
        "no power of two",
    ),
    "a sensitivity to nothing known": (
        OK + "sensitivity:\n  knobs:\n    overseer.skil: [0.1, 0.2]\n",
        ":6: sensitivity.knobs.overseer.skil",
        "unknown key 'skil'",
    ),
    "code": ("oversight: !!python/object/apply:os.system ['x']\n", ":1: ", "expected"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    node = '{"id": "%s", "gate": "or"}'
    edge = '{"source": "%s", "target": "%s"}'
    nodes, edges = f"[{node % 'a'}, {node % 'b'}]", f"[{edge % ('a', 'b')}, {edge % ('b', 'a')}]"
    cyclic = f'{{"nodes": {nodes}, "edges": {edges}}}'
    (inside / "cyclic.json").write_text(cyclic)
    (inside / "two.json").write_text('{"nodes": [{"id": "a"}, {"id": "b"}], "edges": []}')
    (inside / "no tree.json").write_text("{")
    (tmp_path / "secret.json").write_text('{"nodes": [{"id": "a"}], "edges": []}')
    os.symlink(tmp_path / "secret.json", inside / "link.json")
    monkeypatch.chdir(inside)
    return inside


@pytest.mark.parametrize("name", BAD)
def test_every_message(name: str, folder: Path) -> None:
    text, place, words = BAD[name]
    (folder / "bad.yaml").write_text(text)
    before = sorted(folder.iterdir())
    done = CliRunner().invoke(main, ["compare", "bad.yaml", "--out", "results"])
    assert done.exit_code == 2
    assert done.stdout == ""
    hits = [line for line in done.stderr.splitlines() if line.startswith(f"bad.yaml{place}")]
    assert hits, done.stderr
    assert any(words in line for line in hits), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(folder.iterdir()) == before


def test_everything_at_once_in_the_order_of_the_file(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        OK + "seed: -1\nreplicates: 0\noverseer: {structure: 2}\nworld: {ceiling: 0.4}\nzzz: 1\n"
    )
    done = CliRunner().invoke(main, ["check", "bad.yaml"])
    assert done.exit_code == 2
    places = [line.split(": ")[0:2] for line in done.stderr.splitlines()]
    wanted = ["seed", "replicates", "overseer.structure", "world.ceiling", "zzz"]
    assert places == [[f"bad.yaml:{4 + i}", key] for i, key in enumerate(wanted)]


@pytest.mark.parametrize(
    ("content", "words"), [(bytes(range(256)), "not text in UTF-8"), (b"a: \x00", "binary file")]
)
def test_binary_files(content: bytes, words: str, folder: Path) -> None:
    (folder / "bad.yaml").write_bytes(content)
    done = CliRunner().invoke(main, ["compare", "bad.yaml"])
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("missing.yaml", "no such file or shipped scenario"),
        ("quikstart", "did you mean 'quickstart'?"),
        (".", "is a folder"),
    ],
)
def test_files_that_are_not_there(scenario: str, words: str, folder: Path) -> None:
    done = CliRunner().invoke(main, ["compare", scenario])
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    "name", ["unknown key", "empty file", "cyclic tree", "a protocol in itself"]
)
def test_through_the_real_command(name: str, folder: Path) -> None:
    text, place, words = BAD[name]
    (folder / "bad.yaml").write_text(text)
    command = [sys.executable, "-m", "oversight", "compare", "bad.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"bad.yaml{place}" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("compare quickstart --precision inf", "--precision inf: expected"),
        ("compare quickstart --precision nan", "nan is no number"),
        ("stress quickstart --tolerance nan", "nan is no number"),
        ("design quickstart --minutes nan", "nan is no number"),
        ("compare quickstart --precision 0.02 --most 3", "at least the scenario's 20 replicates"),
        ("compare quickstart --most 50", "where --precision gives up"),
        ("compare quickstart --retry", "an earlier run's --out"),
        ("stress quickstart -j 2 --cluster tcp://h:1", "expected one of them"),
        ("sensitivity quickstart --samples 3", "--samples: 3 is no power of two"),
        ("sensitivity quickstart --knob overseer.structure=0.9:0.3", "--knob overseer.structure: "),
        ("sensitivity quickstart --knob overseer.structure=0:1e999", "inf is no number"),
        ("sensitivity quickstart --knob replicates=1:10", "replicates: cannot be varied"),
        ("sensitivity quickstart --knob sweep.x=0:1", "sweep.x: cannot be varied"),
        ("sensitivity quickstart --knob seed=0:1 --knob seed=2:3", "--knob seed: given twice"),
        ("sensitivity quickstart --knob seed", "expected like overseer.structure=0.3:0.9"),
    ],
)
def test_options_that_do_not_fit(command: str, says: str) -> None:
    done = CliRunner().invoke(main, command.split())
    assert done.exit_code == 2
    assert says in done.stderr
    assert "Value error" not in done.stderr


def test_a_sweep_that_is_left_aside_is_told(folder: Path) -> None:
    (folder / "swept.yaml").write_text(OK + "sweep:\n  overseer.structure: [0.2, 0.3, 0.4]\n")
    done = CliRunner().invoke(main, ["check", "swept.yaml"])
    assert done.stdout.strip().endswith(", 3 points")
    done = CliRunner().invoke(main, ["stress", "swept.yaml", "--failure", "none"])
    assert "its sweep is left aside; compare runs it" in done.stderr


def test_options_out_of_range() -> None:
    for option in (["--replicates", "0"], ["-j", "0"], ["--seed", "-1"], ["--format", "xml"]):
        done = CliRunner().invoke(main, ["compare", "quickstart", *option])
        assert done.exit_code == 2
        assert option[0].strip("-") in done.stderr
