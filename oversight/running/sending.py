"""Studies on their way to other processes: packed here, unpacked there, refused in words."""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from operator import attrgetter
from typing import Any, NamedTuple

from oversight.core.config import Config
from oversight.core.errors import WorkersError
from oversight.studies.study import Study

OURS = ("oversight", "mechanisms", "builtins")
"""Packages whose classes are wherever the program is."""

STDIN = "<stdin>"
"""What Python calls the file of a script that comes through a pipe."""


class Stranger(NamedTuple):
    """A class of a study that comes with a plugin: its module, its name there, and what scenario
    files call it."""

    module: str
    qualname: str
    known_as: str


class Sent(NamedTuple):
    """A study as it is sent: its pickle, and what must be installed where it is unpacked."""

    data: bytes
    strangers: tuple[Stranger, ...]

    def study(self) -> Study:
        """The study. Raises WorkersError that names the plugin which is not installed here."""
        for stranger in self.strangers:
            try:
                attrgetter(stranger.qualname)(importlib.import_module(stranger.module))
            except BaseException as error:  # a stranger's import may fail in any way
                raise _absent(stranger.known_as, error) from None
        try:
            study = pickle.loads(self.data)
        except Exception as error:
            raise _absent("the study", error) from None
        assert isinstance(study, Study)
        return study


def _absent(what: str, error: BaseException) -> WorkersError:
    return WorkersError(
        f"a worker cannot load {what}: {type(error).__name__}: {error}; install there what is "
        "installed here"
    )


class _Pickler(pickle.Pickler):
    """Notes the classes of plugins that it meets."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.strangers: dict[Stranger, None] = {}

    def reducer_override(self, value: object) -> Any:
        """Note a class; pickle everything as usual."""
        if isinstance(value, type) and value.__module__.split(".")[0] not in OURS:
            known = value.__qualname__
            if issubclass(value, Config):
                kind = value.model_fields.get("kind")
                default = kind.default if kind is not None else ""
                known = repr(getattr(value, "name", "") or default or known)
                self.strangers[Stranger(value.__module__, value.__qualname__, known)] = None
        return NotImplemented


def packed(study: Study) -> Sent:
    """A study to be sent. Raises WorkersError where it cannot be."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(study)
    except Exception as error:
        raise WorkersError(
            f"cannot be sent to worker processes: {error}. Define what it is made of in a module, "
            "not in a function; or ask for no jobs"
        ) from None
    return Sent(file.getvalue(), tuple(pickler.strangers))


def to_processes(study: Study) -> Sent:
    """A study for processes of our own, which have no notebook and no prompt."""
    sent = packed(study)
    file = getattr(sys.modules["__main__"], "__file__", None)
    for stranger in sent.strangers:
        if stranger.module == "__main__" and file in (None, STDIN):
            raise WorkersError(
                f"cannot be sent to worker processes: {stranger.known_as} is defined in a "
                "notebook, at a prompt or in a pipe, where no other process finds it. Define it in "
                "a module; or ask for no jobs"
            )
    if file == STDIN:
        raise WorkersError(
            "no worker process can read a script that came through a pipe; run it from a file, or "
            "ask for no jobs"
        )
    return sent


def to_others(study: Study) -> Study | Sent:
    """A study for somebody else's executor. Threads can use it as it is, and some executors send
    what is typed in, or defined in a function, in a way of their own."""
    try:
        sent = packed(study)
    except WorkersError:
        return study
    return study if any(one.module == "__main__" for one in sent.strangers) else sent
