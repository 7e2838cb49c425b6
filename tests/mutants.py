"""Mutation run: changes one formula at a time and sees whether a test fails. Not part of the suite.

    python tests/mutants.py --sample 150 --seed 1        about ten seconds a mutant
    python tests/mutants.py --only metrics/pgr.py        one module

Works on a copy of the repository. Tests that compare with checked-in results are left out: they are
our own output, and they would see almost any change. Exit status 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
ROOMS = ("oversight/metrics", "oversight/students", "oversight/overseers", "mechanisms")
TESTS = dict(
    line.split(": ")
    for line in """
agent_score: scores
closed_forms: people debate decomposition student pgr failures
crossings: sweep stress
labels: labels representable_share scores failures
pgr: pgr
representable_share: representable_share
base: student_contracts failures
linear: student student_contracts
probe: probe student
aggregation: decomposition gates failures
dawid_skene: combining
exchange: debate contracts scores
human: people desk contracts
model: people debate tree_debate reward_modeling contracts
panel: panels combining decomposition people
perception: people difficulty world decomposition desk contracts
drift: difficulty people
panel_law: panels combining decomposition
persuasion: reward_modeling debate failures
recording: scores
referral: combining contracts
reward_model: reward_modeling contracts
roles: failures failure_contracts
audit: combining contracts
cascade: combining contracts
consultancy: debate scores contracts
critique: combining scores contracts
debate: debate tree_debate contracts failures
decomposition: decomposition contracts
ladder: combining contracts
recursive_reward_modeling: reward_modeling contracts
vote: combining contracts bad_input
""".strip().splitlines()
)
"""By module, the tests that are about it, those likely to notice first."""

OPERATORS = "Add Sub, Mult Div, Pow Mult, Lt GtE, LtE Gt, Eq NotEq, BitAnd BitOr, And Or"
PAIRS = [[getattr(ast, name) for name in pair.split()] for pair in OPERATORS.split(", ")]
SWAPS = {**{b: a for a, b in PAIRS}, **dict(PAIRS), ast.Mult: ast.Div}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all"}
NO_FORMULA = (ast.Raise, ast.Assert, ast.AnnAssign, ast.ImportFrom, ast.Import)


class Mutant(NamedTuple):
    """One change: bytes of a file, from `start` to `end`, become `text`."""

    path: str
    line: int
    start: int
    end: int
    text: str
    was: str


def function_around(mutant: Mutant, source: bytes) -> set[tuple[str, int]]:
    """Where the code begins whose call runs the mutant: all of its outermost function."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    if not around:
        return {(mutant.path, line) for line in range(source.count(b"\n") + 1)}
    node = min(around, key=lambda node: node.lineno)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return {(mutant.path, line) for line in range(first, (node.end_lineno or 0) + 1)}


def changed(node: ast.AST) -> ast.AST | None:
    """A copy of a piece of code that computes something else, or None."""
    copy = deepcopy(node)
    if isinstance(copy, ast.BinOp | ast.BoolOp) and type(copy.op) in SWAPS:
        copy.op = SWAPS[type(copy.op)]()
        return copy
    if isinstance(copy, ast.Compare) and type(copy.ops[0]) in SWAPS:
        copy.ops[0] = SWAPS[type(copy.ops[0])]()
        return copy
    if isinstance(copy, ast.UnaryOp) and isinstance(copy.op, ast.USub | ast.Not | ast.Invert):
        return copy.operand
    if isinstance(copy, ast.Attribute | ast.Name):
        name = copy.attr if isinstance(copy, ast.Attribute) else copy.id
        if name in NAMES:
            setattr(copy, "attr" if isinstance(copy, ast.Attribute) else "id", NAMES[name])
            return copy
    if isinstance(copy, ast.Constant) and isinstance(copy.value, bool | int | float):
        value = copy.value
        if isinstance(value, bool):
            return ast.Constant(not value)
        return ast.Constant(value + 1 if isinstance(value, int) else value * 1.5 or 1.0)
    return None


def pieces(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a module that compute: no annotations, messages, declarations, traces."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, NO_FORMULA):
                continue
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            if isinstance(child, ast.If) and "traced" in ast.unparse(child.test):
                continue
            yield child
            yield from pieces(child)


def mutants() -> list[Mutant]:
    """All of them, by file and place."""
    every = []
    for path in sorted(p for room in ROOMS for p in (ROOT / room).glob("*.py")):
        if path.stem not in TESTS:
            continue
        source = path.read_bytes()
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        for node in pieces(ast.parse(source)):
            other = changed(node) if isinstance(node, ast.expr) else None
            if other is None or not isinstance(node, ast.expr):
                continue
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            was, text = source[start:end].decode(), f"({ast.unparse(other)})"
            if isinstance(node, ast.Attribute | ast.Constant | ast.Name):
                text = text[1:-1]
            every.append(
                Mutant(path.relative_to(ROOT).as_posix(), node.lineno, start, end, text, was)
            )
    return every


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


def run(copy: Path, tests: list[str], limit: int, report: Path | None = None) -> int:
    """The exit status of tests in a copy of the repository, in a process of their own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    signal.alarm(limit)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1), os.dup2(quiet, 2)
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
    parser.add_argument("--only", default="", help="modules whose path has this")
    parser.add_argument("--limit", type=int, default=600, help="seconds a mutant")
    options = parser.parse_args()
    every = [mutant for mutant in mutants() if options.only in mutant.path]
    if 0 < options.sample < len(every):
        every = random.Random(options.seed).sample(every, options.sample)
    with tempfile.TemporaryDirectory() as folder:
        copy, report = Path(folder).resolve() / "copy", Path(folder) / "report.json"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", ".venv"))
        names = {name for mutant in every for name in TESTS[Path(mutant.path).stem].split()}
        files = [
            f"tests/test_{n}.py" for n in sorted(names) if (copy / f"tests/test_{n}.py").exists()
        ]
        if run(copy, files, 100 * options.limit, report):
            sys.exit("the tests fail without a mutant")
        tests = sorted(json.loads(report.read_text()))
        survivors = 0
        for mutant in every:
            begun, source = time.monotonic(), (copy / mutant.path).read_bytes()
            calls = function_around(mutant, source)
            mine = tuple(f"tests/test_{n}.py:" for n in TESTS[Path(mutant.path).stem].split())
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
            what = f"{mutant.path}:{mutant.line}  {mutant.was!r} -> {mutant.text!r}"
            word = "killed  " if dead else "SURVIVED" if near else "UNTESTED"
            print(f"{word} {time.monotonic() - begun:4.0f} s  {what}", flush=True)
    print(f"killed {len(every) - survivors} of {len(every)}")
    return min(survivors, 1)


if __name__ == "__main__":
    sys.exit(main())
