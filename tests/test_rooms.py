"""The shape of the source: rooms in one order, and how much a room and a file may hold.

These tests read the source and import nothing from it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.rooms import House, circles, code_lines, steps_up

ROOT = Path(__file__).parent.parent
HOUSE = House(ROOT / "oversight")
ORDER = (
    "core",
    "worlds",
    "components",
    "students",
    "metrics",
    "overseers",
    "failures",
    "desk",
    "studies",
    "running",
    "findings",
    "reports",
    "analyses",
    "testing",
    "cli",
)
"""The rooms from low to high. A room imports only rooms that come before it."""

SOURCES = sorted([*HOUSE.root.rglob("*.py"), *(ROOT / "mechanisms").glob("*.py")])


def names(paths: list[Path]) -> list[str]:
    """Files as one reads them in a message."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_rooms_are_known() -> None:
    assert set(HOUSE.rooms()) == set(ORDER)


def test_no_import_steps_up() -> None:
    assert steps_up(HOUSE, ORDER) == []


def test_no_imports_go_in_a_circle() -> None:
    assert circles(HOUSE) == []


def test_few_files_lie_outside_the_rooms() -> None:
    outside = [path.name for path in HOUSE.root.iterdir() if path.is_file()]
    assert len(outside) <= 5, outside


@pytest.mark.parametrize("room", ORDER)
def test_a_room_is_introduced_in_two_sentences(room: str) -> None:
    """What lives there, and what it may import; nothing else stands in `__init__`."""
    tree = ast.parse((HOUSE.root / room / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    sentences = re.findall(r"\S.*?[.!?](?=\s|$)", text, re.DOTALL)
    assert len(sentences) == 2, text
    above = ORDER[: ORDER.index(room)]
    rooms = [name for name in re.findall(r"`(\w+)`", sentences[1]) if name in ORDER]
    assert rooms[-1:] == list(above[-1:]), f"it may import up to {above[-1:]}: {sentences[1]}"
    if room != "testing":  # hands out its contracts, when first used
        assert len(tree.body) == 1, "nothing but the docstring"


@pytest.mark.parametrize("room", ORDER)
def test_no_room_is_crowded(room: str) -> None:
    files = HOUSE.rooms()[room]
    assert len(files) <= 24, names(files)
    whole = sum(code_lines(path) for path in HOUSE.root.rglob("*.py"))
    assert sum(map(code_lines, files)) <= 0.3 * whole


def test_no_file_is_named_after_its_settings() -> None:
    assert names([path for path in SOURCES if path.stem.endswith("_settings")]) == []


def test_mechanisms_use_public_names_only() -> None:
    """They are registered as a stranger's package would be, and know no more of the inside."""
    for path in (ROOT / "mechanisms").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                first, _, inside = (node.module or "").partition(".")
                public = not any(alias.name.startswith("_") for alias in node.names)
                assert not inside or first not in ("oversight", "mechanisms"), path.name
                assert first != "oversight" or public, path.name
                imported = {first}
            elif isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
                assert not any(name.startswith("oversight.") for name in imported), path.name
            else:
                continue
            assert not {"simpy", "click", "rich"} & imported, path.name


def test_oversight_does_not_know_the_shipped_mechanisms() -> None:
    """It finds them as it finds a stranger's: by their entry points."""
    for path in HOUSE.root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            known = [module or ""]
            if isinstance(node, ast.Import):
                known = [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "mechanisms" for name in known), path


def test_every_public_name_can_be_imported() -> None:
    import oversight

    for name in oversight.__all__:
        assert getattr(oversight, name) is not None


def build(folder: Path, **modules: str) -> House:
    """A made-up package `house`, with a room for each first part of the names."""
    for name, text in modules.items():
        path = (folder / "house").joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        (path.parent / "__init__.py").touch()
    (folder / "house" / "__init__.py").touch()
    (folder / "house" / "__init__.pyi").write_text("from .high.roof import Roof as Roof\n")
    return House(folder / "house")


@pytest.mark.parametrize(
    "text",
    [
        "import house.high.roof",
        "from house.high import roof",
        "from house.high.roof import Roof",
        "from house import high",
        "from ..high import roof",
        "from ..high.roof import Roof",
        "from .. import high",
        "def build():\n    from house.high.roof import Roof",
        "def build():\n    def inside():\n        import house.high.roof as roof",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.high import roof",
        "import importlib\nroof = importlib.import_module('house.high.roof')",
        "from importlib import import_module\nroof = import_module('..high.roof', __package__)",
        "import lazy_loader\nroof = lazy_loader.load('house.high.roof')",
        "from house import Roof",
        "import house\nroof = house.Roof()",
        "import house as home\ndef build(): from house import Roof as roof",
        "try:\n    pass\nexcept OSError:\n    from ..high import roof",
    ],
)
def test_a_step_up_is_named_however_it_is_written(tmp_path: Path, text: str) -> None:
    house = build(tmp_path, low__cellar=text, high__roof="from house.low import cellar")
    (step,) = {line.split(":")[0] for line in steps_up(house, ("low", "high"))}
    assert step == "house.low.cellar"
    assert len(circles(house)) == ("import high" not in text)


def test_a_circle_is_named_with_every_module_in_it(tmp_path: Path) -> None:
    house = build(
        tmp_path,
        low__one="def later():\n    from house.low import two",
        low__two="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import three",
        low__three="import lazy_loader\nlazy_loader.load('house.low.one')",
        low__four="from house.low import one",
        high__roof="from ..low import four",
    )
    assert steps_up(house, ("low", "high")) == []
    assert circles(house) == ["house.low.one -> house.low.two -> house.low.three -> house.low.one"]


def test_arrows_down_are_fine(tmp_path: Path) -> None:
    house = build(tmp_path, low__one="import os", high__roof="from house.low.one import thing")
    assert [arrow.target for arrow in house.arrows()] == ["house.low.one"]
    assert steps_up(house, ("low", "high")) == circles(house) == []


def test_a_room_that_is_not_in_the_order_may_import_nothing(tmp_path: Path) -> None:
    house = build(tmp_path, low__one="", attic__box="from house.low import one")
    assert steps_up(house, ("low", "high")) == ["house.attic.box:1 imports house.low.one"]


def test_lazy_names_of_a_package_are_its_own_modules(tmp_path: Path) -> None:
    house = build(tmp_path, low__one="")
    text = "import lazy_loader\nlazy_loader.attach(__name__, submod_attrs={'one': ['Thing']})\n"
    (house.root / "low" / "__init__.py").write_text(text)
    assert [(arrow.source, arrow.target) for arrow in house.arrows()] == [
        ("house.low", "house.low.one")
    ]


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert names([path for path, length in lengths.items() if length > 300]) == []
