"""A study: a scenario whose sections go together. The unit that everything else runs, stores and
shows.

The sections stand in `sections`, what they must keep to in `checks`, the protocols to run in
`cases`, and what decides numbers in `identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo, model_validator

from oversight.components.overseer import Overseer
from oversight.components.profiles import HONEST, Setting, Strategy
from oversight.core.claims import read_only
from oversight.core.config import raise_all
from oversight.failures.injection import Injection
from oversight.overseers.attack import has_models, strategies
from oversight.studies import identity
from oversight.studies.cases import Case, cases_of, cells_of, unaided_of
from oversight.studies.checks import across_sections
from oversight.studies.sections import Scenario
from oversight.worlds.base import Part, Pool


class Study(Scenario):
    """A scenario with everything resolved and checked.

    Python users build one from parts: `Study(protocols={"mine":
    Decomposition(checker=Debate(turns=2))})`.

    >>> study = Study(protocols={"deciding parts": {"decomposition": {}}})
    >>> list(study.cells)
    ['unaided', 'deciding parts']
    """

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Study:
        raise_all("study", across_sections(self, (info.context or {}).get("changed")))
        return self

    @property
    def cells(self) -> dict[str, Overseer]:
        """Every protocol to run, by name, the unaided overseer among them where the world has
        people (the first where the scenario does not name it)."""
        return cells_of(self.protocols, self.world)

    def cases(self, failures: Mapping[str, Injection] | None = None) -> list[Case]:
        """Every protocol as it is, then under every one of these failures that applies to it, at
        each of its severities."""
        return cases_of(self.cells, failures or {}, self.world)

    @property
    def weak_protocol(self) -> str:
        """The name of the protocol whose labels are "weak", among the cells."""
        return self.baseline or unaided_of(self.protocols)

    @property
    def weak_title(self) -> str:
        """The same in words.

        >>> Study(protocols={"deciding parts": {"decomposition": {}}}).weak_title
        'the unaided overseer'
        """
        unaided = self.weak_protocol == unaided_of(self.protocols)
        return "the unaided overseer" if unaided else f"the baseline {self.baseline!r}"

    def strategy_of(self, case: Case) -> tuple[str, str]:
        """What the strong model does in a case, in a few words (nothing where it is honest), and a
        status: `ok`, or why the protocol cannot carry the strategy that it should."""
        protocol = self.cells[case.protocol]
        if case.failure:
            protocol, _ = self.failures[case.failure].into(protocol, self.student, case.severity)
        written = Setting(self.overseer, self.model)
        chosen = [one for one in strategies(protocol, written) if one.share]
        refused = [text for one in chosen if (text := one.problem(self.world))]
        if self.model.strategy != HONEST and not has_models(protocol):
            refused.append("no strong model in it")
        acts = "; ".join(one.title for one in chosen if not one.problem(self.world))
        return acts, f"honest: {refused[0]}" if refused else "ok"

    def pool(self, replicate: int, part: Part) -> Pool:
        """The items of one replicate, the same for every protocol: those of the study's world under
        its people. Nobody can write into its arrays."""
        own = self.overseer.accuracy
        right = own[0] if isinstance(own, tuple) else own.root
        pool = self.world.overseen(right).pool(self.seed, replicate, part)
        for array in (pool.x, pool.gold, pool.intended):
            read_only(array)
        return pool

    @property
    def setting(self) -> Setting:
        """Who works in the scenario, unless a protocol names others. A strong model whose strategy
        needs what the world has not is honest."""
        model = self.model
        if isinstance(model.strategy, Strategy) and model.strategy.problem(self.world):
            model = model.changed(strategy=HONEST)
        return Setting(self.overseer, model)

    def identity(self) -> str:
        """A digest of what decides the numbers of a replicate, apart from protocols; see
        `oversight.studies.identity`."""
        return identity.of_replicate(self)

    def resolved(self) -> dict[str, Any]:
        """The study as plain data, every default written out, in the order of the file format."""
        return {key: identity.resolved(getattr(self, key)) for key in type(self).model_fields}
