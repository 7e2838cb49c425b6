"""Failures of the strong model itself: it knows the truth and wants something else (MODEL 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, SkipValidation

from oversight.components.component import Component
from oversight.components.profiles import OfOffered, Strategy, Tactics
from oversight.components.wrappers import MODELS_ROLE, as_role
from oversight.core.config import Share
from oversight.failures.base import Failure
from oversight.failures.injection import Injection
from oversight.overseers.model import Model
from oversight.worlds.base import World


def _tactics(value: object) -> Tactics:
    if isinstance(value, Strategy) or (isinstance(value, Mapping) and "share" in value):
        raise ValueError("severity x most is the share of the items attacked; leave out share")
    return value if isinstance(value, Tactics) else Tactics.model_validate(value)


class ModelFailure(Failure):
    """A failure of every copy of the strong model: it attacks a share of the items.

    At severity 0 a copy keeps the scenario's own strategy. One with a strategy of its own keeps
    that.
    """

    can_strike: ClassVar[tuple[str, ...]] = (MODELS_ROLE,)
    rate: ClassVar[float] = 0.2
    partial: ClassVar[bool] = False
    decides: ClassVar[bool] = True
    most: Share = 1.0

    def planned(self, severity: float) -> Strategy:
        """The strategy at a severity in [0, 1]."""
        raise TypeError(f"{type(self).__name__} defines no planned(severity)")

    def refusal(self, protocol: Component, world: World) -> str:
        return self.planned(1.0).problem(world)

    def around(self, inner: Component, role: str, severity: float) -> Component:
        """The model itself, with the strategy."""
        model = as_role(inner, Model)
        if not severity or model.strategy is not None:
            return inner
        return inner.model_copy(update={"strategy": self.planned(severity)})


class Scheming(ModelFailure):
    """The strong model attacks a share of the items by a strategy: there it acts, in all its
    copies, as if the answer were the opposite of what it believes."""

    name: ClassVar[str] = "scheming"
    knob: ClassVar[str] = "share of the items that the model attacks"
    source: ClassVar[str] = "Greenblatt et al. 2023: the attack policy of an untrusted model"

    strategy: Annotated[SkipValidation[Tactics], BeforeValidator(_tactics)] = Field(
        Tactics(), description="which items it attacks, and how"
    )

    def planned(self, severity: float) -> Strategy:
        return Strategy(**dict(self.strategy), share=severity * self.most)


class Sycophancy(ModelFailure):
    """The strong model argues and answers what the judge believes: it attacks items on which the
    misconception speaks against what it knows, the strongest first."""

    name: ClassVar[str] = "sycophancy"
    knob: ClassVar[str] = "share of the items where the misconception speaks against U's belief"
    source: ClassVar[str] = "Sharma et al. 2023, arXiv 2310.13548"

    def planned(self, severity: float) -> Strategy:
        return OfOffered(picks="judge_weak", share=severity * self.most)


def as_failure(strategy: Strategy) -> Injection:
    """A strategy as a failure: scheming, at the strategy's share."""
    how = Tactics(**{key: getattr(strategy, key) for key in Tactics.model_fields})
    return Injection(together=(Scheming(strategy=how),), severity=(strategy.share,))
