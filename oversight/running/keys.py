"""The keys under which the cells of a study are kept in a store: what decides their numbers."""

from __future__ import annotations

import hashlib
from functools import cached_property

from oversight.running.store import Key
from oversight.studies import identity
from oversight.studies.cases import Case
from oversight.studies.study import Study


class Keys:
    """The keys of one study's cells, each worked out when it is first needed.

    Two cells have one key exactly where `oversight.studies.identity` says that their numbers are
    the same, whatever they are called.

    predictable  whether the predictable share is measured too
    """

    def __init__(self, study: Study, predictable: bool = False) -> None:
        self.study, self.predictable = study, predictable
        self._cells: dict[Case, Key] = {}

    @cached_property
    def _study(self) -> str:
        return identity.of_study(self.study) + " with predictable share" * self.predictable

    def of(self, case: Case) -> Key:
        """The key of a case, in all of its replicates."""
        if case not in self._cells:
            text = f"{self._study}\n{identity.of_case(self.study, case)}"
            self._cells[case] = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return self._cells[case]
