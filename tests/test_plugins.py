"""Plugins: how they are loaded, which are refused, and what is reported of broken ones."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from oversight.core.errors import PluginError
from oversight.core.plugins import plugins, read

ROOT = Path(__file__).parent.parent


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "oversight.mechanisms")


def test_two_plugins_of_one_name_are_refused_naming_both() -> None:
    loaded = read(
        "mechanisms", [entry("debate", "mechanisms.debate:Debate"), entry("debate", "other:Debate")]
    )
    with pytest.raises(PluginError, match=r"two mechanisms are named 'debate'") as error:
        loaded.get("debate")
    assert "mechanisms.debate:Debate" in str(error.value)
    assert "other:Debate" in str(error.value)


def test_the_same_plugin_seen_twice_is_one() -> None:
    twice = [entry("debate", "mechanisms.debate:Debate")] * 2
    assert read("mechanisms", twice).get("debate").name == "debate"


def test_a_broken_plugin_shows_its_own_error_and_harms_no_other() -> None:
    loaded = read(
        "mechanisms",
        [entry("mine", "no_such_module:Mine"), entry("direct", "mechanisms.direct:Direct")],
    )
    assert loaded.get("direct").name == "direct"
    with pytest.raises(PluginError, match=r"'mine'.*does not import: ModuleNotFoundError"):
        loaded.get("mine")


def test_a_plugin_that_is_no_mechanism_is_refused() -> None:
    loaded = read("mechanisms", [entry("path", "pathlib:Path")])
    with pytest.raises(PluginError, match=r"'path' \(pathlib:Path .* is none: it has no"):
        loaded.get("path")


def test_unknown_names_hint_at_the_nearest_and_at_reinstalling() -> None:
    with pytest.raises(PluginError, match=r"did you mean 'decomposition'\?.*install its package"):
        plugins("mechanisms").get("decompositon")


@pytest.mark.parametrize("name", ["debate", "direct"])
def test_the_command_refuses_a_stranger_who_takes_a_name(name: str, tmp_path: Path) -> None:
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[oversight.mechanisms]\n{name} = stranger:Mine\n")
    (tmp_path / "stranger.py").write_text("class Mine: ...\n")
    (tmp_path / "s.yaml").write_text("oversight: 1\nprotocols:\n  a: {debate: {}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "oversight", "compare", "s.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"two mechanisms are named '{name}'" in done.stderr
    assert "stranger:Mine from stranger" in done.stderr


def test_every_mechanism_file_is_registered() -> None:
    files = {path.stem for path in (ROOT / "mechanisms").glob("*.py")} - {"__init__"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    entries = project["project"]["entry-points"]["oversight.mechanisms"]
    registered = {value.split(":")[0].removeprefix("mechanisms.") for value in entries.values()}
    assert files == registered
    assert set(entries) <= set(plugins("mechanisms").loaded)
    for name, kind in plugins("mechanisms").loaded.items():
        assert kind.name == name
        assert kind.__doc__
