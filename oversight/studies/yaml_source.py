"""The text of a scenario file as plain values, and the line at which each stands.

Limits hold while the text is read, so that a file that is too large is refused at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from oversight.core.config import Place
from oversight.core.errors import Problem, ScenarioError
from oversight.core.messages import clipped, plain_reason

MOST_BYTES = 500_000
MOST_VALUES = 10_000
DEEPEST = 100
LONGEST_NUMBER = 100
"""Characters that a number has at most."""

CORE = "tag:yaml.org,2002:"
MERGE = CORE + "merge"
NUMBERS = (CORE + "int", CORE + "float")
CONSTRUCTED = (*NUMBERS, CORE + "bool", CORE + "null")
"""Tags of scalars that are more than text."""
TEXTS = (CORE + "str", CORE + "timestamp", CORE + "value", MERGE)
"""Tags of scalars that are read as they are written."""

Pairs = dict[str, tuple[Node, Node]]
"""Nodes of the key and of the value, by key."""


class _At(Exception):
    """What is wrong at a node."""

    def __init__(self, message: str, node: Node | None = None) -> None:
        super().__init__(message)
        self.line = 0 if node is None else _line_of(node)


class _Limited(Composer):
    """Stops at once where a file has too many values, or nests them too deeply."""

    values = 0
    nested = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise _At(f"more than {MOST_VALUES:,} values; a scenario has at most that")
        if self.nested > DEEPEST:
            raise _At(f"is nested too deeply; at most {DEEPEST} levels")
        self.nested += 1
        node = super().compose_node(parent, index)
        self.nested -= 1
        return node


@dataclass(frozen=True)
class Source:
    """A scenario file that is YAML 1.2.

    file   the file as the user named it
    root   its nodes, each with its line
    plain  its dicts, lists and scalars, aliases and merges written out
    """

    file: str
    root: Node | None
    plain: Any

    def line(self, loc: Place) -> tuple[int, str]:
        """Line (from 1) and readable path of the deepest place in the file that `loc` leads to."""
        node, line, path = self.root, 1, []
        for i, step in enumerate(loc):
            below = _below(node, step)
            if below is not None:
                line, node = _line_of(below[0]), below[1]
                path.append(str(step))
            elif i == len(loc) - 1:
                # A key that should be there; steps of the program's own are left out.
                path.append(str(step))
        return line, ".".join(path)

    def problem(self, message: str, loc: Place = ()) -> Problem:
        """What is wrong at a place of the file."""
        line, path = self.line(loc) if loc else (0, "")
        return Problem(self.file, line, clipped(path), clipped(message))


def read(path: Path) -> Source:
    """The text of a scenario file. Raises ScenarioError where it is none that can be read."""
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _Limited
    try:
        text = _text(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is used again
            root = reader.compose(text)
        return Source(str(path), root, _Plain(reader).of(root))
    except _At as error:
        message, line = str(error), error.line
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = str(error.problem or error.context).split("\n")[0]
        message, line = f"is not YAML 1.2: {reason}", mark.line + 1 if mark else 0
    except RecursionError:
        message, line = "is nested too deeply", 0
    except Exception as error:  # the parser fails in ways of its own where a text is none
        message, line = f"is not YAML 1.2: {plain_reason(error)}", 0
    raise ScenarioError([Problem(str(path), line, "", clipped(message))])


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _At(f"a file of {size:,} bytes; a scenario has at most {MOST_BYTES:,}")
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise _At(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _At("is not text in UTF-8; expected a YAML file") from None
    if "\x00" in text:
        raise _At("is a binary file; expected a YAML file")
    return text


class _Plain:
    """Writes nodes out as plain values, and counts them."""

    def __init__(self, reader: YAML) -> None:
        self._scalars = reader.constructor
        self._values = 0

    def of(self, node: Node | None, above: frozenset[int] = frozenset()) -> Any:
        """The value of a node below the nodes `above`. Raises _At."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise _At(f"more than {MOST_VALUES:,} values once aliases are written out")
        if id(node) in above:
            raise _At(
                "an alias makes a value contain itself; a protocol cannot be part of itself", node
            )
        if len(above) > DEEPEST:
            raise _At(f"values are nested more than {DEEPEST} deep", node)
        if node is None or isinstance(node, ScalarNode):
            return self._scalar(node)
        above |= {id(node)}
        if isinstance(node, SequenceNode) and str(node.tag) == CORE + "seq":
            return [self.of(part, above) for part in node.value]
        if isinstance(node, MappingNode) and str(node.tag) == CORE + "map":
            return {key: self.of(value, above) for key, (_, value) in pairs(node).items()}
        raise _unknown_tag(node)

    def _scalar(self, node: ScalarNode | None) -> Any:
        if node is None:
            return None
        tag = str(node.tag)
        if tag in TEXTS:
            return _text_of(node)
        if tag not in CONSTRUCTED:
            raise _unknown_tag(node)
        if tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise _At(f"a number of {len(node.value):,} characters; at most {LONGEST_NUMBER}", node)
        try:
            return self._scalars.construct_object(node)
        except Exception:  # `!!bool 1`: the text is none of what its tag says
            kind = tag.removeprefix(CORE)
            raise _At(
                f"{clipped(repr(node.value))} is no !!{kind}; leave the tag out", node
            ) from None


def _text_of(node: ScalarNode) -> str:
    text = str(node.value)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _At("holds half a character (a surrogate); expected text", node)
    return text


def _unknown_tag(node: Node) -> _At:
    return _At(f"has the tag {clipped(str(node.tag))}; expected plain values, keys and lists", node)


def pairs(node: MappingNode, depth: int = 0) -> Pairs:
    """Keys and values of a mapping, with what `<<` merges into it. Raises _At for a key that is no
    text, or stands there twice."""
    own: Pairs = {}
    merged: Pairs = {}
    for key, value in node.value:
        if str(key.tag) == MERGE:
            for source in value.value if isinstance(value, SequenceNode) else [value]:
                if not isinstance(source, MappingNode) or depth > DEEPEST:
                    raise _At("<< merges keys and values; expected an alias of some", key)
                merged = {**pairs(source, depth + 1), **merged}
                if len(merged) > MOST_VALUES:
                    raise _At(f"merges more than {MOST_VALUES:,} keys", key)
            continue
        if not isinstance(key, ScalarNode):
            raise _At("a key that is itself a list, or keys and values; expected text", key)
        text = _text_of(key)
        if text in own:
            raise _At(f'found duplicate key "{clipped(text)}"', key)
        own[text] = (key, value)
    return {**merged, **own}


def _below(node: Node | None, step: int | str) -> tuple[Node, Node] | None:
    """The node that gives the line of a step, and the node that the step leads to."""
    if isinstance(node, MappingNode):
        return pairs(node).get(str(step))
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _line_of(node: Node) -> int:
    return int(node.start_mark.line) + 1


def as_mapping(source: Source) -> Mapping[str, Any]:
    """The keys and values of a file. Raises ScenarioError where it holds something else."""
    if isinstance(source.plain, dict):
        return source.plain
    holds = "a list" if isinstance(source.plain, list) else "a single value"
    message = "is empty" if source.plain is None else f"holds {holds}"
    hint = "expected keys and values, see `oversight check --show quickstart`"
    raise ScenarioError([source.problem(f"{message}; {hint}")])
