"""One change to one formula: what a mutation run tries."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("oversight/metrics", "oversight/students", "oversight/overseers", "mechanisms")
LINES = (Path(__file__).parent / "tests.txt").read_text(encoding="utf-8").splitlines()[2:]
TESTS = {module: tests.split() for module, tests in (line.split(": ") for line in LINES)}
"""By module, the names of the files of tests that are about it."""

LINES = (Path(__file__).parent / "equivalent.txt").read_text(encoding="utf-8").splitlines()[2:]
EQUIVALENT = {tuple(line.split(" | ")[:3]) for line in LINES}
"""Changes after which everything is as before, for the reason that stands beside them."""

OPERATORS = "Add Sub, Mult Div, Pow Mult, Lt GtE, LtE Gt, Eq NotEq, BitAnd BitOr, And Or"
PAIRS = [[getattr(ast, name) for name in pair.split()] for pair in OPERATORS.split(", ")]
SWAPS = {**{b: a for a, b in PAIRS}, **dict(PAIRS), ast.Mult: ast.Div}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all"}
NO_FORMULA = (ast.Raise, ast.Assert, ast.AnnAssign, ast.ImportFrom, ast.Import)


class Mutant(NamedTuple):
    """One change: bytes of a file, from `start` to `end`, become `text`."""

    path: str
    line: int
    start: int
    end: int
    text: str
    was: str

    def changes_nothing(self, source: bytes) -> bool:
        """Whether it is listed as equivalent; `source` is the file as it stands."""
        code = source.decode().splitlines()[self.line - 1].strip()
        return (self.path, code, f"{self.was} -> {self.text}") in EQUIVALENT


def function_around(mutant: Mutant, source: bytes) -> set[tuple[str, int]]:
    """Where the code begins whose call runs the mutant: all of its outermost function."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    if not around:
        return {(mutant.path, line) for line in range(source.count(b"\n") + 1)}
    node = min(around, key=lambda node: node.lineno)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return {(mutant.path, line) for line in range(first, (node.end_lineno or 0) + 1)}


def changed(node: ast.AST) -> ast.AST | None:
    """A copy of a piece of code that computes something else, or None."""
    copy = deepcopy(node)
    if isinstance(copy, ast.BinOp | ast.BoolOp) and type(copy.op) in SWAPS:
        copy.op = SWAPS[type(copy.op)]()
        return copy
    if isinstance(copy, ast.Compare) and type(copy.ops[0]) in SWAPS:
        copy.ops[0] = SWAPS[type(copy.ops[0])]()
        return copy
    if isinstance(copy, ast.UnaryOp) and isinstance(copy.op, ast.USub | ast.Not | ast.Invert):
        return copy.operand
    if isinstance(copy, ast.Attribute | ast.Name):
        name = copy.attr if isinstance(copy, ast.Attribute) else copy.id
        if name in NAMES:
            setattr(copy, "attr" if isinstance(copy, ast.Attribute) else "id", NAMES[name])
            return copy
    if isinstance(copy, ast.Constant) and isinstance(copy.value, bool | int | float):
        value = copy.value
        if isinstance(value, bool):
            return ast.Constant(not value)
        return ast.Constant(value + 1 if isinstance(value, int) else value * 1.5 or 1.0)
    return None


def pieces(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a module that compute: no annotations, messages, declarations, traces."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, NO_FORMULA):
                continue
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            if isinstance(child, ast.keyword) and child.arg == "strict":  # a check, no formula
                continue
            if isinstance(child, ast.If) and "traced" in ast.unparse(child.test):
                continue
            yield child
            yield from pieces(child)


def mutants() -> list[Mutant]:
    """All of them, by file and place."""
    every = []
    for path in sorted(p for room in ROOMS for p in (ROOT / room).glob("*.py")):
        if path.stem not in TESTS:
            continue
        source = path.read_bytes()
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        for node in pieces(ast.parse(source)):
            other = changed(node) if isinstance(node, ast.expr) else None
            if other is None or not isinstance(node, ast.expr):
                continue
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            was, text = source[start:end].decode(), f"({ast.unparse(other)})"
            if isinstance(node, ast.Attribute | ast.Constant | ast.Name):
                text = text[1:-1]
            every.append(
                Mutant(path.relative_to(ROOT).as_posix(), node.lineno, start, end, text, was)
            )
    return every
