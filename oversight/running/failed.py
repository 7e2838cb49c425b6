"""What failed in a replicate: what a user reads, who is to blame, and whether it is tried again."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from types import TracebackType

from oversight.core.config import Config
from oversight.core.errors import VerdictError
from oversight.studies.cases import Case

LOST = "a worker process"
"""The origin of a failure that is nobody's but the machine's: the next run tries it again."""


@dataclass(frozen=True)
class Failed:
    """A case that raised in a replicate: what, and where it came from."""

    case: Case
    replicate: int
    error: str
    origin: str
    traceback: str = ""

    @staticmethod
    def of(case: Case, number: int, error: BaseException) -> Failed:
        """What an error means for a case."""
        text = "".join(traceback.format_exception(error))
        return Failed(case, number, _message(error), _origin(error), text)


def _message(error: BaseException) -> str:
    who = _blamed(error.__traceback__)
    if isinstance(error, ValueError | AttributeError) and "read-only" in str(error):
        return (
            f"{who} writes into what it was given, and others use it too ({error}); expected a "
            "copy: array.copy()"
        )
    if not isinstance(error, Exception):
        ended = f"{type(error).__name__}: {error}"
        return f"{who} tried to end the program ({ended}); expected verdicts, or an Exception"
    return f"{type(error).__name__}: {error}"


def _origin(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return LOST
    if isinstance(error, VerdictError) and error.origin:
        return error.origin
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"


def _blamed(trace: TracebackType | None) -> str:
    """The innermost part that was at work, by its name in scenario files."""
    who = "a plugin"
    while trace is not None:
        part = trace.tb_frame.f_locals.get("self")
        if isinstance(part, Config):
            names = (getattr(part, "name", ""), getattr(part, "kind", ""), type(part).__name__)
            who = next(name for name in names if name)
        trace = trace.tb_next
    return who
