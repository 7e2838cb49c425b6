"""The `sweep` section: values of knobs, each crossed with every other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from oversight.core.config import Config, Number, Quantity, checked, error_at, expecting, raise_all

MOST_POINTS = 100_000


class Range(Config):
    """Evenly spaced values, both ends included."""

    low: Number
    high: Number
    steps: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 5
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _spans(self) -> Range:
        if self.high <= self.low:
            raise ValueError(f"from {self.low:g} to {self.high:g} is no range; expected from < to")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a log scale cannot start at {self.low:g}; expected above 0")
        return self

    @property
    def values(self) -> tuple[float, ...]:
        """The values, lowest first."""
        spaced = np.geomspace if self.scale == "log" else np.linspace
        return tuple(float(f"{value:.12g}") for value in spaced(self.low, self.high, self.steps))


Value = Annotated[Quantity, expecting("{value!r} is no number; only numbers can be swept")]
"""A value that a knob takes."""


def _values(value: object) -> tuple[int | float, ...]:
    if isinstance(value, Mapping):
        words = {"from": "low", "to": "high"}
        known = {"from", "to", "steps", "scale"}
        raise_all(
            "range",
            [
                error_at("unknown key; a range has from, to, steps and scale", (str(key),))
                for key in value
                if key not in known
            ]
            + [error_at("missing", (key,)) for key in words if key not in value],
        )
        return Range.model_validate({words.get(key, key): v for key, v in value.items()}).values
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise ValueError(
            f"{value!r} is no list of values; expected like [0.6, 0.7, 0.8], or "
            "{from: 0.6, to: 0.8, steps: 3}"
        )
    if not value:
        raise ValueError("no values; expected at least one")
    values: tuple[int | float, ...] = checked(tuple[Value, ...], tuple(value))
    if len(set(values)) < len(values):
        raise ValueError("a value stands here twice")
    return values


NUMBERS = {
    "anyOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 1},
        {
            "type": "object",
            "properties": {
                "from": {"type": "number"},
                "to": {"type": "number"},
                "steps": {"type": "integer", "minimum": 2},
                "scale": {"enum": ["linear", "log"]},
            },
            "required": ["from", "to"],
            "additionalProperties": False,
        },
    ]
}
Values = Annotated[tuple[int | float, ...], BeforeValidator(_values), WithJsonSchema(NUMBERS)]
Sweep = dict[str, Values]
"""Values by the path of the knob that takes them."""
