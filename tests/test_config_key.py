"""The text that knobs are keyed by: as it always was, whatever the classes are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from oversight.components.component import Component
from oversight.components.profiles import ByHeight, Minutes
from oversight.core.config import Config, config_key
from oversight.core.plugins import plugins
from oversight.failures.base import Onset, Slice
from oversight.overseers.human import Human
from oversight.overseers.model import Model

KEYS = [
    (ByHeight(root=0.93, leaf=0.98), "ByHeight(root=0.93, leaf=0.98)"),
    (ByHeight(), "ByHeight(root=0.7, leaf=0.92)"),
    (Minutes(argument=3), "Minutes(root=12.0, leaf=2.0, argument=3.0, aid=0.0)"),
    (
        Slice(share=0.5, first=3),
        "Slice(share=0.5, region=None, answer=None, first=3, last=None)",
    ),
    (Onset(level=1), "Onset(item=0, level=1)"),
    ((0.7, 0.9), "(0.7, 0.9)"),
    ((0.7,), "(0.7,)"),
    ((), "()"),
    ([1, "a"], "[1, 'a']"),
    ({"a": ByHeight(root=1)}, "{'a': ByHeight(root=1.0, leaf=0.92)}"),
    (True, "True"),
    (1e-9, "1e-09"),
    ("hard", "'hard'"),
    (None, "None"),
]


@pytest.mark.parametrize(("value", "text"), KEYS, ids=[text for _, text in KEYS])
def test_keys_are_as_they_were(value: object, text: str) -> None:
    assert config_key(value) == text == repr(value)


def test_knobs_are_keyed_by_them() -> None:
    key = "model(accuracy=ByHeight(root=0.93, leaf=0.98))"
    assert Model(accuracy=ByHeight(root=0.93, leaf=0.98)).identity() == key
    assert Human(accuracy=(0.7, 0.9)).identity() == "human(accuracy=[0.7, 0.9])"


def test_renaming_a_class_moves_nothing() -> None:
    before = [config_key(value) for value, _ in KEYS]
    kinds = (ByHeight, Minutes, Slice, Onset)
    names = [kind.__name__ for kind in kinds]
    try:
        for kind in kinds:
            kind.__name__ = "Renamed"
        assert [config_key(value) for value, _ in KEYS] == before
    finally:
        for kind, name in zip(kinds, names, strict=True):
            kind.__name__ = name


def configs(annotation: Any) -> Iterator[type[Config]]:
    """Every class of settings that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield annotation
    for part in get_args(annotation):
        yield from configs(part)


def test_every_class_that_can_be_a_knob_states_its_key() -> None:
    kinds = {**plugins("mechanisms").loaded, **plugins("failures").loaded, "h": Human, "m": Model}
    knobs = {
        kind
        for component in kinds.values()
        for field in component.model_fields.values()
        for kind in [*configs(field.annotation), *(configs(type(field.default)))]
        if not issubclass(kind, Component) and kind is not Config
    }
    assert {ByHeight, Slice, Onset} <= knobs
    assert [kind for kind in knobs if not vars(kind).get("key_name")] == []
