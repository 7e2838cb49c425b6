"""Input that is hostile, or merely odd: refused in words, at once, with a short message."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from oversight.core.errors import ScenarioError
from oversight.studies.scenario import load

OK = "oversight: 1\nprotocols:\n  a: {debate: {}}\n"
FILE = OK + "world: {tree: {kind: file, path: tree.json}}\n"
PEOPLE = OK + "overseer: "

# name: (the scenario, place after the file's name, words of the message)
ODD: dict[str, tuple[str, str, str]] = {
    "a wrong value that is merged": (
        "oversight: 1\nprotocols:\n  b: {debate: &x {turns: -1}}\n  a: {debate: {<<: *x}}\n",
        ":3: protocols.a.debate.turns",
        "greater than or equal to 0",
    ),
    "an unknown key that is merged": (
        "oversight: 1\nprotocols:\n  a: {debate: {<<: {turms: 2}}}\n",
        ":3: protocols.a.debate.turms",
        "did you mean 'turns'?",
    ),
    "a merge of a number": (OK + "overseer: {<<: 3}\n", ":4: ", "merges keys and values"),
    "a kind in a list": (OK + "world: {tree: {kind: [a]}}\n", ":4: world.tree.kind", "balanced"),
    "5,000 digits": (OK + "seed: 0x" + "f" * 5000 + "\n", ":4: ", "a number of 5,002 characters"),
    "a tag that does not fit": (
        "oversight: 1\nprotocols:\n  a: {debate: {turns: !!bool 1}}\n",
        ":3: ",
        "'1' is no !!bool",
    ),
    "YAML of the future": ("%YAML 1.3\n---\n" + OK, ": ", "is not YAML 1.2"),
    "half a character": (OK + 'about: "\\ud800"\n', ":4: ", "half a character"),
    "half a character for a key": (OK + '"\\ud800": 1\n', ":4: ", "half a character"),
    "a list for a key": (OK + "? [a, b]\n: 1\n", ":4: ", "a key that is itself a list"),
    "a list in a sweep's list": (
        OK + "sweep: {overseer.structure: [0.1, [0.2, 0.3]]}\n",
        ":4: sweep.overseer.structure",
        "is no number",
    ),
    "a range too wide for numbers": (
        OK + "sweep: {overseer.structure: {from: -1.0e308, to: 1.0e308}}\n",
        ":4: sweep.overseer.structure",
        "expected at most 1,000,000,000",
    ),
    "1 and '1'": (
        "oversight: 1\nprotocols:\n  1: direct\n  '1': {debate: {}}\n",
        ":4: ",
        'duplicate key "1"',
    ),
    "a leaf that is never true": (
        OK + "world: {tree: {leaf_prior: 1.0e-300}}\n",
        ":4: world.tree.leaf_prior",
        "from 0.000001 to 0.999999",
    ),
    "an inner question that is never true": (
        OK + "world: {tree: {depth: 4, gates: [and, and, and, and], leaf_prior: 0.1}}\n",
        ":4: world.tree",
        "before anyone looks",
    ),
    "minutes without end": (
        PEOPLE + "{minutes: {root: 1.0e308}}\n",
        ":4: overseer.minutes.root",
        "less than or equal to 1000000",
    ),
    "confidence without end": (
        PEOPLE + "{confidence: 1.0e300}\n",
        ":4: overseer.confidence",
        "less than or equal to 1000",
    ),
    "skill without end": (
        PEOPLE + "{skill_sd: 1.0e+9}\n",
        ":4: overseer.skill_sd",
        "less than or equal to 10",
    ),
    "hours without end": (OK + "desk: {hours: 1.0e300}\n", ":4: desk.hours", "at most 1,000"),
    "breaks without length": (
        OK + "desk: {break_after: 1.0e-300}\n",
        ":4: desk.break_after",
        "at least 1e-09",
    ),
    "turns without end": (
        "oversight: 1\nprotocols:\n  a: {debate: {turns: 1000000}}\n",
        ":3: protocols.a.debate.turns",
        "less than or equal to 1000",
    ),
    "a failure of any size": (
        OK + "failures: {f: {kind: overconfidence, most: .inf}}\n",
        ":4: failures.f.most",
        "finite",
    ),
    "names that differ in blanks": (
        "oversight: 1\nprotocols:\n  'x ': direct\n  x: {debate: {}}\n",
        ":4: protocols.x",
        "looks like 'x '",
    ),
    "names that differ in accents' bytes": (
        "oversight: 1\nprotocols:\n  caf\u00e9: direct\n  cafe\u0301: {debate: {}}\n",
        ":4: protocols.cafe\u0301",
        "looks like 'caf\u00e9'",
    ),
    "failures that differ in blanks": (
        OK + "failures: {'f ': {kind: random_flips}, f: {kind: random_flips}}\n",
        ":4: failures.f",
        "looks like 'f '",
    ),
    "the baseline's name and a blank": (
        "oversight: 1\nprotocols:\n  'unaided ': {debate: {}}\n",
        ":3: protocols.unaided ",
        "names the baseline",
    ),
}


def refusals(folder: Path, text: str) -> list[str]:
    """The problems of a scenario of this text."""
    (folder / "odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        load(folder / "odd.yaml")
    return [
        str(problem).removeprefix(str(folder / "odd.yaml")) for problem in refused.value.problems
    ]


@pytest.mark.parametrize("name", ODD)
def test_odd_scenarios(name: str, tmp_path: Path) -> None:
    text, place, words = ODD[name]
    problems = refusals(tmp_path, text)
    assert any(p.startswith(place) and words in p for p in problems), problems


TREES: dict[str, tuple[str, str]] = {
    "a node that is no object": ('{"nodes": ["a"], "edges": []}', "node 1 has no `id`"),
    "brackets without end": ("[" * 100_000, "nested too deeply"),
    "an edge from nowhere": (
        '{"nodes": [{"id": "a"}], "edges": [{"target": "a"}]}',
        "edge 1 needs a `source` and a `target`",
    ),
    "edges in a word": ('{"nodes": [{"id": "a"}], "edges": "none"}', "`edges` is no list"),
    "an id that is a list": ('{"nodes": [{"id": [1]}], "edges": []}', "the id of node 1 is [1]"),
    "1 and '1'": ('{"nodes": [{"id": 1}, {"id": "1"}], "edges": []}', "two nodes have the id"),
    "a prior of nothing": (
        '{"nodes": [{"id": "a", "prior": 1e-300}], "edges": []}',
        "expected a number between 0 and 1",
    ),
    "a gate that is an object": (
        '{"nodes": [{"id": "a", "gate": {"x": 1}}, {"id": "b"}], '
        '"edges": [{"source": "a", "target": "b"}]}',
        "node 'a'",
    ),
    "bytes": ("\ud800", "not text in UTF-8"),
}


@pytest.mark.parametrize("name", TREES)
def test_odd_trees(name: str, tmp_path: Path) -> None:
    text, words = TREES[name]
    (tmp_path / "tree.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    (problem,) = refusals(tmp_path, FILE)
    assert problem.startswith(":4: world.tree.path: tree.json: ")
    assert words in problem
    assert "Error" not in problem


def test_graphml_without_types_is_read_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    graph = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
      <key id="gate" for="node" attr.name="gate"/>
      <graph edgedefault="directed">
        <node id="a"><data key="gate">or</data></node><node id="b"/><node id="c"/>
        <edge source="a" target="b"/><edge source="a" target="c"/>
      </graph></graphml>"""
    (tmp_path / "tree.graphml").write_text(graph)
    (tmp_path / "typeless.yaml").write_text(FILE.replace(".json", ".graphml"))
    assert len(load(tmp_path / "typeless.yaml").world.task_tree) == 3
    assert not list(recwarn)


