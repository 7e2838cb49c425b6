"""Which knobs PGR depends on: Sobol indices, with the share that is replicate noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oversight.core.columns import names
from oversight.findings import columns
from oversight.findings.rows import Row
from oversight.metrics.pgr import Status
from oversight.running.failed import Failed
from oversight.studies.sensitivity import Sensitivity
from oversight.studies.study import Study

NOISE = "replicate"
"""The name of the factor that is no knob: which world, people and luck there are."""


@dataclass(frozen=True)
class Index:
    """How much of the variance of a protocol's PGR a knob makes.

    first, total            alone, and together with all others: shares of the variance; None where
                            PGR is undefined somewhere
    first_half, total_half  half of a 95 % interval (bootstrap)
    state, text             whether there is an index, and why not
    """

    protocol: str
    knob: str
    first: float | None
    first_half: float | None
    total: float | None
    total_half: float | None
    state: Status = Status.OK
    text: str = ""

    @property
    def status(self) -> str:
        """The state as a column has it, with its reason."""
        return f"{self.state}: {self.text}" if self.text else str(self.state)

    def row(self) -> Row:
        """The index as a row of sensitivity.csv."""
        return {name: getattr(self, name) for name in names(columns.INDEX)}


@dataclass(frozen=True)
class Analysis:
    """What `analyze` measured: indices, and by protocol the mean and variance of PGR over the
    ranges.

    settings  what was varied
    runs      how many replicates of every protocol the indices are worked out from
    """

    study: Study
    settings: Sensitivity
    indices: list[Index]
    mean: dict[str, float]
    variance: dict[str, float]
    runs: int
    failed: list[Failed]

    def of(self, protocol: str, knob: str) -> Index:
        """The index of a protocol and a knob. Raises StopIteration where there is none."""
        return next(i for i in self.indices if (i.protocol, i.knob) == (protocol, knob))

    @property
    def protocols(self) -> list[str]:
        """The protocols, in order."""
        return list(dict.fromkeys(index.protocol for index in self.indices))

    @property
    def knobs(self) -> list[str]:
        """The knobs by their mean total index, the noise last."""

        def weight(knob: str) -> float:
            """Less for a knob that matters more."""
            totals = [i.total for i in self.indices if i.knob == knob and i.total is not None]
            return -float(np.mean(totals)) if totals else 0.0

        return [*sorted(self.settings.knobs, key=weight), NOISE]
