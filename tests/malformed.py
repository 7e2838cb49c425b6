"""Files that are nearly right: shipped scenarios and their trees, damaged at random, seeded.

    python -m tests.malformed 10000 SEED FOLDER

loads so many and prints what came of them.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from oversight.core.errors import ScenarioError
from oversight.studies.scenario import load, shipped

SLOW = 2.0
"""Seconds of processor time within which a file is loaded or refused."""
LONG = 50_000
"""Characters that all problems of a file take at most."""

WORDS = [
    r"0",
    r"-1",
    r"1",
    r"2",
    r"1e308",
    r"-1e308",
    r"1e-300",
    r".nan",
    r".inf",
    r"-.inf",
    r"0x10",
    r"0o7",
    r"1_000",
    r"123456789012345678901234567890",
    r"true",
    r"null",
    r"~",
    r"yes",
    r"''",
    r'""',
    r"'a'",
    r'"\x00"',
    r'"\ud800"',
    r"[]",
    r"{}",
    r"[[]]",
    r"[1]",
    r"[a,b]",
    r"*x",
    r"&x",
    r"direct",
    r"balanced",
    r"file",
    r"soft",
    r"2026-01-01",
    r"12:30:45",
    r"=",
    r"<",
    r"-",
    r"?",
    r"|",
    r">",
    r"%",
    r"@",
    r"`",
    r",",
    r":",
    r"#",
    r"é",
    r"=1+1",
    r"[/]",
    r"[red]",
    r"unlimited",
    r"0.5",
    r"0.999999999999",
    r"1.0000001",
    r"-0.0",
    r"9223372036854775808",
    r"18446744073709551616",
    r"1e400",
]
PHRASES = """!!bool 1;!!int x;!!float 1;!!binary aGk=;!!set {a};!!python/name:os.system;!x y;{a: 1}
{kind: concept};{kind: [a]};{root: .nan};{from: 1, to: 0};{from: -1e308, to: 1e308};&x 1;*name
<<: *x;<<: 1;{debate: {}};{debate: {judge: {debate: {}}}};e\u0301;\u200b;\u202e;\ufeff;\U0001f600
""".replace("\n", ";").split(";")
ODD = [*WORDS, *filter(None, PHRASES)]
"""What may stand anywhere, and should not."""
JSON_ODD = [
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "1e999",
    "NaN",
    '""',
    '"a"',
    '["a"]',
    '{"id": 1}',
    "0.0",
]
XML_ODD = [
    "<node/>",
    "<edge/>",
    "</graph>",
    "<!DOCTYPE x>",
    "&x;",
    "&#0;",
    "<![CDATA[",
    "key=",
    '"',
]
TOKEN = re.compile(r"[^\s,:\[\]{}\"'<>=]+")


@dataclass(frozen=True)
class File:
    """A damaged file: the scenario, and the tree beside it where it names one."""

    scenario: str
    tree: str = ""
    tree_name: str = ""

    def write(self, folder: Path) -> Path:
        """Write it into a folder; the scenario's place."""
        if self.tree_name:
            _put(folder / self.tree_name, self.tree)
        _put(folder / "damaged.yaml", self.scenario)
        return folder / "damaged.yaml"


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def originals() -> list[File]:
    """The shipped scenarios, small, each with its tree."""
    files = []
    for path in sorted(shipped().glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(train_items|test_items): \d+", r"\1: 40", text)
        named = re.search(r"path: ([\w.-]+)", text)
        tree = (shipped() / named[1]).read_text(encoding="utf-8") if named else ""
        files.append(File(text, tree, named[1] if named else ""))
    return files


def damaged(seed: int, number: int) -> Iterator[File]:
    """So many damaged files; half of those with a tree have the damage there."""
    luck = random.Random(seed)
    whole = originals()
    trees = [file for file in whole if file.tree]
    for _ in range(number):
        if luck.random() < 0.4:
            file = luck.choice(trees)
            odd = JSON_ODD if file.tree_name.endswith(".json") else XML_ODD
            yield File(file.scenario, _damaged(luck, file.tree, odd), file.tree_name)
        else:
            file = luck.choice(whole)
            yield File(_damaged(luck, file.scenario, ODD), file.tree, file.tree_name)


def _damaged(luck: random.Random, text: str, odd: list[str]) -> str:
    for _ in range(luck.choice((1, 1, 1, 2, 3, 8))):
        text = luck.choice(DAMAGES)(luck, text, odd)
    return text[:3_000_000]


def _token(luck: random.Random, text: str, odd: list[str]) -> str:
    """Another word in place of one."""
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return luck.choice(odd)
    token = luck.choice(tokens)
    other = luck.choice([luck.choice(odd), luck.choice(tokens)[0]])
    return text[: token.start()] + other + text[token.end() :]


def _characters(luck: random.Random, text: str, odd: list[str]) -> str:
    """A character more, less or another."""
    at, cut = luck.randrange(len(text) + 1), luck.choice((0, 1))
    new = luck.choice(
        ("", chr(luck.randrange(256)), chr(luck.randrange(0x11000)), luck.choice(":{}[]'\"\n\t "))
    )
    return text[:at] + new + text[at + cut :]


def _span(luck: random.Random, text: str, odd: list[str]) -> str:
    """A stretch of the text moved, doubled or lost."""
    start = luck.randrange(len(text) + 1)
    end = min(len(text), start + luck.choice((3, 30, 300)))
    to = luck.randrange(len(text) + 1)
    part = text[start:end]
    return luck.choice((text[:start] + text[end:], text[:to] + part + text[to:], text[:start]))


def _line(luck: random.Random, text: str, odd: list[str]) -> str:
    """A line moved, doubled, lost or indented."""
    lines = text.split("\n")
    at = luck.randrange(len(lines))
    line = lines.pop(at) if luck.random() < 0.5 else lines[at]
    lines.insert(luck.randrange(len(lines) + 1), luck.choice(("", " ", "  ", "\t")) + line)
    return "\n".join(lines)


def _many(luck: random.Random, text: str, odd: list[str]) -> str:
    """Something a great many times."""
    at = luck.randrange(len(text) + 1)
    times = luck.choice((50, 1000, 20_000, 200_000))
    return (
        text[:at]
        + luck.choice([*odd, "[", "{", "- ", "a: ", "1,", "\n", " ", "z", "? "]) * times
        + text[at:]
    )


DAMAGES = (_token, _token, _token, _characters, _span, _line, _many)


@dataclass(frozen=True)
class Outcome:
    """What came of loading a file."""

    kind: str
    seconds: float
    problems: str = ""

    @property
    def bad(self) -> str:
        """What should not be; empty where all is right."""
        if self.kind not in ("loaded", "refused"):
            return self.kind
        if self.seconds > SLOW:
            return f"{self.kind} after {self.seconds:.1f} s"
        return "problems without end" if len(self.problems) > LONG else ""


def outcome(path: Path) -> Outcome:
    """Load a scenario."""
    began = time.process_time()
    kind, problems = "loaded", ""
    try:
        load(path)
    except ScenarioError as error:
        kind, problems = "refused", str(error)
    except Exception as error:
        kind = f"{type(error).__name__}: {str(error)[:200]}"
    return Outcome(kind, time.process_time() - began, problems)


def main(number: int, seed: int, folder: Path) -> None:
    """Load so many damaged files, and print what came of them; bad ones are kept."""
    kinds: Counter[str] = Counter()
    slowest = longest = 0.0
    for i, file in enumerate(damaged(seed, number)):
        came = outcome(file.write(folder))
        kinds[came.kind if came.kind in ("loaded", "refused") else "other"] += 1
        slowest, longest = max(slowest, came.seconds), max(longest, len(came.problems))
        if came.bad:
            (folder / f"bad-{i}").mkdir(exist_ok=True)
            file.write(folder / f"bad-{i}")
            print(i, came.bad, flush=True)
    print(dict(kinds), f"slowest {slowest:.2f} s, longest {longest:.0f} characters")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
