"""kill -9 at random moments of every command: the same bytes in the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.damages import content

SMALL = """
oversight: 1
name: small
replicates: 6
world: {train_items: 400, test_items: 400, features: 3}
failures:
  flips: {kind: random_flips, severity: [0.5, 1.0]}
protocols:
  unaided: {direct: {}}
  debate: {debate: {}}
  parts: {decomposition: {}}
design: {evaluations: 6, batch: 3, replicates: 2, depth: 1, mechanisms: [direct, debate]}
"""
COMMANDS = {
    "compare": ("compare", "small.yaml", "--failures"),
    "sweep": ("compare", "small.yaml", "--hours", "1", "2", "4"),
    "stress": ("stress", "small.yaml", "--tolerance", "0.25"),
    "design": ("design", "small.yaml"),
    "sensitivity": (
        *("sensitivity", "small.yaml", "--samples", "4", "--replicates", "1"),
        *("--knob", "overseer.structure=0.2:0.8"),
    ),
    "play": ("play", "small.yaml", "--loss", "label"),
}
A_FOLDER = 5
"""Kills that one folder suffers, before the command may end."""


def begun(words: tuple[str, ...], folder: Path, out: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "oversight", *words, "--out", out],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def left(folder: Path) -> dict[str, object]:
    """All that a folder holds; of the manifest, what does not name the folder or the day."""
    whole: dict[str, object] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("results.lock", "results.sqlite", "manifest.json"):
            whole[path.relative_to(folder).as_posix()] = path.read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    whole["manifest.json"] = {k: v for k, v in manifest.items() if k not in ("date", "command")}
    whole["results.sqlite"] = content(folder / "results.sqlite")
    return whole


def attack(kind: str, folder: Path, kills: int, luck: random.Random) -> int:
    """Kill a command so often, at moments from its start to its end. Returns how often it was
    alive then."""
    (folder / "small.yaml").write_text(SMALL)
    words, since = COMMANDS[kind], time.monotonic()
    done = begun(words, folder, "whole")
    _, text = done.communicate()
    assert done.returncode == 0, text
    took = time.monotonic() - since
    expected, hit, turn = left(folder / "whole"), 0, 0
    while hit < kills:
        turn += 1
        for _ in range(min(A_FOLDER, kills - hit)):
            run = begun(words, folder, f"out{turn}")
            time.sleep(luck.uniform(0, took))
            hit += run.poll() is None
            os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
            run.communicate()
        last = begun(words, folder, f"out{turn}")
        _, text = last.communicate()
        assert last.returncode == 0, text
        assert b"damaged" not in text
        assert left(folder / f"out{turn}") == expected
    return hit


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_a_few_kills(kind: str, tmp_path: Path) -> None:
    assert attack(kind, tmp_path, 4, random.Random(kind)) >= 4


@pytest.mark.attack
@pytest.mark.parametrize("kind", COMMANDS)
def test_200_kills(kind: str, tmp_path: Path) -> None:
    """A thousand by OVERSIGHT_KILLS=1000."""
    kills = int(os.environ.get("OVERSIGHT_KILLS", "200")) // len(COMMANDS)
    hit = attack(kind, tmp_path, kills, random.Random(f"more {kind}"))
    assert hit >= kills
    print(f"{kind}: {hit} kills")
