"""The shape of the source: who may import whom, and how long a file may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "oversight").rglob("*.py"), *(ROOT / "mechanisms").glob("*.py")])
LOW = ("claims", "streams", "strict", "gates", "tree", "probe", "measures", "pgr", "theory")
HIGH = ("scenario", "study", "runner", "replicate", "results", "store", "show", "cli")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("name", LOW)
def test_what_is_low_imports_nothing_high(name: str) -> None:
    path = ROOT / "oversight" / f"{name}.py"
    assert not {f"oversight.{high}" for high in HIGH} & imports(path)


def test_mechanisms_use_public_names_only() -> None:
    for path in (ROOT / "mechanisms").glob("*.py"):
        inside = {module for module in imports(path) if module.split(".")[0] == "oversight"}
        assert inside <= {"oversight"}, path.name
        assert not {"simpy", "click", "rich"} & imports(path)


def test_every_public_name_can_be_imported() -> None:
    import oversight

    for name in oversight.__all__:
        assert getattr(oversight, name) is not None
