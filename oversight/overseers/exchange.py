"""Exchanges of arguments before a judge: what debate and consultancy share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from oversight.components.overseer import Overseer
from oversight.core.claims import BoolArray, Claims, FloatArray, Verdicts
from oversight.core.evidence import Evidence
from oversight.core.streams import Chance
from oversight.overseers.agent import Agent
from oversight.overseers.persuasion import Arguing


def exchange(
    agent: Agent,
    judge: Overseer,
    claims: Claims,
    sides: dict[str, BoolArray],
    turns: int,
    arguing: Arguing,
    chance: Chance,
    heard: Evidence | None = None,
) -> Evidence:
    """`turns` rounds in which each side, named in `sides`, makes its best argument; added to what
    was heard before.

    sides: by the name of who speaks, the value of the claim that they argue for, over claims.
    """
    before = heard or Evidence()
    if turns == 0:
        return before
    arguments = tuple(
        agent.argue(claims, side, turns, arguing, chance, who, evidence=heard, judge=judge)
        for who, side in sides.items()
    )
    return Evidence(before.arguments + arguments, before.report, before.aids)


def pushes(evidence: Evidence) -> dict[str, FloatArray]:
    """Each argument's push toward "true" in log-odds, over claims, turn by turn, for a trace."""
    facts = {}
    apart = [argument.parts for argument in evidence.arguments]
    for turn in range(max(map(len, apart), default=0)):
        for argument, parts in zip(evidence.arguments, apart, strict=True):
            if turn < len(parts):
                push = argument.gain * np.where(argument.side, parts[turn], -parts[turn])
                facts[f"turn {turn + 1}, {argument.who}"] = push
    return facts


def judged(
    judge: Overseer, claims: Claims, evidence: Evidence, arguments: int, candidates: int
) -> Verdicts:
    """The judge's verdicts, charged with the model calls: so many arguments, each of so many
    candidates."""
    verdicts = judge.assess(claims, evidence)
    return replace(verdicts, calls=verdicts.calls + arguments * candidates)
