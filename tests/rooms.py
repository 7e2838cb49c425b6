"""Reads the rooms of a package from its source: who imports whom, in which circles, how long.

Nothing is imported or run. The text of every module is parsed, and every import counts: at the top,
inside functions, for types only, and by name (`importlib.import_module("...")`, `lazy_loader`).
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IMPORTERS = {"import_module", "__import__", "find_spec", "load", "attach", "attach_stub"}
"""Functions that import what a string names."""

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, order=True)
class Arrow:
    """One import: module `source` imports module `target` in this line."""

    source: str
    line: int
    target: str


@dataclass(frozen=True)
class House:
    """A package of rooms: a folder with a folder for each room.

    `root` is the folder of the package. Modules are named with dots, as Python imports them; a
    room is the second part of such a name.
    """

    root: Path

    @property
    def package(self) -> str:
        """The name of the package."""
        return self.root.name

    def modules(self) -> dict[str, Path]:
        """Every module by its dotted name."""
        names = {}
        for path in sorted(self.root.rglob("*.py")):
            parts = path.relative_to(self.root.parent).with_suffix("").parts
            names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return names

    def rooms(self) -> dict[str, list[Path]]:
        """The files of every room, by its name."""
        rooms: dict[str, list[Path]] = {}
        for path in sorted(self.root.rglob("*.py")):
            parts = path.relative_to(self.root).parts
            if len(parts) > 1:
                rooms.setdefault(parts[0], []).append(path)
        return rooms

    def room(self, module: str) -> str | None:
        """The room of a module; None for the package itself and files directly in it."""
        parts = module.split(".")
        return parts[1] if len(parts) > 1 and (self.root / parts[1]).is_dir() else None

    def public(self) -> dict[str, str]:
        """The module that each public name of the package comes from, as its stub says."""
        stub = self.root / "__init__.pyi"
        if not stub.exists():
            return {}
        return {
            alias.asname or alias.name: f"{self.package}.{node.module}"
            for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
            for alias in node.names
        }

    def arrows(self) -> list[Arrow]:
        """Every import of one of the package's modules by another."""
        modules, public = self.modules(), self.public()
        arrows = set()
        for source, path in modules.items():
            reader = _Reader(self.package, source, path.name == "__init__.py")
            for line, name in reader.names(ast.parse(path.read_text(encoding="utf-8"))):
                target = self._home(name, modules, public)
                if target not in (None, self.package, source):
                    arrows.add(Arrow(source, line, str(target)))
        return sorted(arrows)

    def _home(self, name: str, modules: dict[str, Path], public: dict[str, str]) -> str | None:
        """The module that an imported name lives in; None if it is not one of ours."""
        first, _, rest = name.partition(".")
        if first != self.package:
            return None
        if (known := rest.split(".")[0]) in public:
            return public[known]
        parts = name.split(".")
        while parts and ".".join(parts) not in modules:
            parts.pop()
        return ".".join(parts) or None


@dataclass(frozen=True)
class _Reader:
    """Reads the imports of one module."""

    package: str
    module: str
    is_package: bool

    def names(self, tree: ast.AST) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything that the module imports."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute("." * node.level + (node.module or ""))
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and _called(node.func) in IMPORTERS:
                yield from self._strings(node)
            elif isinstance(node, ast.Attribute) and _called(node.value) == self.package:
                yield node.lineno, f"{self.package}.{node.attr}"

    def _strings(self, call: ast.Call) -> Iterator[tuple[int, str]]:
        below = _called(call.func) == "attach"  # its names are those of submodules
        for part in ast.walk(call):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                text = part.value.split(":")[0]
                yield part.lineno, self._absolute(f".{text}" if below else text)

    def _absolute(self, name: str) -> str:
        """A name with leading dots, written out."""
        level = len(name) - len(name.lstrip("."))
        if not level:
            return name
        parts = self.module.split(".")
        keep = len(parts) - level + self.is_package
        return ".".join([*parts[:keep], *filter(None, [name.lstrip(".")])])


def _called(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def steps_up(house: House, order: tuple[str, ...]) -> list[str]:
    """Imports of a room that comes later in the order, in words."""
    steps = []
    for arrow in house.arrows():
        here, there = house.room(arrow.source), house.room(arrow.target)
        if here is None or here == there:
            continue
        allowed = order[: order.index(here)] if here in order else ()
        if there not in allowed:
            steps.append(f"{arrow.source}:{arrow.line} imports {arrow.target}")
    return steps


def circles(house: House) -> list[str]:
    """Modules that import each other, however many lie between, each circle once, in words."""
    after: dict[str, set[str]] = {}
    for arrow in house.arrows():
        after.setdefault(arrow.source, set()).add(arrow.target)
    seen: set[str] = set()
    ways = []
    for start in sorted(after):
        path = _way_back(start, after)
        if path and not seen & set(path):
            seen |= set(path)
            ways.append(" -> ".join([*path, start]))
    return ways


def _way_back(start: str, after: dict[str, set[str]]) -> list[str]:
    """The shortest way from a module to itself; empty if there is none."""
    ways, reached = [[start]], set[str]()
    for way in ways:
        for step in sorted(after.get(way[-1], ())):
            if step == start:
                return way
            if step not in reached:
                reached.add(step)
                ways.append([*way, step])
    return []


def code_lines(path: Path) -> int:
    """Lines of code: no blank lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            docs |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)
