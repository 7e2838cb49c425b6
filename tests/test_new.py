"""`oversight new`, through the real command line: what it writes works, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from oversight.cli.main import main

ROOT = Path(__file__).parent.parent
GROUPS = {"mechanism": "mechanisms", "failure": "failures", "world": "worlds"}
SCENARIOS = {
    "mechanism": "protocols:\n  mine: {KIND: {}}\n  inside: {decomposition: {checker: KIND}}\n",
    "failure": "protocols:\n  mine: {direct: {}}\nfailures:\n  it: {kind: KIND, severity: [1.0]}\n",
    "world": "world: {kind: KIND}\nprotocols:\n  mine: {direct: {}}\n",
}


def run(*command: str, at: Path, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Python with a command line, in a folder, with another folder to import from."""
    paths = os.pathsep.join([str(path), str(ROOT)])
    return subprocess.run(
        [sys.executable, *command],
        cwd=at,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def new(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    return run("-m", "oversight", "new", *words, at=at)


def register(package: Path) -> None:
    """What `pip install` would leave beside the module of a package."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = package / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    (group,) = project["entry-points"].items()
    lines = [f"[{group[0]}]", *(f"{name} = {value}" for name, value in group[1].items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("kind", GROUPS)
def test_a_new_plugin_keeps_its_contract_and_runs(kind: str, tmp_path: Path) -> None:
    name = f"my_own_{kind}"
    done = new(kind, name, at=tmp_path)
    assert done.returncode == 0, done.stderr
    files = sorted(path.name for path in (tmp_path / name).iterdir())
    assert files == sorted(["pyproject.toml", f"{name}.py", f"test_{name}.py"])
    for words in (f"pytest ./{name}", f"pip install -e './{name}[test]'", "docs/plugins.md"):
        assert words in done.stdout
    pages = [word.strip(".,:()`") for word in done.stdout.split() if word.startswith("docs/")]
    assert all((ROOT / page).exists() for page in pages)
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", "not process")
    tested = run("-m", "pytest", *options, name, at=tmp_path)
    assert tested.returncode == 0, tested.stdout
    register(tmp_path / name)
    scenario = "oversight: 1\nreplicates: 2\n" + SCENARIOS[kind].replace("KIND", name)
    (tmp_path / "s.yaml").write_text(scenario)
    options = ("--failures",) if kind == "failure" else ()
    command = ("-m", "oversight", "compare", "s.yaml", "--format", "csv", *options)
    compared = run(*command, at=tmp_path, path=tmp_path / name)
    assert compared.returncode == 0, compared.stderr
    assert "mine" in compared.stdout
    again = run(
        "-m", "oversight", "new", kind, name, "--into", "b", at=tmp_path, path=tmp_path / name
    )
    assert again.returncode == 2
    assert f"is taken by a {kind} of my-own-{kind} ({name}:" in again.stderr
    assert not (tmp_path / "b").exists()


def test_a_new_scenario_checks_and_compares(tmp_path: Path) -> None:
    done = new("scenario", "my-question", "--into", "a/b", at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "a/b/my-question.yaml" in done.stdout
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["my-question.yaml"]
    file = "a/b/my-question.yaml"
    compared = run("-m", "oversight", "compare", file, "--replicates", "2", at=tmp_path)
    assert compared.returncode == 0, compared.stderr
    assert "debate at the leaves" in compared.stdout
    shown = run("-m", "oversight", "check", file, at=tmp_path)
    assert "ok, 4 protocols" in shown.stdout


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("mechanism", "debate", "is taken by a mechanism of oversight-simulator"),
        ("mechanism", "human", "is taken by the overseer 'human'"),
        ("failure", "inattention", "is taken by a failure of oversight-simulator"),
        ("world", "concept", "is taken by a world of oversight-simulator"),
        ("scenario", "quickstart", "is a shipped scenario; choose another name"),
        ("mechanism", "lambda", "is a keyword of Python; choose another name"),
        ("mechanism", "none", "is a keyword of Python; choose another name"),
        ("mechanism", "statistics", "would hide the module 'statistics' of Python's standard"),
        ("mechanism", "numpy", "would hide the installed module 'numpy'"),
        ("failure", "oversight", "would hide the module 'oversight'"),
        ("mechanism", "claims", "its class would hide the name Claims"),
        ("world", "exception", "its class would hide the name Exception"),
        ("mechanism", "Prover-Estimator", "such as 'prover_estimator'"),
        ("mechanism", "3rd", "such as 'my_3rd'"),
        ("mechanism", "a/b", "expected small letters, digits and _"),
        ("mechanism", "../up", "expected small letters, digits and _"),
        ("mechanism", "", "expected small letters, digits and _"),
        ("mechanism", "é", "expected small letters, digits and _"),
        ("mechanism", "a" * 41, "at most 40"),
        ("scenario", "../up", "expected letters, digits, - and _"),
        ("scenario", "my.yaml", "expected letters, digits, - and _"),
        ("student", "mine", "is not one of"),
    ],
)
def test_names_that_will_not_do_are_refused(
    kind: str, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["new", kind, name])
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_what_exists_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine.yaml").write_text("kept")
    (tmp_path / "link").symlink_to("nowhere")
    for words in (("world", "mine"), ("scenario", "mine"), ("failure", "link")):
        done = new(*words, at=tmp_path)
        assert done.returncode == 2
        assert "exists; choose another name" in done.stderr
    done = new("failure", "other", "--into", "mine.yaml/below", at=tmp_path)
    assert done.returncode == 2
    assert "mine.yaml is a file; expected a folder" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "mine", "mine.yaml"]
    assert (tmp_path / "mine.yaml").read_text() == "kept"
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROUPS)
def test_a_new_plugin_installs(kind: str, tmp_path: Path) -> None:
    """With pip, from its own pyproject.toml."""
    pytest.importorskip("hatchling")
    assert new(kind, "my_own", at=tmp_path).returncode == 0
    options = ("-q", "--no-deps", "--no-build-isolation", "--target", "site")
    done = run("-m", "pip", "install", *options, "./my_own", at=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = run("-m", "oversight", "list", GROUPS[kind], at=tmp_path, path=tmp_path / "site")
    assert "\nmy_own " in "\n" + listed.stdout
    assert "BROKEN" not in listed.stdout
