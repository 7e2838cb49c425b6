"""However stdout ends, the program ends the same way, and without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMED = """
oversight: 1
name: small
replicates: 2
world: {train_items: 60, test_items: 60, features: 3}
protocols:
  unaided: {direct: {}}
  "d\u00e9bat \u2014 \u03b1": {debate: {}}
"""
COMMANDS = (
    ("list", "mechanisms"),
    ("--help",),
    ("compare", "--help"),
    ("check", "small.yaml"),
    ("compare", "small.yaml"),
    ("compare", "small.yaml", "--format", "csv"),
    ("compare", "small.yaml", "--format", "json"),
)


@pytest.fixture(autouse=True)
def _scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.yaml").write_text(NAMED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def run(
    words: tuple[str, ...], stdout: int, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "oversight", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize("words", COMMANDS)
def test_nobody_reads(words: tuple[str, ...]) -> None:
    """As for `| head -1` once head has ended."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(words, write)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("-v",), 2),
        (("compare", "small.yaml", "--quiet"), 2),
        (("compare", "nowhere.yaml"), 2),
        (("check", "nowhere.yaml", "small.yaml"), 2),
        (("compare", "small.yaml", "--replicates", "1", "--cluster", "nonsense"), 2),
        (("compare", "small.yaml"), 0),
    ],
)
@pytest.mark.parametrize("full", [False, True])
def test_nobody_reads_stderr(words: tuple[str, ...], status: int, full: bool) -> None:
    """As for `2>&1 | head -1`: the exit status is that of the command all the same."""
    read, write = os.pipe()
    os.close(read)
    if full and Path("/dev/full").exists():
        os.close(write)
        write = os.open("/dev/full", os.O_WRONLY)
    try:
        command = [sys.executable, "-m", "oversight", *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=write, check=False)
    finally:
        os.close(write)
    assert done.returncode == status
    assert (b"unaided" in done.stdout) == (status == 0)


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full")
def test_stdout_is_full(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = run(words, full.fileno())
    assert done.returncode == 1
    assert done.stderr == b"stdout: cannot be written: No space left on device\n"


@pytest.mark.parametrize("words", COMMANDS)
def test_stdout_is_not_utf_8(words: tuple[str, ...]) -> None:
    done = run(words, subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    if "csv" in words:
        assert rb"d\xe9bat \u2014 \u03b1" in done.stdout
