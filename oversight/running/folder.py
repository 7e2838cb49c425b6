"""A results folder: whose files are in it, and which run may write there.

Its manifest lists every file that the program wrote. Only these are ever replaced or removed. The
list is written before the files are, so that a killed run leaves no file that it does not know.
"""

from __future__ import annotations

import errno
import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from oversight.core.errors import FolderError, StoreError
from oversight.core.files import write

MANIFEST, LOCK, STORE = "manifest.json", "results.lock", "results.sqlite"
KINDS = ("compare", "sweep", "stress", "design", "sensitivity", "play")
"""Kinds of results that a folder may hold."""
MARK = b"OVSR"
"""Stands in the header of every store, at byte 68 (SQLite's application_id)."""
MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Errors that are the machine's, and not those of who named the folder."""
UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Folder:
    """A folder that this run alone writes to, until it is released.

    path       where it is
    kind       what this run will put there, one of KINDS
    read_only  whether nothing can be written there: a finished folder can still be shown
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind, self.read_only = path, kind, False
        self._lock: FileLock | None = None

    @staticmethod
    def open(path: Path, kind: str) -> Folder:
        """The folder at a path, new or as an earlier run left it, and nobody else's.

        Raises FolderError where it is none of this program's and not empty, StoreError where
        another run writes there.
        """
        return Folder(path, kind).taken()

    def taken(self) -> Self:
        """This folder once it is this run's; see `open`."""
        try:
            self._refuse_others()
            self.path.mkdir(parents=True, exist_ok=True)
            self._take()
            if not self.read_only and not (self.path / MANIFEST).exists():
                self._write({"state": "running"}, ())
        except OSError as error:
            where = f"{self.path}: cannot keep results there: {error}"
            raise (StoreError if error.errno in MACHINE else FolderError)(where) from None
        except BaseException:
            self.release()
            raise
        return self

    def release(self) -> None:
        """Let other runs write there."""
        if self._lock is not None:
            self._lock.release()

    @property
    def files(self) -> list[str]:
        """The files that the manifest lists, as paths below the folder."""
        listed = self._manifest().get("files", [])
        return [name for name in listed if isinstance(name, str)]

    def claim(self, names: Iterable[str]) -> None:
        """List files that are about to be written. Raises FolderError where one of them stands
        there and is not listed: it is somebody's own."""
        names, listed = list(names), self.files
        for name in names:
            if name not in listed and (self.path / name).exists():
                raise FolderError(
                    f"{self.path / name}: is in the way, and this program did not write it; move "
                    "it away, or name another folder"
                )
        if not self.read_only and set(names) - set(listed):
            about = self._manifest()
            self._write(about, dict.fromkeys([*listed, *names]))

    def settle(self, about: Mapping[str, object], names: Iterable[str]) -> None:
        """Remove the files that an earlier run wrote and this one did not, and write what the
        results come from."""
        names = [name for name in names if (self.path / name).is_file()]
        for name in self.files:
            for old in (name, f"{name}.part"):
                if old not in names and self._inside(old):
                    (self.path / old).unlink(missing_ok=True)
        self._write(about, names)

    def _inside(self, name: str) -> bool:
        """Whether a listed name leads to a plain file in this folder."""
        whole = (self.path / name).resolve()
        return whole.is_relative_to(self.path.resolve()) and whole.is_file()

    def _write(self, about: Mapping[str, object], names: Iterable[str]) -> None:
        """Write the manifest; a run that changes nothing in it leaves its date."""
        old = self._manifest()
        whole: dict[str, object] = {
            "kind": self.kind,
            "command": command(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        whole |= {key: value for key, value in about.items() if key not in whole}
        whole["files"] = sorted(names)
        if {**whole, "date": old.get("date")} == old:
            return
        write(self.path / MANIFEST, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")

    def _manifest(self) -> dict[str, Any]:
        """What the manifest holds; nothing where there is none that this program wrote."""
        with suppress(OSError, ValueError, RecursionError):
            held = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if isinstance(held, dict):
                return held
        return {}

    def _refuse_others(self) -> None:
        """Raises FolderError where the folder is not empty and none of this program's."""
        if not str(self.path) or not self.path.exists():
            return
        about = self._manifest()
        if about.get("kind") in KINDS and isinstance(about.get("files"), list):
            return
        if {"git_revision", "versions"} <= about.keys():
            raise FolderError(
                f"{self.path}: written by another version of this program; name another folder"
            )
        own = {LOCK, f"{MANIFEST}.part"}
        if _marked(self.path / STORE):
            own |= {STORE, f"{STORE}-journal"}
        others = sorted(entry.name for entry in self.path.iterdir() if entry.name not in own)
        if others:
            raise FolderError(
                f"{self.path}: holds {others[0]!r}, which this program did not write; expected an "
                "empty or new folder, or one that an earlier run filled"
            )

    def _take(self) -> None:
        """Lock the folder; the lock ends with the process that holds it."""
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise StoreError(
                f"{self.path}: another run is writing there; wait until it has ended, or name "
                "another folder"
            ) from None
        except OSError as error:
            if error.errno not in UNWRITABLE or not (self.path / STORE).exists():
                raise
            self.read_only = True
            return
        self._lock = lock


def folder_of(out: str | Path) -> Path:
    """The path of a folder as a user named it. Raises FolderError for an empty name.

    >>> folder_of("")
    Traceback (most recent call last):
    oversight.core.errors.FolderError: --out '': expected the name of a folder, like results
    """
    if not str(out).strip():
        raise FolderError(f"--out {str(out)!r}: expected the name of a folder, like results")
    return Path(out)


def command() -> str:
    """The command line of this process.

    >>> isinstance(command(), str)
    True
    """
    first, *rest = sys.argv or [""]
    name = Path(first).name
    return shlex.join(["oversight" if name in ("oversight", "__main__.py") else name, *rest])


def _marked(store: Path) -> bool:
    """Whether a file bears the mark of this program's stores."""
    with suppress(OSError), store.open("rb") as file:
        return file.read(72)[68:] == MARK
    return False
