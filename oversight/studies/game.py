"""Protocols against strategies: which cells a game has, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import get_args

from pydantic import ValidationError

from oversight.components.profiles import HONEST, Strategy, Tactics
from oversight.failures.scheming import as_failure
from oversight.overseers.attack import refusal
from oversight.overseers.meaning import meaning
from oversight.studies.cases import Case
from oversight.studies.play import Play, standard
from oversight.studies.study import Study


@dataclass(frozen=True)
class Game:
    """Every protocol of a study against every strategy.

    study       with an honest model; its failures are the strategies, and those that may be
                searched for
    strategies  the names of those that are played, in order, `honest` not among them
    every       all of them by name
    settings    the `play` section
    """

    study: Study
    strategies: tuple[str, ...]
    every: Mapping[str, Strategy]
    settings: Play

    @staticmethod
    def of(study: Study, searching: bool) -> Game:
        """The game of a study: with its own strategies, or the standard ones; `searching` for
        others too."""
        settings = study.play or Play()
        own = study.strategies or standard(settings.share)
        more = searched(settings.share) if searching else {}
        every = {**own, **{name: one for name, one in more.items() if name not in own}}
        failures = {name: as_failure(one) for name, one in every.items() if one.share}
        honest = study.model.changed(strategy=HONEST)
        still = study.still.changed(failures=failures, design=None, model=honest)
        return Game(still, tuple(own), every, settings)

    def including(self, name: str) -> Game:
        """The game with one strategy more, of those that may be searched for."""
        return Game(self.study, (*self.strategies, name), self.every, self.settings)

    def case(self, protocol: str, strategy: str) -> Case:
        """The case whose numbers are those of a protocol against a strategy: under the first
        strategy of the same meaning there."""
        means = self._meaning(protocol, strategy)
        if means is None:
            return Case(protocol)
        first = next(name for name in self.every if self._meaning(protocol, name) == means)
        return Case(protocol, first, means.share)

    def cases(self, strategies: Iterable[str]) -> list[Case]:
        """What is to be run of every protocol against these strategies, each case once."""
        pairs = product(self.study.cells, strategies)
        return list(dict.fromkeys(self.case(*pair) for pair in pairs))

    def status(self, protocol: str, strategy: str) -> str:
        """`ok`, or why U is honest in a protocol under a strategy."""
        if strategy == HONEST or self._meaning(protocol, strategy) is not None:
            return "ok"
        chosen = self.every[strategy]
        why = refusal(chosen, self.study.cells[protocol], self.study.world)
        if not why:
            why = "its strong models have strategies of their own" if chosen.share else "share 0"
        return f"honest: {why}"

    def alike(self) -> dict[str, str]:
        """Strategies that come to the same as an earlier one in every protocol, with that one."""
        first: dict[tuple[Case, ...], str] = {}
        same = {}
        for name in (HONEST, *self.strategies):
            cases = tuple(self.case(protocol, name) for protocol in self.study.cells)
            if (earlier := first.setdefault(cases, name)) != name:
                same[name] = earlier
        return same

    def unplayed(self) -> list[str]:
        """Strategies that may be searched for and come to something new in some protocol."""
        known = {name: self._whole(name) for name in (HONEST, *self.strategies)}
        seen, new = set(known.values()), []
        for name in self.every:
            if self._whole(name) not in seen:
                seen.add(self._whole(name))
                new.append(name)
        return new

    def _whole(self, strategy: str) -> tuple[Strategy | None, ...]:
        return tuple(self._meaning(protocol, strategy) for protocol in self.study.cells)

    def _meaning(self, protocol: str, strategy: str) -> Strategy | None:
        return None if strategy == HONEST else self._meanings[protocol, strategy]

    @cached_property
    def _meanings(self) -> dict[tuple[str, str], Strategy | None]:
        cells, world = self.study.cells, self.study.world
        return {
            (protocol, name): meaning(strategy, cells[protocol], world)
            for protocol in cells
            for name, strategy in self.every.items()
        }


def searched(share: float) -> dict[str, Strategy]:
    """Every strategy of a share, by what it picks, knows, states and does with its copies."""
    strategies = {}
    ways = [get_args(Tactics.model_fields[key].annotation) for key in Tactics.model_fields]
    for words in product(*ways):
        try:
            how = Strategy(share=share, **dict(zip(Tactics.model_fields, words, strict=True)))
        except ValidationError:  # it does not know what it picks by
            continue
        strategies[", ".join(words)] = how
    return strategies
