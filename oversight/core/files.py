"""Files of a results folder: written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from oversight.core.errors import StoreError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place in the end; what stands there stays
    until then. Raises StoreError where it cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StoreError(
            f"{path}: cannot be written: {error.strerror or error}. The numbers are kept; the same "
            "command writes the tables once there is room for them"
        ) from None


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """The same, as text."""
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


def write(path: Path, text: str) -> None:
    """Write a text file."""
    with writing(path) as file:
        file.write(text)
