"""The `design` section: what a search for protocols may try."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydantic import Field

from oversight.core.config import Config, Count, Place, Positive, Seed, Share, nearest
from oversight.core.plugins import plugins
from oversight.studies.search_space import Space
from oversight.worlds.base import World


class Design(Config):
    """What a search for protocols may try, how long, and what every protocol must keep to."""

    evaluations: Count = Field(160, le=100_000, description="protocols to try")
    batch: Count = Field(16, le=1000, description="protocols proposed together")
    replicates: Count = Field(4, ge=2, description="replicates that each is tried on")
    depth: Count = Field(2, le=4, description="how deep mechanisms may be nested")
    mechanisms: tuple[str, ...] | None = Field(None, description="which; all if left out")
    knobs: dict[str, dict[str, tuple[object, ...]]] = Field(
        default_factory=dict, description="values to try, by mechanism and knob"
    )
    minutes: Positive | None = Field(None, description="human minutes an item, at most")
    survive: dict[str, Share] = Field(
        default_factory=dict,
        description="failures, by name, under which PGR stays above the unaided overseer's, and "
        "how severe",
    )
    seed: Seed = Field(0, description="of the search, apart from the scenario's")

    def problems(self, failures: Collection[str]) -> Iterator[tuple[Place, str]]:
        """What does not fit what is installed, or the scenario's failures, by name; each with where
        it stands."""
        known = plugins("mechanisms").loaded
        if self.mechanisms == ():
            yield ("mechanisms",), "an empty space; expected at least one mechanism"
        named: list[tuple[Place, str]] = [(("knobs", name), name) for name in self.knobs]
        named += [(("mechanisms", i), name) for i, name in enumerate(self.mechanisms or ())]
        for place, name in named:
            if name not in known:
                yield place, f"unknown mechanism {name!r}; {nearest(name, list(known))}"
        for name, knobs in self.knobs.items():
            keys = known[name].file_keys() if name in known else []
            for knob, values in knobs.items() if keys else ():
                if knob not in keys:
                    yield ("knobs", name, knob), f"unknown knob; {nearest(knob, keys)}"
                elif not values:
                    yield ("knobs", name, knob), "no value to try"
        for name in self.survive:
            if name not in failures:
                hint = (
                    nearest(name, [*failures])
                    if failures
                    else "the scenario has no failures section"
                )
                yield ("survive", name), f"names no failure of this scenario; {hint}"

    def space(self, world: World) -> Space:
        """The protocols that may be tried in a world."""
        loaded = plugins("mechanisms").loaded
        kinds = {name: loaded[name] for name in self.mechanisms or loaded}
        own = {name: dict(getattr(kind, "tries", {})) for name, kind in kinds.items()}
        knobs = {name: {**own[name], **self.knobs.get(name, {})} for name in kinds}
        return Space(kinds, knobs, self.depth, world)
