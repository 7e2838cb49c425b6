"""The tables of the pages on scenario files have every key, and the limits that hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from oversight.components.profiles import (
    ByHeight,
    Minutes,
    ModelSettings,
    PeopleSettings,
    Strategy,
)
from oversight.core.config import LARGEST, Config
from oversight.core.plugins import plugins
from oversight.desk.settings import Desk
from oversight.failures.base import Onset, Slice
from oversight.overseers.slots import overseers
from oversight.studies.design import Design
from oversight.studies.json_schema import schema
from oversight.studies.play import Play
from oversight.studies.sections import Scenario
from oversight.studies.sensitivity import Sensitivity
from oversight.studies.sweep import Range
from oversight.worlds.tree_files import BalancedTree

DOCS = Path(__file__).parent.parent / "docs"
N = r"(\d(?:[\d,.]*\d)?(?:\^64 - 1)?)"


class Limits(NamedTuple):
    """Between which values a number lies, and which ends are outside. None: another key decides."""

    low: float
    low_open: bool
    high: float | None
    high_open: bool


def number(text: str) -> float:
    return 2**64 - 1 if "^" in text else float(text.replace(",", ""))


def limits(text: str) -> Limits | None:
    """What a cell of a table says; None where it is not about numbers.

    >>> limits("above 0, to 1")
    Limits(low=0.0, low_open=True, high=1.0, high_open=False)
    """
    for pattern, low_open, high_open in (
        (rf"between {N} and {N}", True, True),
        (rf"above {N}, to {N}", True, False),
        (rf"{N} to below {N}", False, True),
        (rf"{N} to {N}", False, False),
    ):
        if found := re.match(pattern, text):
            return Limits(number(found[1]), low_open, number(found[2]), high_open)
    if found := re.match(rf"(above )?{N}(, at most the| to the| to `| or more)?", text):
        other = found[3] is not None and found[3] != " or more"
        return Limits(number(found[2]), bool(found[1]), None if other else LARGEST, False)
    return None


def rows(page: str, heading: str) -> dict[str, str]:
    """What the tables below a heading say of the values of each key."""
    text = (DOCS / page).read_text(encoding="utf-8")
    level = heading.split()[0]
    if heading != "#":
        start = text.index(f"\n{heading}\n") + 1
        after = re.search(rf"(?m)^#{{1,{len(level)}}} (?!#)", text[start + len(heading) :])
        text = text[start:][: after.start() + len(heading) if after else None]
        text = text if len(level) == 3 else text.split("\n### ")[0]
    else:
        text = text[: text.index("\n## ")]
    lines = [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in re.findall(r"(?m)^\|.*$", text)]
    return {
        key.strip(): cells[2]
        for cells in lines
        if len(cells) >= 3 and not cells[0].startswith("---")
        for key in cells[0].split(", ")
    }


SECTIONS: dict[str, tuple[str, str, type[Config]]] = {
    "file": ("scenario-files.md", "#", Scenario),
    "tree": ("scenario-files.md", "### tree", BalancedTree),
    "overseer": ("scenario-files.md", "## overseer", PeopleSettings),
    "model": ("scenario-files.md", "## model", ModelSettings),
    "strategy": ("scenario-files.md", "## model", Strategy),
    "items": ("scenario-files.md", "## failures", Slice),
    "onset": ("scenario-files.md", "## failures", Onset),
    "play": ("scenario-files.md", "## play", Play),
    "desk": ("desk.md", "## Keys", Desk),
    "sensitivity": ("scenario-files.md", "## sensitivity", Sensitivity),
    "design": ("scenario-files.md", "## design", Design),
    **{
        f"protocols: {name}": ("scenario-files.md", "## protocols", kind)
        for name, kind in overseers().loaded.items()
    },
    "world: concept": ("scenario-files.md", "## world", plugins("worlds").get("concept")),
    "student: linear": ("scenario-files.md", "## student", plugins("students").get("linear")),
    "student: gradient": (
        *("scenario-files.md", "### student: {kind: gradient}"),
        plugins("students").get("gradient"),
    ),
}
ELSEWHERE = {
    "file": {"world", "overseer", "model", "student", "failures", "strategies", "play", "desk"}
    | {"sweep", "design", "sensitivity"},  # sections of their own
    "tree": {"kind", "gates", "leaf_prior"},  # in words
    "student: gradient": {"kind"},  # the heading
}
"""Keys that no table of the section has."""


FITTING: dict[str, dict[str, Any]] = {
    "branching": {"depth": 1},
    "depth": {"branching": 1},
    "hours_per_day": {"sitting": 1e-6, "start": 0},
    "deadline": {"start": 0},
}
"""What other keys are while one is tried, so that they do not refuse it."""
NO_NUMBER = ("accuracy", "minutes", "strategy", "severity", "oversight", "knobs", "survive")
"""Keys whose numbers stand deeper."""


def numeric(kind: type[Config], key: str) -> type | None:
    """int or float where a key is a number, or a list of numbers."""

    def of(annotation: Any) -> Iterator[type]:
        if annotation in (int, float):
            yield annotation
        for part in get_args(annotation):
            yield from of(part)

    annotation = kind.model_fields[key].annotation
    found = [one for one in of(annotation) if one in (int, float)]
    return found[0] if found else None


def accepts(kind: type[Config], key: str, value: float) -> bool:
    """Whether a key may have a value, whatever else its class asks for."""
    annotation = str(kind.model_fields[key].annotation)
    given: Any = int(value) if numeric(kind, key) is int else float(value)
    given = [given] if "tuple[" in annotation else given
    try:
        kind.model_validate({**FITTING.get(key, {}), key: given})
    except ValidationError as error:
        return not any(line["loc"][:1] == (key,) for line in error.errors())
    return True


def check(kind: type[Config], key: str, text: str) -> None:
    """The limits of a key are those that its row has."""
    has = limits(text)
    assert has is not None, f"{kind.__name__}.{key}: {text!r} has no limits"
    step = 1 if numeric(kind, key) is int else 1e-6
    assert accepts(kind, key, has.low + step * has.low_open), f"{key}: the least of {text!r}"
    assert not accepts(kind, key, has.low - step * (not has.low_open)), f"{key}: below {text!r}"
    if has.high is None:
        return
    past = max(step, float(np.spacing(has.high)) * 2) if step != 1 else 1
    assert accepts(kind, key, has.high - step * has.high_open), f"{key}: the most of {text!r}"
    assert not accepts(kind, key, has.high + past * (not has.high_open)), f"{key}: above {text!r}"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_stands_in_its_table_with_its_limits(section: str) -> None:
    page, heading, kind = SECTIONS[section]
    table, text = rows(page, heading), (DOCS / page).read_text(encoding="utf-8")
    own = {"overseer": rows("scenario-files.md", "## overseer")}
    own["model"] = rows("scenario-files.md", "## model")
    alike = {"protocols: human": own["overseer"], "protocols: model": own["model"]}
    for key in kind.file_keys():
        if key in ELSEWHERE.get(section, ()):
            continue
        words = table.get(key, alike.get(section, {}).get(key))
        if words is None:  # a slot or a choice, which the table of mechanisms has
            assert numeric(kind, key) is None, f"{section}: no row for {key}"
            assert section.startswith("protocols"), key
            assert re.search(rf"\b{key}\b", text), key
        elif key not in NO_NUMBER and numeric(kind, key):
            check(kind, key, words)


def test_what_people_and_model_have_by_height() -> None:
    for key in Minutes.model_fields:
        check(Minutes, key, rows("scenario-files.md", "## overseer")["minutes"])
    for key in ByHeight.model_fields:
        check(ByHeight, key, "0 to 1")  # the world says what is too little: above chance


@pytest.mark.parametrize("name", plugins("failures").loaded)
def test_a_share_or_a_chance_is_at_most_1(name: str) -> None:
    kind = plugins("failures").get(name)
    text = rows("scenario-files.md", "## failures")["most"]
    share = not accepts(kind, "most", 1.5)
    assert share == bool(re.search(r"\b(share|chance)\b", kind.knob)), kind.knob
    check(kind, "most", "0 to 1" if share else text)


def test_steps_of_a_sweep() -> None:
    text = (DOCS / "scenario-files.md").read_text(encoding="utf-8")
    assert "`steps` is 2 to 10,000" in text

    def takes(steps: int) -> bool:
        try:
            Range(low=0.0, high=1.0, steps=steps)
        except ValidationError:
            return False
        return True

    assert [takes(steps) for steps in (1, 2, 10_000, 10_001)] == [False, True, True, False]


def test_the_schema_has_the_same_limits() -> None:
    """Where the schema states a limit, it is the one of the table."""
    whole = schema()
    names = {"maximum": "high", "minimum": "low", "exclusiveMinimum": "low"}
    compared = 0
    for section, (page, heading, kind) in SECTIONS.items():
        place = whole if kind is Scenario else whole["$defs"].get(kind.__name__)
        if place is None and section.startswith("protocols"):
            place = whole["$defs"][section.split(": ")[1]]["anyOf"][0]
        for key, described in (place or {}).get("properties", {}).items():
            has = limits(rows(page, heading).get(key, ""))
            for part in described.get("anyOf", [described]):
                for word, end in names.items():
                    value = getattr(has, end, None)
                    if word in part and value is not None and part.get("type") != "string":
                        assert part[word] == value or (key, word) == ("effort", "minimum"), key
                        compared += 1
    assert compared > 60


def test_limits_are_read_as_a_person_reads_them() -> None:
    assert limits("10 to 1,000,000") == (10, False, 1e6, False)
    assert limits("0 to 2^64 - 1") == (0, False, 2**64 - 1, False)
    assert limits("1 to 10,000, or unlimited") == (1, False, 1e4, False)
    assert limits("above 0, at most the day") == (0, True, None, False)
    assert limits("between 0 and 1") == (0, True, 1, True)
    assert limits("0 to below 24") == (0, False, 24, True)
    assert limits("1 or more") == (1, False, LARGEST, False)
    assert limits("above 0") == (0, True, LARGEST, False)
    assert limits("1 to the world's") == (1, False, None, False)
    assert limits("a list of names") is None
