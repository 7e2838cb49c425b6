"""A wrapper that can stand in for a part of any role."""

from __future__ import annotations

from typing import Any, Self

from oversight.components.overseer import Overseer
from oversight.components.profiles import Setting
from oversight.components.wrappers import Wrapper, as_role
from oversight.core.claims import BoolArray, Claims, FloatArray, IntArray, Verdicts
from oversight.core.evidence import Argument, Evidence
from oversight.core.streams import Chance
from oversight.overseers.agent import Agent
from oversight.overseers.aggregation import Aggregator, Checked
from oversight.overseers.persuasion import Arguing
from oversight.overseers.reward_model import RewardModel
from oversight.students.base import Lesson, Student
from oversight.worlds.base import Pool


class RoleWrapper(Wrapper):
    """Passes every call on to the part inside, whatever role that plays. A subclass overrides the
    calls that it changes."""

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        """As `Overseer.assess`."""
        return as_role(self.inner, Overseer).assess(claims, evidence)

    def reliability(self, node: int) -> float:
        """As `Overseer.reliability`."""
        return as_role(self.inner, Overseer).reliability(node)

    def believe(self, claims: Claims) -> BoolArray:
        """As `Agent.believe`."""
        return as_role(self.inner, Agent).believe(claims)

    def perceived(self, claims: Claims) -> BoolArray:
        """As `Agent.perceived`."""
        return as_role(self.inner, Agent).perceived(claims)

    def argue(
        self,
        claims: Claims,
        side: BoolArray,
        rounds: int,
        arguing: Arguing,
        chance: Chance,
        who: str,
        *,
        evidence: Evidence | None = None,
        judge: Overseer | None = None,
    ) -> Argument:
        """As `Agent.argue`."""
        return as_role(self.inner, Agent).argue(
            claims, side, rounds, arguing, chance, who, evidence=evidence, judge=judge
        )

    def assist(
        self,
        claims: Claims,
        arguing: Arguing,
        correlation: FloatArray,
        chance: Chance,
        *name: str | int,
    ) -> Argument:
        """As `Agent.assist`."""
        return as_role(self.inner, Agent).assist(claims, arguing, correlation, chance, *name)

    def announce(
        self, claims: Claims, value: BoolArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """As `Agent.announce`."""
        return as_role(self.inner, Agent).announce(claims, value, chance, *name)

    def dispute(
        self, claims: Claims, announced: IntArray, chance: Chance, *name: str | int
    ) -> IntArray:
        """As `Agent.dispute`."""
        return as_role(self.inner, Agent).dispute(claims, announced, chance, *name)

    def combine(self, checked: Checked, chance: Chance) -> FloatArray:
        """As `Aggregator.combine`."""
        return as_role(self.inner, Aggregator).combine(checked, chance)

    def needed(self, checked: Checked, chance: Chance) -> BoolArray:
        """As `Aggregator.needed`."""
        return as_role(self.inner, Aggregator).needed(checked, chance)

    def evidence(self, claims: Claims) -> FloatArray:
        """As `RewardModel.evidence`."""
        return as_role(self.inner, RewardModel).evidence(claims)

    def fit(self, *data: Any, **more: Any) -> Any:
        """As `RewardModel.fit` or `Student.fit`."""
        if isinstance(self.inner, RewardModel | Student):
            return self.inner.fit(*data, **more)
        return as_role(self.inner, RoleWrapper).fit(*data, **more)

    def attending(self, lesson: Lesson) -> Self:
        """As `Student.attending`."""
        inner = as_role(self.inner, Student).attending(lesson)
        return self.model_copy(update={"inner": inner})

    def views(self, seed: int, replicate: int, *pools: FloatArray) -> list[FloatArray]:
        """As `Student.views`."""
        return as_role(self.inner, Student).views(seed, replicate, *pools)

    def targets(self, belief: FloatArray, answer: BoolArray) -> FloatArray:
        """As `Student.targets`."""
        return as_role(self.inner, Student).targets(belief, answer)

    def respond(self, log_odds: FloatArray, pool: Pool, setting: Setting) -> FloatArray:
        """As `Student.respond`."""
        return as_role(self.inner, Student).respond(log_odds, pool, setting)
