"""Directed graphs from node-link JSON and GraphML files, refused at once where they are no tree's.

Limits hold before a graph is built: a file of a million nodes costs no memory.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import networkx as nx

from oversight.core.errors import TreeError
from oversight.core.messages import clipped, plain_reason
from oversight.worlds.tree import MOST_NODES

if TYPE_CHECKING:
    from oversight.worlds.tree_graphs import Graph

MOST_BYTES = 20_000_000
MOST_TAGS = 10 * MOST_NODES
"""Elements of GraphML: a node has a few keys, an edge one line."""
ELEMENT = re.compile(r"<(?:\w+:)?(node|edge)\b")
SHAPE = '{"directed": true, "nodes": [{"id": ..}, ..], "edges": [{"source": .., "target": ..}, ..]}'

UNDIRECTED = "the graph is undirected; expected edges from question to sub-question"


def read_graph(folder: Path, path: str) -> Graph:
    """The graph in a file inside `folder`; raises TreeError for anything that is no readable
    directed graph."""
    text = _text(folder, path)
    graphml = path.endswith(".graphml")
    try:
        graph = _from_graphml(text) if graphml else _from_json(text)
    except TreeError as error:
        raise TreeError(clipped(str(error))) from None
    except RecursionError:
        raise TreeError("is nested too deeply; expected " + SHAPE) from None
    except Exception as error:  # the parsers fail in ways of their own where a text is none
        kind = "GraphML" if graphml else "node-link JSON"
        raise TreeError(clipped(f"not readable as {kind}: {plain_reason(error)}")) from None
    if graph.is_multigraph() and len(set(graph.edges())) == graph.number_of_edges():
        graph = nx.DiGraph(graph)
    return graph


def _text(folder: Path, path: str) -> str:
    """The text of a file inside `folder`."""
    try:
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise TreeError(
                f"lies outside the scenario's folder; put the file in {folder.resolve().name}/"
            )
        if not place.is_file():
            beside = sorted(p.name for p in folder.glob("*") if p.suffix in (".json", ".graphml"))
            listed = clipped(", ".join(beside)) or "no .json or .graphml file"
            raise TreeError(f"no such file; beside the scenario: {listed}")
        size = place.stat().st_size
        if size > MOST_BYTES:
            raise TreeError(f"a file of {size:,} bytes; at most {MOST_BYTES:,}")
        return place.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise TreeError("is not text in UTF-8; expected node-link JSON or GraphML") from None
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, TreeError):
            raise
        # No rights, a name that no file can have, or links that lead in a circle.
        reason = getattr(error, "strerror", None) or "not a name of a file"
        raise TreeError(f"cannot be read: {reason}") from None


def _few(nodes: int, edges: int) -> None:
    """Refuse more nodes or edges than a tree can have."""
    for number, what in ((nodes, "nodes"), (edges, "edges")):
        if number > MOST_NODES:
            raise TreeError(f"a tree of {number:,} {what}; at most {MOST_NODES:,} fit")


def _from_graphml(text: str) -> Graph:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TreeError("document type declarations are not read")
    kinds = [match[1] for match in ELEMENT.finditer(text)]
    _few(kinds.count("node"), kinds.count("edge"))
    if text.count("<") > MOST_TAGS:
        raise TreeError(f"GraphML of {text.count('<'):,} tags; at most {MOST_TAGS:,}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # attributes without a type are text
        graph: Graph = nx.parse_graphml(text)  # type: ignore[assignment]
    if not graph.is_directed():
        raise TreeError(UNDIRECTED)
    return graph


def _from_json(text: str) -> Graph:
    data = json.loads(text)
    links = "links" if isinstance(data, dict) and "links" in data else "edges"
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        raise TreeError(f"expected {SHAPE}")
    if not isinstance(data.get(links, []), list):
        raise TreeError(f"`{links}` is no list; expected {SHAPE}")
    nodes, edges = data["nodes"], data.get(links, [])
    _few(len(nodes), len(edges))
    if not data.get("directed", True):
        raise TreeError(UNDIRECTED)
    graph: Graph = nx.DiGraph()
    for place, node in enumerate(nodes):
        if not isinstance(node, Mapping) or "id" not in node:
            raise TreeError(f'node {place + 1} has no `id`; expected like {{"id": "a"}}')
        name = _name(node["id"], f"the id of node {place + 1}")
        if name in graph:
            raise TreeError(f"two nodes have the id {name!r}; expected one")
        graph.add_node(name, **{str(key): value for key, value in node.items() if key != "id"})
    for place, edge in enumerate(edges):
        if not isinstance(edge, Mapping) or not {"source", "target"} <= edge.keys():
            raise TreeError(f"edge {place + 1} needs a `source` and a `target`")
        ends = [_name(edge[end], f"the {end} of edge {place + 1}") for end in ("source", "target")]
        if graph.has_edge(*ends):
            raise TreeError(
                f"two edges from {ends[0]!r} to {ends[1]!r}; a question has one parent, once"
            )
        graph.add_edge(*ends)
    return graph


def _name(value: object, what: str) -> str:
    """The name of a node. 1 and "1" are the same name."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TreeError(f"{what} is {clipped(repr(value), 60)}; expected text or a number")
    if len(str(value)) > 200:
        raise TreeError(f"{what} has {len(str(value)):,} characters; expected at most 200")
    return str(value)
