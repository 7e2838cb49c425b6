"""A results folder: whose files are in it, and which run may write there.

Its record knows every file that the program wrote. Only these are ever replaced or taken away, and
only while they are as they were written. What a run that is refused made is taken away again.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from oversight.core.errors import MACHINE, FolderError, StoreError
from oversight.running.record import MANIFEST, MOVE, Record, digests

LOCK, STORE, STAGE = "results.lock", "results.sqlite", "results.part"
MARK = b"OVSR"
"""Stands in the header of every store, at byte 68 (SQLite's application_id)."""
UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class Folder:
    """A folder that this run alone writes to, until it is released.

    path       where it is
    kind       what this run will put there, one of oversight.running.record.KINDS
    read_only  whether nothing can be written there: a finished folder can still be shown
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind, self.read_only = path, kind, False
        self._lock: FileLock | None = None
        self._new: list[Path] = []  # last first
        self._record = Record(path)

    @staticmethod
    def open(path: Path, kind: str, names: Iterable[str] = ()) -> Folder:
        """The folder at a path, new or as an earlier run left it, and nobody else's.

        names  files that may be written there, as paths below it

        Raises FolderError where it is none of this program's and not empty, or where a file that
        would be replaced or taken away is not as the program wrote it; StoreError where another run
        writes there.
        """
        return Folder(path, kind).taken(names)

    def taken(self, names: Iterable[str]) -> Self:
        """This folder once it is this run's; see `open`."""
        try:
            for folder in (self.path, *self.path.parents):
                if not folder.exists():
                    self._new.append(folder)
            self.path.mkdir(parents=True, exist_ok=True)
            self._take()
            self._record = Record(self.path)
            self._refuse_others()
            if not self.read_only:
                self._refuse_changes(names)
        except OSError as error:
            self.release(withdrawn=True)
            where = f"{self.path}: cannot keep results there: {error}"
            raise (StoreError if error.errno in MACHINE else FolderError)(where) from None
        except BaseException:
            self.release(withdrawn=True)
            raise
        return self

    def release(self, withdrawn: bool = False) -> None:
        """Let other runs write there; if this run is withdrawn, take away what it made."""
        for path in self._new if withdrawn else ():
            with suppress(OSError):
                path.unlink() if path.name == LOCK else path.rmdir()
        if self._lock is not None:
            self._lock.release()

    def begin(self) -> None:
        """Make it known as a folder of results, if it is new."""
        if not self.read_only:
            self._record.begin(self.kind)

    @contextmanager
    def renewing(self, about: Mapping[str, object]) -> Iterator[Path]:
        """A place to write files to. In the end these take the place of all that earlier runs
        wrote, and the manifest says what they come from. Raises StoreError where a file was changed
        meanwhile."""
        stage = self.path / STAGE
        self._record.note({})  # from here on the place is ours
        try:
            shutil.rmtree(stage, ignore_errors=True)
            stage.mkdir()
            yield stage
            self._put(stage, about)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror or error}") from None
        finally:
            shutil.rmtree(stage, ignore_errors=True)

    def _put(self, stage: Path, about: Mapping[str, object]) -> None:
        """Have the files of a stage take their places."""
        new, old = digests(stage), self._record.known
        self._record.note(new)
        for name in new:
            (self.path / name).parent.mkdir(exist_ok=True)
            (stage / name).replace(self.path / name)
        for name in old:
            if name not in new and self._inside(name):
                (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(stage)  # before the manifest stops saying that the place is ours
        self._record.settle(self.kind, about, new)

    def _inside(self, name: str) -> bool:
        """Whether a listed name leads to a plain file in this folder."""
        whole = (self.path / name).resolve()
        return whole.is_relative_to(self.path.resolve()) and whole.is_file()

    def _refuse_others(self) -> None:
        """Raises FolderError where the folder is not empty and none of this program's."""
        ours, own = self._record.ours, self._own()
        others = sorted(entry.name for entry in self.path.iterdir() if entry.name not in own)
        if others and not ours:
            raise FolderError(
                f"{self.path}: holds {others[0]!r}, which this program did not write; expected an "
                "empty or new folder, or one that an earlier run filled"
            )
        needed = [f"{MANIFEST}.part", f"{STORE}.part"]
        if self._record.unfinished is None:
            needed.append(STAGE)
        for name in needed:
            if name in others:
                raise FolderError(f"{self.path / name}: is in the way; {MOVE}")

    def _own(self) -> set[str]:
        """Names of the files that a killed run may leave besides those that its record has, as far
        as they hold what the program writes there."""
        own = {name for name in (STORE, f"{STORE}.part") if _is_store(self.path / name)}
        if STORE in own:
            own.add(f"{STORE}-journal")
        if _starts(self.path / f"{MANIFEST}.part", b'{\n  "kind": "'):
            own.add(f"{MANIFEST}.part")
        return own | {LOCK}

    def _refuse_changes(self, names: Iterable[str]) -> None:
        """Raises FolderError for the first file that cannot be written or taken away."""
        for name in {**self._record.known, **dict.fromkeys(names)}:
            if problem := self._record.problem(name):
                raise FolderError(problem)

    def _take(self) -> None:
        """Lock the folder; the lock ends with the process that holds it."""
        path = self.path / LOCK
        new = not path.exists()
        if not new and not _starts(path, b""):
            raise FolderError(f"{path}: is in the way, and this program did not write it; {MOVE}")
        lock = FileLock(path)
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
        if new:
            self._new.insert(0, path)


def folder_of(out: str | Path) -> Path:
    """The path of a folder as a user named it. Raises FolderError for an empty name.

    >>> folder_of("")
    Traceback (most recent call last):
    oversight.core.errors.FolderError: --out '': expected the name of a folder, like results
    """
    if not str(out).strip():
        raise FolderError(f"--out {str(out)!r}: expected the name of a folder, like results")
    return Path(out)


def _starts(path: Path, text: bytes) -> bool:
    """Whether a file begins with a text, or is a beginning of it; for no text, whether it is
    empty."""
    with suppress(OSError), path.open("rb") as file:
        held = file.read(len(text) or 1)
        return text.startswith(held)
    return False


def _is_store(path: Path) -> bool:
    """Whether a file is one of this program's stores, or still empty."""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(72)
        return not head or head[68:] == MARK
    return False
