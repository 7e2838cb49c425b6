"""Results on stdout, in the format that was chosen; what plugins print goes to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, TextIO

from oversight.cli.exits import fail

if TYPE_CHECKING:
    from oversight.reports.document import Document, Format

WIDTH = 140
"""Columns of a table where there is no terminal."""
NARROWEST = 60
"""Columns that a table takes at least."""


def show(document: Document, form: Format) -> None:
    """Print a document; a table is as wide as the terminal."""
    with printing():
        document.write(form, stdout(), _width())


@contextmanager
def printing() -> Iterator[None]:
    """Print on stdout. Whoever reads no further, like `head -1`, is left in peace; where stdout is
    full, the program ends with a line that says so. What stdout's encoding lacks is escaped."""
    with suppress(AttributeError):  # a stream of somebody's own
        stdout().reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    try:
        try:
            yield
        finally:
            stdout().flush()
    except BrokenPipeError:
        _silence(stdout())
    except OSError as error:
        if error.filename is not None:  # of another file
            raise
        _silence(stdout())
        fail(f"stdout: cannot be written: {error.strerror or error}")


class Heedless:
    """A stream, as stderr, that goes nowhere once nobody can read it: how a command ends does not
    hang on who reads what it says."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, if that can be done."""
        with self._heedless():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, if that can be done."""
        with self._heedless():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _heedless(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            _silence(self._stream)


def _silence(stream: TextIO) -> None:
    """Let what is still to be printed, and the flush at the end of the program, go nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


_reserved: list[TextIO] = []
"""The stdout of each command that runs, the innermost last."""


@contextmanager
def reserved_stdout() -> Iterator[None]:
    """Keep stdout for `stdout()`: whoever else prints meanwhile, as plugins do, prints to
    stderr."""
    _reserved.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _reserved.pop()


def stdout() -> TextIO:
    """Where results go."""
    return _reserved[-1] if _reserved else sys.stdout


def _width() -> int:
    if not stdout().isatty():
        return WIDTH
    from rich.console import Console

    return max(Console(file=stdout()).width, NARROWEST)
