"""The `sensitivity` section: which knobs an analysis varies, and over which ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from oversight.core.config import Config, Count, Quantity, checked, expecting

End = Annotated[Quantity, expecting("{value!r} is no number; only numbers can be varied")]
"""An end of a range of a knob."""


def _between(value: object) -> tuple[float, float]:
    if isinstance(value, Mapping) and set(value) == {"from", "to"}:
        value = [value["from"], value["to"]]
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{value!r} is no range; expected like [0.6, 0.8]")
    low, high = checked(tuple[End, End], tuple(value))
    if low >= high:
        raise ValueError(f"from {low:g} to {high:g} is no range; expected low, then high")
    return low, high


Between = Annotated[
    tuple[int | float, int | float],
    BeforeValidator(_between),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]


def _power(value: int) -> int:
    if value & (value - 1):
        raise ValueError(f"{value} is no power of two, as Sobol sequences want; try 64 or 128")
    return value


class Sensitivity(Config):
    """Which knobs are varied, over which ranges, and how finely."""

    knobs: dict[str, Between] = Field(
        default_factory=dict, description="lowest and highest value, by path; usual ones if empty"
    )
    samples: Annotated[Count, Field(ge=2, le=65_536), AfterValidator(_power)] = Field(
        64, description="of a Sobol sequence; the scenario is run knobs + 3 times for each"
    )
    replicates: Count = Field(1, description="of each run")


USUAL: dict[str, tuple[float, float]] = {
    "overseer.accuracy.root": (0.6, 0.8),
    "overseer.accuracy.leaf": (0.8, 0.98),
    "overseer.structure": (0.3, 0.9),
    "model.accuracy.root": (0.8, 0.95),
    "model.accuracy.leaf": (0.9, 1.0),
    "model.shared_bias": (0.0, 0.6),
    "world.decomposability": (0.8, 1.0),
    "world.claim_correlation": (0.0, 1.0),
}
"""What is varied where nobody says: people, model and tree, around what the docs call plausible."""
