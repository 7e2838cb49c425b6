"""How a study is run: by whom, where results are kept, and who hears of it.

`compare`, `sweep`, `stress`, `play`, `design` and `analyze` take the same keywords, those of
`RunOptions`:

    oversight.compare(study, jobs=4, out="results")

A `Run` holds them. No number depends on any of them.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from oversight.running.replicate import Replicate


class Progress:
    """Hears how far a run is. A subclass overrides what it wants to know; the rest does nothing.

    A cell is one protocol, under one failure or none, in one replicate.
    """

    def __call__(self, replicate: Replicate) -> None:
        """A replicate is finished: its rows, and the cells that failed."""

    def planned(self, cells: int) -> None:
        """A further round of so many cells begins, those that are kept already among them."""

    def kept(self, cells: int) -> None:
        """So many cells of the round are kept from an earlier run, and are not run again."""

    def noted(self, text: str) -> None:
        """A line about the run, for a person."""

    def warned(self, text: str) -> None:
        """Something that whoever uses the results should know, as that a store was damaged."""
        warnings.warn(text, stacklevel=2)


class RunOptions(TypedDict, total=False):
    """The keywords that every function which runs a study takes; see `Run`."""

    executor: Executor | None
    jobs: int
    out: str | Path | None
    retry: bool
    progress: Callable[[Replicate], object] | None


@dataclass(frozen=True)
class Run:
    """How a study is run.

    executor  any concurrent.futures.Executor; the caller shuts it down
    jobs      worker processes, where no executor is given; 1 runs in this process
    out       a folder to keep results in; what it holds already is not run again
    retry     whether cells that failed in an earlier run into `out` are run again
    progress  called with each finished `Replicate`; a `Progress` hears more
    """

    executor: Executor | None = None
    jobs: int = 1
    out: str | Path | None = None
    retry: bool = False
    progress: Callable[[Replicate], object] | None = None

    @staticmethod
    def of(function: Callable[..., object], options: RunOptions) -> Run:
        """The run that the keywords of a call describe. Raises TypeError for a keyword that
        `function` does not take, and names those that it does.

        >>> def measure(study, **run): return Run.of(measure, run)
        >>> measure("quickstart", jobs=2).jobs
        2
        >>> measure("quickstart", job=2)
        Traceback (most recent call last):
        TypeError: measure() takes no keyword 'job'; it takes executor, jobs, out, retry, progress
        """
        names = list(Run.__dataclass_fields__)
        for name in options:
            if name not in names:
                own = inspect.signature(function).parameters.values()
                known = [one.name for one in own if one.kind is one.KEYWORD_ONLY] + names
                raise TypeError(
                    f"{function.__name__}() takes no keyword {name!r}; it takes {', '.join(known)}"
                )
        return Run(**options)

    @property
    def reporter(self) -> Progress:
        """Who hears of the run: `progress` itself, or what calls it with each replicate."""
        if isinstance(self.progress, Progress):
            return self.progress
        return Progress() if self.progress is None else _Called(self.progress)


class _Called(Progress):
    """Passes finished replicates on to a plain function."""

    def __init__(self, function: Callable[[Replicate], object]) -> None:
        self._function = function

    def __call__(self, replicate: Replicate) -> None:
        self._function(replicate)
