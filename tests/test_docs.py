"""The documents' code runs, and the README shows what the program prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import oversight
from oversight.cli.main import main

ROOT = Path(__file__).parent.parent


def blocks(path: str, language: str) -> list[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_plugins_of_the_plugin_page_keep_their_contracts(tmp_path: Path) -> None:
    mechanism, test, failure, its_test = blocks("docs/plugins.md", "python")
    (tmp_path / "second_opinion.py").write_text(mechanism)
    (tmp_path / "test_second_opinion.py").write_text(test)
    (tmp_path / "hesitation.py").write_text(failure)
    (tmp_path / "test_hesitation.py").write_text(its_test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not process"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_scenario_of_the_readme_loads(tmp_path: Path) -> None:
    (scenario,) = blocks("README.md", "yaml")
    (tmp_path / "mine.yaml").write_text(scenario)
    assert list(oversight.load(tmp_path / "mine.yaml").cells) == [
        "unaided",
        "decomposition",
        "debate at the leaves",
    ]


def test_the_first_screen_of_the_readme_is_real() -> None:
    printed = CliRunner().invoke(main, ["compare", "quickstart"]).stdout
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in printed.splitlines():
        words = line.split()
        # Last bits may turn one item in 4,000: names and columns must be there, numbers nearly.
        if words:
            assert words[0] in shown
    assert "$ oversight compare quickstart" in shown


@pytest.mark.parametrize("page", sorted(p.name for p in (ROOT / "docs").glob("*.md")))
def test_links_between_pages(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / target).exists(), target


def test_every_knob_is_in_the_scenario_page() -> None:
    from oversight.overseers.slots import overseers

    page = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")
    for kind in overseers().values():
        for key in kind.file_keys():
            assert re.search(rf"\b{key}\b", page), f"{kind.name}: {key}"


def test_every_failure_is_in_its_page() -> None:
    from oversight.core.plugins import plugins

    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    scenarios = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")
    for name, kind in plugins("failures").loaded.items():
        roles = ", ".join(kind.can_strike)
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {name} | {roles} |"))
        for told in (kind.knob, kind.source, f"| {kind().most:g} |"):
            assert told in line, name
        for key in kind.file_keys():
            assert re.search(rf"\b{key}\b", scenarios), f"{name}: {key}"


def test_the_failures_of_the_scenario_page_load(tmp_path: Path) -> None:
    (section,) = (b for b in blocks("docs/scenario-files.md", "yaml") if b.startswith("failures"))
    whole = "oversight: 1\nprotocols: {debate: debate}\n" + section
    (tmp_path / "mine.yaml").write_text(whole)
    assert len(oversight.load(tmp_path / "mine.yaml").failures) == 3
