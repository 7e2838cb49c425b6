"""Every error class of the program. Each message is written for the person who can put it right."""

from __future__ import annotations

import errno
from dataclasses import dataclass

MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Numbers of errors that are the machine's, and not those of who named a file."""


class OversightError(Exception):
    """Base of all errors that are about what a user wrote, installed or has on disk, so that one
    `except` catches them all."""


class PluginError(OversightError):
    """A plugin that cannot be used: unknown, not importable, or without a part that it needs."""


class TreeError(OversightError, ValueError):
    """What is wrong with a task tree."""


class VerdictError(OversightError, ValueError):
    """Verdicts, costs or answers that no label can be made of.

    origin  where the code is that gave them, "file:line"
    """

    def __init__(self, message: str, origin: str = "") -> None:
        super().__init__(message)
        self.origin = origin


class TrainingError(OversightError, ValueError):
    """A student that cannot be trained: its loss grows, or there are too few labels."""


class KnobError(OversightError, ValueError):
    """A path that leads to no knob, or a value that does not fit there."""


class OptionError(OversightError, ValueError):
    """An option of a call that means nothing for this study; nothing was run or written."""


class StoreError(OversightError):
    """Results that cannot be kept or read, through no fault of the input: a full disk, a store that
    somebody else has locked."""


class FolderError(StoreError):
    """A results folder that is the wrong one to name; nothing was written there."""


class WorkersError(OversightError):
    """Worker processes, or a cluster, that cannot do the work.

    refused  whether that was known before anything was run or written
    """

    def __init__(self, message: str, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class DesignError(OversightError):
    """A search for protocols that cannot be made."""


class NothingKeptError(DesignError):
    """A search after which no protocol keeps the constraints."""


class PlayError(OversightError):
    """A game that cannot be played."""


class SensitivityError(OversightError):
    """A sensitivity analysis that cannot be made."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a scenario file.

    file     the file as the user named it
    line     counted from 1; 0 where the problem is the whole file
    path     the keys that lead there, joined by dots; empty for the whole file
    message  what is wrong, and what would be right

    >>> print(Problem("mine.yaml", 3, "seed", "-1 is not right; expected 0 or more"))
    mine.yaml:3: seed: -1 is not right; expected 0 or more
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(OversightError):
    """A scenario that cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem]]]:
        """Errors of worker processes arrive whole."""
        return type(self), (self.problems,)
