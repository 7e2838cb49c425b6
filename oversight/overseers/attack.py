"""Which items a strong model attacks: decided for a protocol as a whole, before its parts are
prepared (MODEL 10).

What U knows of a protocol's chances comes from above: an audit decides about its inside. `prepare`
goes from below. So this pass comes first, and its result is handed down in the setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from oversight.components.component import Component
from oversight.components.overseer import Mechanism, Overseer
from oversight.components.profiles import HONEST, Setting, Strategy
from oversight.components.wrappers import MODELS_ROLE, as_role, rewrite
from oversight.core.claims import ROOT, BoolArray, Claims, FloatArray, Verdicts
from oversight.overseers.human import Human
from oversight.overseers.model import Model
from oversight.worlds.base import Pool, World
from oversight.worlds.gates import Gate

JUDGES = frozenset({"judge", "evaluator"})


@dataclass(frozen=True)
class Ready:
    """A protocol that is prepared for a pool, and the items that U attacks in it, bool over
    items."""

    protocol: Overseer
    attacked: BoolArray


def prepared(protocol: Overseer, pool: Pool, setting: Setting) -> Ready:
    """A protocol prepared for a pool, with the items that its copies of U attack.

    Call it instead of `protocol.prepare` wherever the strong model may have a strategy: each copy
    then attacks the same items. Without one it does the same as `prepare`.
    """
    attacks = _attacks(protocol, pool, setting)
    inside = as_role(protocol.prepare(pool, replace(setting, attacked=attacks)), Overseer)
    return Ready(inside, _any(attacks, pool))


def attacked(protocol: Overseer, pool: Pool, setting: Setting) -> BoolArray:
    """The items that copies of U attack in a protocol, bool over items; the protocol is not
    prepared."""
    return _any(_attacks(protocol, pool, setting), pool)


def _attacks(protocol: Overseer, pool: Pool, setting: Setting) -> dict[Strategy, BoolArray]:
    return {
        strategy: _attacked(strategy, model, protocol, pool, setting)
        for strategy, model in strategies(protocol, setting).items()
    }


def _any(attacks: Mapping[Strategy, BoolArray], pool: Pool) -> BoolArray:
    nobody = np.zeros(pool.everyone.size, dtype=np.bool_)
    return np.asarray(np.any([nobody, *attacks.values()], axis=0))


def honest(protocol: Overseer) -> Overseer:
    """The protocol with copies of U that have no strategy, whatever the scenario's is."""
    pin = {"strategy": HONEST}
    return as_role(rewrite(protocol, MODELS_ROLE, lambda u: u.model_copy(update=pin)), Overseer)


def refusal(strategy: Strategy, protocol: Overseer, world: World) -> str:
    """Why a protocol cannot carry a strategy, so that its copies of U are honest; empty where it
    can."""
    return strategy.problem(world) if has_models(protocol) else "no strong model in it"


def has_models(protocol: Overseer) -> bool:
    """Whether a copy of U works in a protocol."""
    return any(isinstance(part, Model) for part in _parts(protocol))


def strategies(protocol: Overseer, setting: Setting) -> dict[Strategy, Model]:
    """The strategies of the copies of U in a protocol, each with the first copy that has it."""
    chosen: dict[Strategy, Model] = {}
    for part in _parts(protocol):
        if isinstance(part, Model) and (strategy := part.strategy_in(setting)) is not None:
            chosen.setdefault(strategy, part)
    return chosen


def _parts(component: Component) -> Iterator[Component]:
    yield component
    for _, part in component.slots():
        yield from _parts(part)


def _attacked(
    strategy: Strategy, model: Model, protocol: Overseer, pool: Pool, setting: Setting
) -> BoolArray:
    """The items that a strategy attacks, in this protocol."""
    attacked = np.zeros(pool.everyone.size, dtype=np.bool_)
    pointless = strategy.picks == "pivotal" and not pool.tree.height
    if not strategy.share or strategy.knows == "clock" or pointless:  # Tactics.problem says why
        return attacked
    copy = model.model_copy(update={"strategy": HONEST}).prepare(pool, setting)
    if strategy.picks == "judge_weak":
        last = -_misled(strategy, copy, protocol, pool, setting)
    elif strategy.picks == "pivotal":
        last = changes_to_turn(copy)
    elif strategy.picks == "unwatched":
        watch = _Watch(strategy, pool, setting, tuple(strategies(protocol, setting)))
        last = watch.chance(protocol, pool.roots).astype(np.float64)
    else:
        last = np.zeros(attacked.size)
    # Ties go by one draw an item, which depends on nothing else.
    order = np.lexsort((pool.draws.column("random", 0, "strategy"), last))
    offered = order[last[order] < 0] if strategy.picks == "judge_weak" else order
    number = round(strategy.share * (offered.size if strategy.offered else attacked.size))
    attacked[offered[:number]] = True
    return attacked