def test_graphml_without_sense(tmp_path: Path) -> None:
    (tmp_path / "tree.graphml").write_text("<graphml><graph/></graph>")
    (problem,) = refusals(tmp_path, FILE.replace(".json", ".graphml"))
    assert "not readable as GraphML" in problem
    assert "Error" not in problem


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x" * 300 + ".json", "cannot be read: File name too long"),
        ("self.json", "cannot be read"),
        ("'a\\0b.json'", "no such file"),
        ("closed.json", "cannot be read: Permission denied"),
    ],
)
def test_tree_files_that_cannot_be_read(
    path: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.symlink("self.json", tmp_path / "self.json")
    (tmp_path / "closed.json").write_text("{}")
    read_bytes = Path.read_bytes

    def denied(self: Path) -> bytes:
        if self.name == "closed.json":
            raise PermissionError(13, "Permission denied")
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", denied)
    (problem,) = refusals(tmp_path, FILE.replace("tree.json", path))
    assert words in problem


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".yaml", "a\0b"])
def test_scenarios_that_no_file_can_be_called(name: str) -> None:
    with pytest.raises(ScenarioError, match="no such file"):
        load(name)


HEAVY = {
    "0.5 MB of flow lists": (OK + "sweep: {a: [" + "1," * 240_000 + "]}\n", "more than 10,000"),
    "2 MB of flow lists": (OK + "sweep: {a: [" + "1," * 1_000_000 + "]}\n", "a file of 2,000,0"),
    "400 merges of 2,000 keys": (
        f"oversight: 1\nx: &x {{{', '.join(f'k{i}: 1' for i in range(2000))}}}\nprotocols:\n"
        + "".join(f"  p{i}: {{<<: *x}}\n" for i in range(400)),
        "once aliases are written out",
    ),
    "4,000 unknown keys": (OK + "".join(f"zz{i}: 1\n" for i in range(4000)), "3,980 more"),
    "2,000 wrong protocols": (
        "oversight: 1\nprotocols:\n" + "".join(f"  p{i}: {{debat: {{}}}}\n" for i in range(2000)),
        "and 1,950 more problems",
    ),
    "a word of 400 kB": (OK + "seed: '" + "z" * 400_000 + "'\n", "expected a valid integer"),
    "a key of 400 kB": (OK + "z" * 400_000 + ": 1\n", "is not YAML 1.2"),
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_scenarios_are_refused_at_once(name: str, tmp_path: Path) -> None:
    text, words = HEAVY[name]
    began = time.process_time()
    problems = refusals(tmp_path, text)
    assert time.process_time() - began < 2
    assert any(words in problem for problem in problems), problems[-1]
    assert len(problems) <= 60
    assert max(map(len, problems)) < 700


def circle(nodes: int) -> str:
    names = [{"id": str(i), "gate": "repeat"} for i in range(nodes)]
    edges = [{"source": str(i), "target": str((i + 1) % nodes)} for i in range(nodes)]
    return json.dumps({"nodes": names, "edges": edges})


HEAVY_TREES = {
    "GraphML of 900,000 nodes": (
        "tree.graphml",
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
        + "".join(f'<node id="{i}"/>' for i in range(900_000))
        + "</graph></graphml>",
        "a tree of 900,000 nodes; at most 50,000 fit",
    ),
    "a circle of 50,000 nodes": ("tree.json", circle(50_000), "-> 49,995 more)"),
}


@pytest.mark.parametrize("name", HEAVY_TREES)
def test_heavy_trees_are_refused_at_once(name: str, tmp_path: Path) -> None:
    file, text, words = HEAVY_TREES[name]
    (tmp_path / file).write_text(text)
    began = time.process_time()
    (problem,) = refusals(tmp_path, FILE.replace("tree.json", file))
    assert time.process_time() - began < 2
    assert words in problem
    assert len(problem) < 400
