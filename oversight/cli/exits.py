"""How a command ends: its exit status, and what it writes on stderr then."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from oversight.running.failed import Failed

SOME_FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


def refuse(*messages: str) -> NoReturn:
    """End because of bad input: each message says what is wrong, and what would be right."""
    for message in messages:
        click.echo(message, err=True)
    sys.exit(BAD_INPUT)


def fail(*messages: str) -> NoReturn:
    """End because of something that the input did not cause, as a full disk."""
    for message in messages:
        click.echo(message, err=True)
    sys.exit(SOME_FAILED)


def interrupt(message: str = "interrupted") -> NoReturn:
    """End because somebody pressed Ctrl-C."""
    click.echo(f"\n{message}", err=True)
    sys.exit(INTERRUPTED)


@contextmanager
def plugins_apart() -> Iterator[None]:
    """Where something else than the program's own code ends the program, it is an error: a plugin's
    `sys.exit(0)` would otherwise look like a run without results."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        if Path(frame.filename).parent == Path(__file__).parent:
            raise
        ended = f"{type(error).__name__}: {error}"
        where = f"{frame.filename}:{frame.lineno}"
        click.echo(f"a plugin tried to end the program: {ended} ({where})", err=True)
        sys.exit(SOME_FAILED)


def finish(failed: Sequence[Failed]) -> None:
    """End a run whose results are printed: where cells failed, print the first of each kind."""
    if not failed:
        return
    click.echo(f"\n{len(failed)} cells failed; the first of each kind:", err=True)
    seen = set()
    for one in failed:
        cell = " under ".join(part for part in one.case[:2] if part)
        kind = (cell, one.error, one.origin)
        if kind not in seen:
            seen.add(kind)
            click.echo(f"  {cell}, replicate {one.replicate}: {one.error} ({one.origin})", err=True)
    sys.exit(SOME_FAILED)
