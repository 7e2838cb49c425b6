"""manifest.json, the record of a results folder: what the results come from, and a digest of every
file that the program wrote there.

Digests are noted before files take their places, so that a killed run leaves no file that the
record does not know.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oversight.core.errors import FolderError, StoreError
from oversight.core.files import write

MANIFEST = "manifest.json"
KINDS = ("compare", "sweep", "stress", "design", "sensitivity", "play")
"""Kinds of results that a folder may hold."""
OF_THE_CALL = ("command", "date", "digest")
"""What the manifest's own digest leaves out."""


class Record:
    """What the manifest of a folder holds, as it was when this was made or last written."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._held = folder, _read(folder / MANIFEST)

    @property
    def ours(self) -> bool:
        """Whether there is a manifest that this version of the program wrote. Raises FolderError
        where another version did, or where somebody changed it."""
        held, path = self._held, self._folder / MANIFEST
        listed = (held.get("files"), held.get("writing", {}))
        if held.get("kind") in KINDS and all(map(_are_digests, listed)):
            if held.get("digest") != _digest_of(held):
                raise FolderError(
                    f"{path}: was changed by somebody else; undo that, or name another folder"
                )
            return True
        if {"git_revision", "versions"} <= held.keys() or held.get("kind") in KINDS:
            raise FolderError(
                f"{self._folder}: written by another version of this program; name another folder"
            )
        return False

    @property
    def files(self) -> dict[str, str]:
        """Digests of the files that the last finished run wrote, by path below the folder."""
        return dict(self._held.get("files", {}))

    @property
    def unfinished(self) -> dict[str, str] | None:
        """Digests of the files that a run was putting in their places when it was killed; None
        where no run was."""
        return self._held.get("writing")

    @property
    def known(self) -> dict[str, str]:
        """All files that the program wrote, or was about to write."""
        return {**self.files, **(self.unfinished or {})}

    def begin(self, kind: str) -> None:
        """Write that a first run is under way."""
        if not self._held:
            self._write({"kind": kind, **_call(), "state": "running", "files": {}})

    def note(self, writing: Mapping[str, str]) -> None:
        """Write which files stand there, and which are about to take their places. Raises
        StoreError where one of them is somebody else's by now."""
        for problem in filter(None, map(self.problem, {**self.known, **writing})):
            raise StoreError(f"{problem}. The numbers are kept")
        standing = {name: self._folder / name for name in self.known}
        files = {name: digest(path) for name, path in standing.items() if path.exists()}
        self._write({**self._held, "files": files, "writing": dict(writing)})

    def settle(self, kind: str, about: Mapping[str, object], files: Mapping[str, str]) -> None:
        """Write what the results come from and which files there are. A run that changes nothing
        in it leaves its date."""
        whole: dict[str, object] = {"kind": kind, **_call()}
        whole |= {key: value for key, value in about.items() if key not in whole}
        whole["files"] = dict(sorted(files.items()))
        old = {key: value for key, value in self._held.items() if key not in ("writing", "digest")}
        if {**_plain(whole), "date": old.get("date")} == old:
            whole = old
        self._write(whole)

    def problem(self, name: str) -> str:
        """Why a file of this name cannot be written or taken away; empty where it can."""
        path = self._folder / name
        if not os.path.lexists(path):
            above = next(folder for folder in path.parents if os.path.lexists(folder))
            return "" if above.is_dir() else f"{above}: is no folder; {MOVE}"
        digests = {self.files.get(name), (self.unfinished or {}).get(name)} - {None}
        if not digests:
            return f"{path}: is in the way, and this program did not write it; {MOVE}"
        if not path.is_file() or digest(path) not in digests:
            return f"{path}: is not as this program wrote it; {MOVE}"
        return ""

    def _write(self, whole: Mapping[str, object]) -> None:
        plain = _plain({key: value for key, value in whole.items() if key != "digest"})
        self._held = {**plain, "digest": _digest_of(plain)}
        text = json.dumps(self._held, indent=2, ensure_ascii=False)
        write(self._folder / MANIFEST, text + "\n")


MOVE = "move it away to keep it, or name another folder"


def digests(folder: Path) -> dict[str, str]:
    """Digests of all files of a folder, by path below it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def digest(path: Path) -> str:
    """What no other file's bytes give."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def command() -> str:
    """The command line of this process.

    >>> isinstance(command(), str)
    True
    """
    first, *rest = sys.argv or [""]
    name = Path(first).name
    return shlex.join(["oversight" if name in ("oversight", "__main__.py") else name, *rest])


def _call() -> dict[str, object]:
    return {"command": command(), "date": datetime.now(UTC).isoformat(timespec="seconds")}


def _read(path: Path) -> dict[str, Any]:
    """What a manifest holds; nothing where there is none that this program wrote."""
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(held, dict):
            return held
    return {}


def _are_digests(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _plain(whole: Mapping[str, object]) -> dict[str, Any]:
    """The same as it is read back."""
    return dict(json.loads(json.dumps(whole)))


def _digest_of(held: Mapping[str, object]) -> str:
    """The digest of a manifest, but for what a call alone decides."""
    lasting = {key: value for key, value in held.items() if key not in OF_THE_CALL}
    text = json.dumps(lasting, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
