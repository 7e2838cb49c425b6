"""The same flat debates, decompositions and reward-model fits as one would write them elsewhere."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

R = math.cos(math.pi * 0.3)  # a judge who is right 7 times in 10
SHARED, OWN = math.sqrt(0.6), math.sqrt(0.4)
LEAF = math.cos(math.pi * 0.08)


def phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def judged(luck: random.Random, r: float = R) -> tuple[float, bool]:
    """One claim before any argument: log-odds, and the truth."""
    margin, misconception = luck.gauss(0, 1), luck.gauss(0, 1)
    error = SHARED * misconception + OWN * luck.gauss(0, 1)
    seen = r * margin + math.sqrt(1 - r * r) * error
    chance = min(max(phi(r * seen / math.sqrt(1 - r * r)), 1e-12), 1 - 1e-12)
    return math.log(chance / (1 - chance)), margin > 0


def argued(luck: random.Random, side: bool, truth: bool) -> float:
    mean = 0.5 if side == truth else -0.5
    evidence, rhetoric = luck.gauss(mean, 1), luck.gauss(0, 1)
    return 0.5 * evidence + math.sqrt(0.75) * rhetoric


def debates_in_python(items: int, turns: int) -> float:
    luck, right = random.Random(1), 0
    for _ in range(items):
        belief, truth = judged(luck)
        for _ in range(turns):
            belief += 0.6 * (argued(luck, True, truth) - argued(luck, False, truth))
        right += (belief > 0) == truth
    return right / items


def debates_in_simpy(items: int, turns: int) -> float:
    """A process a debate, an event a turn."""
    import simpy

    luck, outcomes = random.Random(1), []
    environment = simpy.Environment()

    def debate(env: Any) -> Any:
        belief, truth = judged(luck)
        for _ in range(turns):
            yield env.timeout(1)
            belief += 0.6 * (argued(luck, True, truth) - argued(luck, False, truth))
        outcomes.append((belief > 0) == truth)

    for _ in range(items):
        environment.process(debate(environment))
    environment.run()
    return float(np.mean(outcomes))


def debates_in_mesa(items: int, turns: int) -> float:
    """A model with an agent a debate, a step a turn."""
    import mesa

    class Debate(mesa.Agent):  # type: ignore[misc]
        def __init__(self, model: Any) -> None:
            super().__init__(model)
            self.belief, self.truth = judged(model.random)

        def step(self) -> None:
            luck = self.model.random
            self.belief += 0.6 * (argued(luck, True, self.truth) - argued(luck, False, self.truth))

    class Debates(mesa.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(seed=1)
            Debate.create_agents(self, items)

        def step(self) -> None:
            self.agents.do("step")

    model = Debates()
    for _ in range(turns):
        model.step()
    return float(np.mean([(agent.belief > 0) == agent.truth for agent in model.agents]))


def decompositions_in_python(items: int) -> float:
    """Or of three ands of three, hard answers; truths of the leaves drawn by themselves."""
    luck, right = random.Random(1), 0
    for _ in range(items):
        truth = answer = False
        for _ in range(3):
            true = said = True
            for _ in range(3):
                leaf = luck.random() < 0.591
                evidence, is_true = judged(luck, LEAF)
                true, said = true and leaf, said and ((evidence > 0) == is_true) == leaf
            truth, answer = truth or true, answer or said
        right += truth == answer
    return right / items
