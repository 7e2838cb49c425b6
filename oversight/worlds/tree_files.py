"""The `tree` of a world: balanced, or read from a file beside the scenario."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SkipValidation,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from oversight.core.config import Config, Count, Whole, error_at, expecting, raise_all
from oversight.core.errors import TreeError
from oversight.core.kinds import by_kind
from oversight.core.plugins import Plugins
from oversight.worlds import gates
from oversight.worlds.graph_files import read_graph
from oversight.worlds.tree import TaskTree
from oversight.worlds.tree_graphs import PRIOR_RANGE, Prior, balanced, from_graph

LeafPrior = Annotated[Literal["balanced"] | Prior, expecting(f"expected balanced or {PRIOR_RANGE}")]
"""P(true) of every leaf, or `balanced`: as the root needs to be true of half the items."""
Bit = Annotated[int, Field(strict=True, ge=0, le=1)]
GateName = str | tuple[Bit, ...]


class _Tree(Config):
    """What describes a tree; it is built where that is checked."""

    _tree: TaskTree = PrivateAttr()

    @property
    def tree(self) -> TaskTree:
        """The task tree, leaf priors filled in."""
        return self._tree


class BalancedTree(_Tree):
    """Every inner node has `branching` children, down to `depth`; one gate a level, the root's
    first."""

    kind: Literal["balanced"] = "balanced"
    branching: Count = 3
    depth: Annotated[Whole, Field(le=200)] = 2
    gates: tuple[GateName, ...] | None = Field(
        None,
        description="one a level, root first: and, or, xor, majority, repeat, or a truth table; "
        "or, and, or, ... if left out",
    )
    leaf_prior: LeafPrior = "balanced"

    @model_validator(mode="after")
    def _build(self) -> BalancedTree:
        names = self.gates or tuple(("or", "and")[i % 2] for i in range(self.depth))
        errors = []
        if len(names) != self.depth:
            errors.append(
                error_at(
                    f"{len(names)} gates for a tree of depth {self.depth}; expected {self.depth}",
                    ("gates",),
                )
            )
        for i, gate in enumerate(names):
            try:
                gates.parse(gate, self.branching)
            except ValueError as error:
                errors.append(error_at(str(error), ("gates", i) if self.gates else ("branching",)))
        raise_all("tree", errors)
        try:
            self._tree = _balanced(self.branching, self.depth, names, self.leaf_prior)
        except TreeError as error:
            raise ValueError(str(error)) from None
        return self


@lru_cache(8)
def _balanced(
    branching: int, depth: int, names: tuple[GateName, ...], leaf_prior: LeafPrior
) -> TaskTree:
    return balanced(branching, depth, names).with_leaf_prior(leaf_prior)


class FileTree(_Tree):
    """A tree read from a node-link JSON or a GraphML file beside the scenario.

    Inner nodes have an attribute `gate`; leaves may have a `prior`. Children are in the order of
    the file's edges.
    """

    kind: Literal["file"]
    path: Annotated[str, Field(min_length=1)]
    leaf_prior: LeafPrior = "balanced"

    @model_validator(mode="after")
    def _build(self, info: ValidationInfo) -> FileTree:
        folder = Path((info.context or {}).get("folder", "."))
        try:
            graph = read_graph(folder, self.path)
            self._tree = from_graph(graph).with_leaf_prior(self.leaf_prior)
        except TreeError as error:
            raise_all("tree", [error_at(f"{self.path}: {error}", ("path",))])
        return self


KINDS = Plugins("trees", {"balanced": BalancedTree, "file": FileTree}, {}, ("tree", "leaf_prior"))
"""The trees that a scenario can describe, by kind."""


def _described(value: object, info: ValidationInfo) -> BalancedTree | FileTree:
    tree: BalancedTree | FileTree = by_kind(value, KINDS, "balanced", context=info.context)
    return tree


TreeSettings = Annotated[
    SkipValidation[BalancedTree | FileTree],
    BeforeValidator(_described),
    WithJsonSchema({"anyOf": [{"x-ref": "BalancedTree"}, {"x-ref": "FileTree"}]}),
]


def as_json(tree: TaskTree) -> str:
    """A tree as node-link JSON, gates as truth tables unless they repeat, priors written out."""
    nodes = []
    for label, gate, prior in zip(tree.labels, tree.gate, tree.leaf_prior, strict=True):
        table = "" if gate is None else "".join(map(str, gate.table))
        own = {"prior": prior} if gate is None else {"gate": "repeat" if gate.repeat else table}
        nodes.append({"id": label, **own})
    edges = [
        {"source": tree.labels[node], "target": tree.labels[child]}
        for node, below in enumerate(tree.children)
        for child in below
    ]
    return json.dumps({"directed": True, "nodes": nodes, "edges": edges}, indent=1) + "\n"
