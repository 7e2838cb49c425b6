"""Exchanges of arguments before a judge: what debate and consultancy share."""

from __future__ import annotations

from dataclasses import replace

from oversight.agents import Agent
from oversight.claims import BoolArray, Claims, Verdicts
from oversight.component import Overseer
from oversight.evidence import Arguing, Evidence
from oversight.streams import Chance


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
    evidence = heard or Evidence()
    for turn in range(turns):
        for who, side in sides.items():
            made = agent.argue(
                claims, side, arguing, chance, "argument", turn, who, evidence=evidence, judge=judge
            )
            titled = replace(made, title=f"turn {turn + 1}, {who}")
            evidence = Evidence((*evidence.arguments, titled), evidence.report, evidence.aids)
    return evidence


def judged(
    judge: Overseer, claims: Claims, evidence: Evidence, made: int, candidates: int
) -> Verdicts:
    """The judge's verdicts, with the model calls that `made` arguments of so many candidates
    took."""
    verdicts = judge.assess(claims, evidence)
    return replace(verdicts, calls=verdicts.calls + made * candidates)
