"""Mutation run: changes one formula at a time and sees whether a test fails. Not part of the suite.

    python tests/mutation --sample 150 --seed 1             some seconds a mutant
    python tests/mutation --sample 0 --only metrics/pgr     one module, whole

Works on a copy of the repository. `tests.txt` says which tests are about a module; of these, those
that call the changed function are run, the fastest first. Tests that compare with checked-in
results are left out: they are our own output, and they would see almost any change. Exit status 1
if a mutant survives.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from changes import ROOT, TESTS, function_around, mutants

SLOW_TO_IMPORT = ("pytest", "networkx", "pydantic", "hypothesis", "scipy.optimize", "scipy.stats")


class Watch:
    """A plugin of pytest that notes the seconds of every test and the functions that it calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = str(folder) + "/", set[tuple[str, int]]()
        self.tests: list[tuple[float, str, list[tuple[str, int]]]] = []

    def trace(self, frame: Any, event: str, _: Any) -> None:
        path = frame.f_code.co_filename
        if path.startswith(self.folder):
            self.calls.add((path.removeprefix(self.folder), frame.f_code.co_firstlineno))

    def pytest_runtest_logstart(self) -> None:
        self.calls, self.begun = set(), time.monotonic()
        sys.settrace(self.trace)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        sys.settrace(None)
        self.tests.append((time.monotonic() - self.begun, nodeid, sorted(self.calls)))


def declare_plugins(copy: Path) -> None:
    """Make the plugins that a copy declares the known ones, whatever is installed."""
    project = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = copy / f"{project['name']}-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: 0\n")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in places.items())
        for group, places in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups))


def run(copy: Path, tests: list[str], limit: int, report: Path | None = None) -> int:
    """The exit status of tests in a copy of the repository, in a process of their own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    signal.alarm(limit)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = str(copy)  # commands that tests start run the changed code too
    words = os.open(copy.parent / "words.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(words, 1), os.dup2(words, 2)
    import pytest

    watch = Watch(copy)
    options = ["-n", "0", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    status = pytest.main([*options, *tests], plugins=[watch] if report else [])
    if report:
        report.write_text(json.dumps(watch.tests))
    os._exit(int(status))


def main() -> int:
    """Runs a sample and prints the score and what survived."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=150, help="how many mutants; 0 is all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="of these, in modules whose path fits")
    parser.add_argument("--limit", type=int, default=600, help="seconds a mutant")
    options = parser.parse_args()
    every = mutants()
    if 0 < options.sample < len(every):
        every = random.Random(options.seed).sample(every, options.sample)
    every = [mutant for mutant in every if re.search(options.only, mutant.path)]
    for name in SLOW_TO_IMPORT:  # once, and not in every process
        import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        copy, report = Path(folder).resolve() / "copy", Path(folder) / "report.json"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", ".venv"))
        declare_plugins(copy)
        names = {name for mutant in every for name in TESTS[Path(mutant.path).stem]}
        files = [f"tests/test_{name}.py" for name in sorted(names)]
        if run(copy, files, 100 * options.limit, report):
            words = (Path(folder) / "words.txt").read_text(errors="replace")
            sys.exit(f"{words[-4000:]}\nthe tests fail without a mutant")
        tests = sorted(json.loads(report.read_text()))
        survivors, tried = 0, 0
        for mutant in every:
            begun, source = time.monotonic(), (copy / mutant.path).read_bytes()
            what = f"{mutant.path}:{mutant.line}  {mutant.was!r} -> {mutant.text!r}"
            if mutant.changes_nothing(source):
                print(f"EQUAL             {what}", flush=True)
                continue
            tried += 1
            calls = function_around(mutant, source)
            mine = tuple(f"tests/test_{n}.py:" for n in TESTS[Path(mutant.path).stem])
            near = [
                test
                for _, test, called in tests
                if test.startswith(mine) and calls & {*map(tuple, called)}
            ]
            text = source[: mutant.start] + mutant.text.encode() + source[mutant.end :]
            (copy / mutant.path).write_bytes(text)
            dead = bool(near) and run(copy, near, options.limit) != 0
            (copy / mutant.path).write_bytes(source)
            survivors += not dead
            word = "killed  " if dead else "SURVIVED" if near else "UNTESTED"
            print(f"{word} {time.monotonic() - begun:4.0f} s  {what}", flush=True)
    print(f"killed {tried - survivors} of {tried}; {len(every) - tried} more change nothing")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main())
