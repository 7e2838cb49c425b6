"""What a scenario says of the people and of the strong model (MODEL 3, 4, 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    SkipValidation,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from scipy.special import expit, logit

from oversight.core.claims import BoolArray, FloatArray, IntArray
from oversight.core.config import Config, Share
from oversight.core.evidence import Evidence
from oversight.worlds.base import MARGINS, Pool, World

CLEAREST = 1 - 1e-9
"""Accuracies are clipped here, so that log-odds stay finite."""


class ByHeight(Config):
    """Accuracy at the root (against gold) and at the leaves (against the claim's truth); log-odds
    in between."""

    key_name: ClassVar[str] = "ByHeight"

    root: Share = 0.70
    leaf: Share = 0.92


def _accuracy(value: Any) -> ByHeight | tuple[float, ...]:
    if isinstance(value, ByHeight):
        return value
    if isinstance(value, Mapping):
        return ByHeight.model_validate(value)
    if isinstance(value, list | tuple) and value:
        return TypeAdapter(tuple[Share, ...]).validate_python(tuple(value))
    raise ValueError("expected {root: .., leaf: ..} or a list of accuracies, the root's first")


Accuracy = Annotated[
    SkipValidation[ByHeight | tuple[Share, ...]],
    BeforeValidator(_accuracy),
    WithJsonSchema(
        {
            "anyOf": [
                {"x-ref": "ByHeight"},
                {
                    "type": "array",
                    "items": {"type": "number", "minimum": 0, "maximum": 1},
                    "minItems": 1,
                },
            ]
        }
    ),
]


MinutesEach = Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)]
"""Minutes that one thing takes, at most two years."""
Factor = Annotated[float, Field(strict=True, ge=1e-3, le=1e3, allow_inf_nan=False)]
"""A factor on log-odds."""
Spread = Annotated[float, Field(strict=True, ge=0, le=10, allow_inf_nan=False)]
"""A spread of log-odds; at 10, all are right always or never."""


class Minutes(Config):
    """What a person's attention costs, in minutes: a claim, an argument read, an aid consulted."""

    key_name: ClassVar[str] = "Minutes"

    root: MinutesEach = 12.0
    leaf: MinutesEach = 2.0
    argument: MinutesEach = 1.0
    aid: MinutesEach = 0.0

    def by_height(self, heights: IntArray) -> FloatArray:
        """Minutes a claim of each height takes: geometric between leaf and root (MODEL 7)."""
        top = max(int(heights[0]), 1)
        share = np.where(heights == heights[0], 1.0, heights / top)
        if self.root > 0 and self.leaf > 0:
            return np.asarray(self.leaf ** (1 - share) * self.root**share)
        return np.asarray(self.leaf * (1 - share) + self.root * share)


def reading_minutes(minutes: Minutes, evidence: Evidence | None) -> float | FloatArray:
    """What reading the evidence costs a person, a claim."""
    if evidence is None:
        return 0.0
    read: float | FloatArray = sum(argument.count for argument in evidence.arguments)
    return minutes.argument * read + minutes.aid * evidence.aids


class PeopleSettings(Config):
    """The human overseers."""

    accuracy: Accuracy = ByHeight()
    structure: Share = Field(
        0.6, description="share of their error in a direction the student can represent, s"
    )
    confidence: Factor = Field(
        1.0, description="factor on stated log-odds; above 1 is over-confident"
    )
    difficulty: Share = Field(
        1.0, description="how far items differ in how hard they are, h; 0 is all equally hard"
    )
    skill_sd: Spread = Field(0.0, description="spread of people's accuracy, in log-odds")
    minutes: Minutes = Minutes()


class Tactics(Config):
    """How a strong model that wants something else goes about it (MODEL 10)."""

    key_name: ClassVar[str] = "Tactics"

    picks: Literal["random", "judge_weak", "pivotal", "unwatched"] = Field(
        "random",
        description="which items it attacks: any; those on which the people's misconception speaks "
        "for the lie; those on which the fewest changed leaves turn the root; those at which "
        "somebody looks again least likely",
    )
    knows: Literal["rate", "clock", "coins", "everything"] = Field(
        "rate",
        description="what it knows of the protocol's own chances: how often somebody looks again; "
        "how many looks are left; at which items; all of it, and what the judge makes of an item",
    )
    states: Literal["belief", "bluff"] = Field(
        "belief",
        description="how sure it states a lie: as sure as it is of the truth, or as it usually is "
        "at that height",
    )
    copies: Literal["together", "apart"] = Field(
        "together",
        description="whether its copies throw the argument for the truth, or each argues to win",
    )

    @model_validator(mode="after")
    def _knows_enough(self) -> Self:
        if self.picks == "unwatched" and self.knows in ("rate", "clock"):
            raise ValueError(
                f"who knows the {self.knows} alone cannot tell which items are unwatched; expected "
                "knows: coins, or knows: everything"
            )
        return self

    def problem(self, world: World) -> str:
        """Why nobody can go about it like this in a world; empty where they can."""
        if self.knows == "clock":
            return "nothing here counts how many looks are left, so there is no clock to know"
        if self.picks == "pivotal" and not world.task_tree.height:
            return f"the world {world.kind} has no task tree, so no leaf can turn an answer"
        if self.picks == "judge_weak" and MARGINS not in world.has:
            return f"the world {world.kind} has no misconception that a judge could share"
        return ""


class Strategy(Tactics):
    """What a strong model that wants something else does with what it knows (MODEL 10).

    On an item that it attacks, it answers, takes sides, announces and disputes as if the item's
    answer were the opposite of what it believes.
    """

    key_name: ClassVar[str] = "Strategy"
    offered: ClassVar[bool] = False
    """Whether the share is one of the items that `picks` offers, not of all."""

    share: Share = Field(0.2, description="share of the items that it attacks")

    @property
    def title(self) -> str:
        """The strategy in a few words.

        >>> Strategy().title, Strategy(share=0.5, picks="unwatched", knows="coins").title
        ('0.2 random', '0.5 unwatched, coins')
        """
        fields, rest = Tactics.model_fields, ("knows", "states", "copies")
        more = [own for key in rest if (own := getattr(self, key)) != fields[key].default]
        share = f"{self.share:g}{' of' * self.offered} {self.picks}"
        return ", ".join([share, *more])

    def __str__(self) -> str:
        return self.title


class OfOffered(Strategy):
    """A strategy whose share is one of the items that `picks` offers.

    >>> OfOffered(share=0.5, picks="judge_weak").title
    '0.5 of judge_weak'
    """

    key_name: ClassVar[str] = "OfOffered"
    offered: ClassVar[bool] = True


HONEST: Literal["honest"] = "honest"


def _strategy(value: Any) -> Any:
    if value == HONEST or isinstance(value, Strategy):
        return value
    if isinstance(value, Mapping):
        return Strategy.model_validate(value)
    raise ValueError(f"{value!r} is no strategy; expected honest, or keys like {{share: 0.2}}")


StrategyField = Annotated[
    SkipValidation[Strategy | Literal["honest"]],
    BeforeValidator(_strategy),
    WithJsonSchema({"anyOf": [{"const": "honest"}, {"x-ref": "Strategy"}]}),
]
"""What U does: `honest`, or a strategy."""


class ModelSettings(Config):
    """The strong model U, of which debaters, consultants and assistants are copies."""

    accuracy: Accuracy = ByHeight(root=0.93, leaf=0.98)
    shared_bias: Share = Field(
        0.2, description="share of U's error along the people's misconception, kappa"
    )
    difficulty: Share = Field(1.0, description="how far items differ in how hard they are for U, h")
    strategy: StrategyField = Field(
        HONEST, description="what it does with what it knows; honest, or a strategy"
    )


@dataclass(frozen=True)
class Setting:
    """Who works in a scenario: the people and the strong model, unless a protocol says
    otherwise.

    teacher   given to students alone: the evidence, over the items of any pool, of the protocol
              that labeled what they learned from. It costs nothing to ask
    attacked  by strategy, the items of the pool that U attacks, bool over items. It is decided
              for a protocol as a whole, before its parts are prepared: what U can know comes from
              above
    """

    people: PeopleSettings
    model: ModelSettings
    teacher: Callable[[Pool], FloatArray] | None = None
    attacked: Mapping[Strategy, BoolArray] = field(default_factory=dict)


def accuracy_problem(
    accuracy: ByHeight | tuple[float, ...], ceiling: float, height: int
) -> str | None:
    """What is wrong with an accuracy by height, or None."""
    listed = accuracy if isinstance(accuracy, tuple) else (accuracy.root, accuracy.leaf)
    if isinstance(accuracy, tuple) and len(accuracy) != height + 1:
        return (
            f"{len(accuracy)} accuracies for a tree of {height + 1} levels; "
            f"expected {height + 1}, the root's first (or root and leaf)"
        )
    if not 0.5 < listed[0] <= ceiling:
        return (
            f"root accuracy {listed[0]:g} is against gold; expected above 0.5 and at most "
            f"the ceiling {ceiling:g}"
        )
    if any(not 0.5 < value <= 1 for value in listed[1:]):
        return f"accuracy {min(listed[1:]):g} below the root; expected above 0.5 and at most 1"
    return None


def accuracy_by_node(
    accuracy: ByHeight | tuple[float, ...], heights: IntArray, noise: float
) -> FloatArray:
    """P(right) of every node, against the claim's own truth (MODEL 2).

    The root's accuracy is given against gold and converted once, A_y = (A_gold - eta) / (1 - 2
    eta); heights in between are interpolated in log-odds. `heights` is by node, the root first.
    """
    top = int(heights[0])

    def odds(value: float) -> float:
        return float(logit(min(value, CLEAREST)))

    if isinstance(accuracy, tuple):
        root = odds((accuracy[0] - noise) / (1 - 2 * noise))
        levels = np.array([*[odds(a) for a in reversed(accuracy[1:])], root])
    else:
        root = odds((accuracy.root - noise) / (1 - 2 * noise))
        levels = np.linspace(odds(accuracy.leaf), root, top + 1) if top else np.array([root])
    return np.asarray(expit(levels[heights]))


def signal(accuracy: FloatArray) -> FloatArray:
    """The correlation r = cos(pi (1 - A)) between judgment and truth of an overseer right with
    chance A (MODEL 3)."""
    return np.asarray(np.cos(np.pi * (1 - np.minimum(accuracy, CLEAREST))))