def _misled(
    strategy: Strategy, copy: Model, protocol: Overseer, pool: Pool, setting: Setting
) -> FloatArray:
    """How far the judge is misled against what U believes, by item; who knows the rate alone counts
    the misconception, who knows everything also that judge's own noise."""
    lie = np.where(copy.perceived(pool.roots), -1.0, 1.0)
    if strategy.knows != "everything":
        return np.asarray(lie * pool.misconception(pool.roots))
    judge = next(_judges(protocol), Human()).prepare(pool, setting)
    return np.asarray(lie * judge.error(pool.roots))


def _judges(component: Component, judging: bool = False) -> Iterator[Human]:
    """The people who judge or evaluate, themselves or within whatever does."""
    if judging and isinstance(component, Human):
        yield component
    for slot, part in component.slots():
        yield from _judges(part, judging or bool(component.plays(slot).roles & JUDGES))


def changes_to_turn(copy: Model) -> FloatArray:
    """The fewest leaves whose change turns the root, by item, as a copy of U perceives them."""
    pool = copy.pool
    tree, leaves = pool.tree, pool.tree.leaves
    cost = np.zeros((2, len(tree), pool.everyone.size))
    seen = copy.perceived(pool.roots.at(leaves[:, None]))
    cost[0, leaves], cost[1, leaves] = seen, ~seen
    for node in reversed(range(len(tree))):
        gate: Gate | None = tree.gate[node]
        if gate is not None:
            below = cost[:, list(tree.children[node])]
            ways = gate.bits.astype(np.float64) @ (below[1] - below[0]) + below[0].sum(axis=0)
            cost[0, node] = ways[~gate.outputs].min(axis=0)
            cost[1, node] = ways[gate.outputs].min(axis=0)
    return np.asarray(cost[:, ROOT].max(axis=0))


@dataclass(frozen=True)
class _Watch:
    """Where somebody looks again at what U answers in a protocol: if U attacked there and all else
    were healthy.

    others  every strategy in the protocol; copies that have one of them are honest here
    """

    strategy: Strategy
    pool: Pool
    setting: Setting
    others: tuple[Strategy, ...]

    def chance(self, part: Component, claims: Claims) -> FloatArray:
        """The chance, over flat claims or claims in rows, that somebody looks again at a copy of U
        in this part; the greatest one where there are several copies."""
        whole = part.bound_to(self.pool, self.setting) if isinstance(part, Mechanism) else part
        highest = np.zeros(claims.shape)
        for slot, held in whole.slots():
            if any(self._is_it(one) for one in _parts(held)):
                highest = np.maximum(highest, self._of_slot(whole, slot, held, claims))
        return highest

    def _of_slot(self, whole: Component, slot: str, held: Component, claims: Claims) -> FloatArray:
        if not isinstance(whole, Mechanism):
            return self.chance(held, claims)
        below = whole.claims_of(slot, claims)
        inside = self.chance(held, below)
        if below.shape != claims.shape:  # whoever looks at one part looks at the item
            inside = np.asarray(1 - (1 - inside).prod(axis=0))
        again = whole.looks_again(slot, claims, lambda lying: self._answers(held, claims, lying))
        return inside if again is None else 1 - (1 - inside) * (1 - again)

    def _is_it(self, part: Component) -> bool:
        return isinstance(part, Model) and part.strategy_in(self.setting) == self.strategy

    def _answers(self, held: Component, claims: Claims, lying: bool) -> Verdicts:
        everywhere = np.ones(self.pool.everyone.size, dtype=np.bool_)
        attacked = dict.fromkeys(self.others, ~everywhere)
        if lying:
            attacked[self.strategy] = everywhere
        setting = replace(self.setting, attacked=attacked)
        return as_role(held.prepare(self.pool, setting), Overseer).assess(claims)
