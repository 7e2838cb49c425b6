"""Code that decides numbers and is not the engine's, as digests, so that results are not taken for
those of code that has changed."""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any

ENGINE = "oversight"
KNOWN = frozenset({ENGINE, "pydantic", "numpy", "scipy"}) | sys.stdlib_module_names
"""Told by their versions elsewhere, or part of Python."""


def of_class(kind: type) -> dict[str, str]:
    """By module, a digest of all code that a class is made of: its own modules and its bases', and
    what these import; of other people's installed distributions the version.

    Code without a source to read, as of a notebook's cell, is never the same twice.
    """
    return dict(_of_class(kind))


@lru_cache(1024)
def _of_class(kind: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in kind.__mro__:
        module, name = part.__module__, part.__name__
        if not _known(module):
            _gather(module, found)
            if not _stands_in(module, name):
                found[module] = _unread()
        elif module == "builtins" and not hasattr(builtins, name):
            found[name] = _unread()
    return found


@lru_cache(256)
def installed(name: str) -> str:
    """The version of a distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def engine_files() -> list[Path]:
    """The engine's own code: every module of every room, sorted."""
    return sorted(Path(__file__).parents[1].rglob("*.py"))


@lru_cache(1)
def of_engine() -> str:
    """A digest of the engine's own code and of what it draws and fits with: workers must have the
    same."""
    digested = hashlib.blake2b(digest_size=8)
    for path in engine_files():
        digested.update(path.read_bytes())
    for name in ("numpy", "scipy", "pydantic", "simpy"):
        digested.update(installed(name).encode())
    return digested.hexdigest()


def _known(module: str) -> bool:
    return module.split(".")[0] in KNOWN and module != "__main__"


def _gather(module: str, found: dict[str, str]) -> None:
    """Digest a module and all that it imports, into `found`."""
    if module in found:
        return
    tree = _tree(module)
    if tree is None:
        found[module] = _unread()
        return
    found[module] = digest(tree)
    own = module.split(".")[0]
    for other in _imported(tree, module):
        top = other.split(".")[0]
        if _known(other) or other in found:
            continue
        if top != own and _is_installed(top):
            for name in packages_distributions().get(top, [top]):
                found[name] = installed(name)
        elif _origin(other) is not None:
            _gather(other, found)


def _unread() -> str:
    return f"no source {uuid.uuid4()}"


def _stands_in(module: str, name: str) -> bool:
    """Whether a class is written in its module, and not made on the way."""
    tree = _tree(module)
    return tree is not None and any(
        isinstance(node, ast.ClassDef) and node.name == name for node in ast.walk(tree)
    )


def digest(tree: ast.Module) -> str:
    """Of code without its words: comments and docstrings decide nothing. Changes the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.blake2b(ast.dump(tree).encode(), digest_size=8).hexdigest()


def _tree(module: str) -> ast.Module | None:
    """A module's code; None where there is none to read."""
    made = sys.modules.get(module)
    try:
        if made is not None:
            return ast.parse(inspect.getsource(made))
        origin = _origin(module)
        if origin is None or origin.suffix != ".py":
            return None
        return ast.parse(origin.read_text(encoding="utf-8"))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


def _origin(module: str) -> Path | None:
    """The file that a module comes from."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def _imported(tree: ast.Module, module: str) -> Iterator[str]:
    """What a module imports, at its top or anywhere below: modules, and names in them that may be
    modules."""
    made = sys.modules.get(module)
    package = getattr(made, "__package__", None) or module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            whole = node.module or ""
            if node.level:
                whole = resolve_name("." * node.level + whole, package)
            yield whole
            yield from (f"{whole}.{name.name}" for name in node.names)


@lru_cache(1)
def _libraries() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib"))


def _is_installed(module: str) -> bool:
    """Whether a module lies where distributions are installed."""
    origin = _origin(module)
    return origin is not None and any(
        origin.resolve().is_relative_to(folder) for folder in _libraries()
    )
