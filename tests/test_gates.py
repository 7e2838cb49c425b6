"""Gates and trees: by hand, by law, and what is said of wrong ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oversight.core.errors import TreeError
from oversight.worlds.gates import Gate, named, parse
from oversight.worlds.tree_files import FileTree, read_graph
from oversight.worlds.tree_graphs import from_graph
from tests.test_world import irregular


@st.composite
def tables(draw: st.DrawFn) -> Gate:
    children = draw(st.integers(1, 4))
    table = draw(st.lists(st.integers(0, 1), min_size=2**children, max_size=2**children))
    if len(set(table)) == 1:
        table[0] = 1 - table[0]
    return Gate(tuple(table))


def test_bit_order_by_hand() -> None:
    # True only where the first child is true and the second false: code 1.
    gate = parse("0100", 2)
    assert gate.output(
        np.array([[True, True, False, False], [False, True, True, False]])
    ).tolist() == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("and", [0, 0, 0, 0, 0, 0, 0, 1]),
        ("or", [0, 1, 1, 1, 1, 1, 1, 1]),
        ("xor", [0, 1, 1, 0, 1, 0, 0, 1]),
        ("majority", [0, 0, 0, 1, 0, 1, 1, 1]),
        ("repeat", [0, 0, 0, 1, 0, 1, 1, 1]),
    ],
)
def test_named_gates_of_three(name: str, outputs: list[int]) -> None:
    assert list(named(name, 3).table) == outputs


def test_a_tie_is_false() -> None:
    assert named("majority", 2).table == (0, 0, 0, 1)


@given(tables())
def test_the_nearest_codes_are_nearest(gate: Gate) -> None:
    table, count = gate.nearest
    size = len(gate.table)
    for value in (0, 1):
        yielding = [c for c in range(size) if gate.table[c] == value]
        for perceived in range(size):
            found = table[value, perceived, : count[value, perceived]].tolist()
            least = min((c ^ perceived).bit_count() for c in yielding)
            assert found == [c for c in yielding if (c ^ perceived).bit_count() == least]


@given(tables(), st.data())
def test_settled_is_what_the_rest_cannot_change(gate: Gate, data: st.DataObject) -> None:
    children = range(gate.children)
    known = data.draw(st.sets(st.sampled_from(children), min_size=1))
    values = {child: data.draw(st.booleans()) for child in known}
    outputs = {
        gate.table[code]
        for code in range(len(gate.table))
        if all(bool(code >> child & 1) == value for child, value in values.items())
    }
    asked = {child: np.array([value]) for child, value in values.items()}
    assert bool(gate.settled(asked)[0]) == (len(outputs) == 1)


@given(tables(), st.lists(st.floats(0.05, 0.95), min_size=4, max_size=4))
def test_chances_of_codes(gate: Gate, priors: list[float]) -> None:
    p = np.array(priors[: gate.children])
    chances = gate.code_chances(p)
    assert chances.sum() == pytest.approx(1)
    true = gate.prior(p)
    mixed = true * gate.given(True, p) + (1 - true) * gate.given(False, p)
    np.testing.assert_allclose(mixed, chances, atol=1e-12)
    np.testing.assert_allclose(chances @ gate.bits, p, atol=1e-12)


@pytest.mark.parametrize(
    ("gate", "children", "words"),
    [
        ("nand", 2, "no gate"),
        ("0111", 3, "expected 8 entries"),
        ("1111", 2, "constant"),
        ([0, 1, 2, 1], 2, "no gate"),
        (3, 2, "no gate"),
        ("and", 11, "between 1 and 10"),
    ],
)
def test_wrong_gates(gate: Any, children: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(gate, children)


def graph(edges: list[tuple[str, str]], **gates: Any) -> nx.DiGraph:
    made = nx.DiGraph(edges)
    for node, gate in gates.items():
        made.nodes[node]["gate"] = gate
    return made


def test_wrong_trees() -> None:
    lone = nx.DiGraph()
    with pytest.raises(TreeError, match="no nodes"):
        from_graph(lone)
    with pytest.raises(TreeError, match="a cycle"):
        from_graph(graph([("a", "b"), ("b", "a")], a="or", b="or"))
    with pytest.raises(TreeError, match="2 roots"):
        from_graph(graph([("a", "b"), ("c", "d")], a="or", c="or"))
    with pytest.raises(TreeError, match="'d' has several parents"):
        from_graph(graph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], a="or", b="or", c="or"))
    with pytest.raises(TreeError, match="'a' has children but no gate"):
        from_graph(graph([("a", "b")]))
    with pytest.raises(TreeError, match="'b' has a gate but no children"):
        from_graph(graph([("a", "b")], a="or", b="or"))
    with pytest.raises(TreeError, match="'a': a truth table of 4 entries"):
        from_graph(graph([("a", "b")], a="0111"))
    bad = graph([("a", "b")], a="or")
    for prior in (0, 1.0, "x", True, math.nan):
        bad.nodes["b"]["prior"] = prior
        with pytest.raises(TreeError, match="'b' has prior"):
            from_graph(bad)
    uneven = graph([("a", "b"), ("a", "c"), ("c", "d"), ("c", "e")], a="repeat", c="and")
    with pytest.raises(TreeError, match="repeats one question"):
        from_graph(uneven)


def test_heights_and_frontiers_of_an_irregular_tree() -> None:
    template = irregular()
    named_heights = dict(zip(template.labels, template.heights.tolist(), strict=True))
    assert named_heights["r"] == 3
    assert named_heights["a"] == named_heights["b"] == 2
    assert named_heights["c"] == named_heights["d"] == 1
    assert named_heights["x"] == named_heights["y"] == 0
    at_one = [template.labels[node] for node in template.frontier(0, 1)]
    assert at_one == ["c", "y", "d", "z", "x"]
    assert [template.labels[n] for n in template.inner(0, 1)] == ["a", "b", "r"]
    assert template.frontier(0, 9) == [0]


@pytest.mark.parametrize("edges", ["edges", "links"])
@pytest.mark.parametrize("multigraph", [None, True, False])
def test_files_read_the_same(edges: str, multigraph: bool | None, tmp_path: Path) -> None:
    made = graph(
        [("r", "a"), ("r", "b"), ("b", "c"), ("b", "d")], r="and", b="01 10".replace(" ", "")
    )
    made.nodes["a"]["prior"] = 0.7
    data = {
        "directed": True,
        "nodes": [{"id": n, **attributes} for n, attributes in made.nodes(data=True)],
        edges: [{"source": a, "target": b} for a, b in made.edges()],
    }
    if multigraph is not None:
        data["multigraph"] = multigraph
    (tmp_path / "t.json").write_text(json.dumps(data))
    nx.write_graphml(made, tmp_path / "t.graphml")
    one = from_graph(read_graph(tmp_path, "t.json"))
    two = from_graph(read_graph(tmp_path, "t.graphml"))
    assert one.labels == two.labels == from_graph(made).labels
    assert one.gate == two.gate
    assert one.leaf_prior[1] == two.leaf_prior[1] == 0.7


def test_edges_twice_and_undirected_graphs_are_refused(tmp_path: Path) -> None:
    twice = {
        "directed": True,
        "multigraph": True,
        "nodes": [{"id": "a", "gate": "or"}, {"id": "b"}],
        "edges": [{"source": "a", "target": "b"}] * 2,
    }
    (tmp_path / "t.json").write_text(json.dumps(twice))
    with pytest.raises(TreeError, match="two edges"):
        from_graph(read_graph(tmp_path, "t.json"))
    (tmp_path / "t.json").write_text(json.dumps({**twice, "directed": False}))
    with pytest.raises(TreeError, match="undirected"):
        read_graph(tmp_path, "t.json")
    (tmp_path / "t.graphml").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><graphml/>")
    with pytest.raises(TreeError, match="document type"):
        read_graph(tmp_path, "t.graphml")


def test_a_tree_file_is_read_where_the_scenario_lies(tmp_path: Path) -> None:
    lone = {"directed": True, "nodes": [{"id": "a"}], "edges": []}
    (tmp_path / "t.json").write_text(json.dumps(lone))
    read = FileTree.model_validate({"kind": "file", "path": "t.json"}, context={"folder": tmp_path})
    assert read.tree.height == 0
