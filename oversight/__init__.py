"""oversight: compare scalable-oversight mechanisms by the performance gap their labels recover.

    study = oversight.load("quickstart")
    results = oversight.compare(study)
    results.summary()

Names are imported when they are first used, so that the command line answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oversight.agents import Agent, Model
    from oversight.aggregators import Aggregator, Hard, Soft, through
    from oversight.claims import (
        ROOT,
        BoolArray,
        Claims,
        FloatArray,
        IntArray,
        Trace,
        Verdicts,
    )
    from oversight.runner import compare
    from oversight.component import Component, Mechanism, Overseer, OverseerWrapper, Wrapper, rewrite
    from oversight.evidence import Arguing, Argument, Evidence
    from oversight.arguments import exchange, judged
    from oversight.panel import Panel, copies
    from oversight.people import Human
    from oversight.pool import Pool, Setting
    from oversight.results import Results
    from oversight.reward import RewardModel
    from oversight.scenario import ScenarioError, load
    from oversight.settings import ByHeight, Minutes, ModelSettings, PeopleSettings
    from oversight.slots import AgentSlot, AggregatorSlot, OverseerSlot, RewardModelSlot
    from oversight.streams import Chance, Draws, stream
    from oversight.strict import Amount, Count, Number, Positive, Share, Switch, Whole
    from oversight.study import Study
    from oversight.students.linear import LinearStudent
    from oversight.tree import TaskTree
    from oversight.treefiles import BalancedTree, FileTree
    from oversight.worlds.concept import ConceptWorld

_HOMES = {
    "agents": "Agent Model",
    "aggregators": "Aggregator Hard Soft through",
    "claims": "ROOT BoolArray Claims FloatArray IntArray Trace Verdicts",
    "runner": "compare",
    "component": "Component Mechanism Overseer OverseerWrapper Wrapper rewrite",
    "evidence": "Arguing Argument Evidence",
    "arguments": "exchange judged",
    "panel": "Panel copies",
    "people": "Human",
    "pool": "Pool Setting",
    "results": "Results",
    "reward": "RewardModel",
    "scenario": "ScenarioError load",
    "settings": "ByHeight Minutes ModelSettings PeopleSettings",
    "slots": "AgentSlot AggregatorSlot OverseerSlot RewardModelSlot",
    "streams": "Chance Draws stream",
    "strict": "Amount Count Number Positive Share Switch Whole",
    "study": "Study",
    "students.linear": "LinearStudent",
    "tree": "TaskTree",
    "treefiles": "BalancedTree FileTree",
    "worlds.concept": "ConceptWorld",
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_WHERE)  # noqa: PLE0605
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'oversight' has no attribute {name!r}")
    value = getattr(import_module(f"oversight.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
