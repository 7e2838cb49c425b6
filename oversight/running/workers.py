"""Who runs replicates: this process, processes of its own, any executor, a cluster.

Numbers never depend on it. A worker that dies costs a retry of what it worked on, one replicate at
a time; a replicate that kills its worker twice has failed, and the rest goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import NamedTuple

from oversight.core.errors import WorkersError
from oversight.running.failed import LOST, Failed
from oversight.running.keys import Keys
from oversight.running.processes import Processes, one_thread
from oversight.running.replicate import Replicate, run_replicate
from oversight.running.sending import Sent, to_others, to_processes
from oversight.studies.cases import Case
from oversight.studies.fingerprint import of_engine
from oversight.studies.study import Study

SECONDS = 0.25
"""What a chunk of replicates should take: long against sending it, short against waiting for the
last."""
MOST = 64
"""Replicates in a chunk, at most."""
TRIES = 2
"""How often a replicate may kill its worker before it has failed."""
LOOK = 5.0
"""Seconds of silence after which we look whether anybody still works."""


Work = tuple[int, tuple[Case, ...], bool, bool]
"""The number of a replicate, the cases to be run in it, and whether to measure their predictable
share and their students after every epoch."""


class Task(NamedTuple):
    """Cases of a study to be run in one replicate, and whether to measure their students after
    every epoch."""

    keys: Keys
    number: int
    cases: tuple[Case, ...]
    curves: bool = False

    @property
    def study(self) -> Study:
        """The study that the cases are of."""
        return self.keys.study

    @property
    def work(self) -> Work:
        """What is sent of it beside the study."""
        return self.number, self.cases, self.keys.predictable, self.curves


Chunk = list[Task]
"""Tasks of one study that are sent together."""
Answer = tuple[list[Replicate], float]
"""Replicates of a chunk, and the seconds that they took."""
Reply = Answer | WorkersError
"""An answer, or why a worker can give none: returned, since clusters print what is raised."""
Finished = tuple[Keys, list[Replicate]]
"""Replicates of one study."""


class Workers:
    """This process alone, `jobs` processes of its own, or somebody else's executor.

    An executor may have a method `trouble() -> str`, which says why it can work no more, and a
    method `everywhere(call, *values)`, which returns what a call comes to on each of its workers.
    """

    def __init__(self, executor: Executor | None = None, jobs: int = 1) -> None:
        self._executor = Processes(max(jobs, 1)) if executor is None else executor
        self._alone = executor is None and jobs <= 1
        self._each = 0.0  # seconds a replicate, lately
        self._last: tuple[Study, Study | Sent] | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._renew(at_once=kind is not None)

    def check(self, study: Study) -> None:
        """Raises WorkersError, `refused`, where it is known now that they cannot run a study."""
        if self._alone:
            return
        everywhere = getattr(self._executor, "everywhere", None)
        try:
            sent = self._packed(study)
            replies = everywhere(run_chunk, sent, [], of_engine()) if everywhere else {}
            for worker, reply in replies.items():
                if isinstance(reply, WorkersError):
                    raise WorkersError(f"{worker}: {reply}")
        except WorkersError as error:
            raise WorkersError(str(error), refused=True) from None

    def run(self, tasks: Iterable[Task]) -> Iterator[Finished]:
        """Replicates as they finish, a chunk of one study at a time. No more than a few chunks are
        under way, so that memory stays flat.

        Raises WorkersError where nobody can do the work.
        """
        return self._run_here(tasks) if self._alone else self._run_there(tasks)

    def _run_here(self, tasks: Iterable[Task]) -> Iterator[Finished]:
        for task in tasks:
            yield task.keys, answered(run_chunk(task.study, [task.work], of_engine()))[0]

    def _run_there(self, tasks: Iterable[Task]) -> Iterator[Finished]:
        waiting: dict[Future[Reply], Chunk] = {}
        chunks = self._chunks(iter(tasks))
        try:
            while True:
                for chunk in islice(chunks, max(2 * self._hands() - len(waiting), 0)):
                    waiting[self._sent(chunk)] = chunk
                if not waiting:
                    return
                lost = []
                for future in self._done(waiting):
                    chunk = waiting.pop(future)
                    try:
                        replicates, seconds = answered(future.result())
                    except WorkersError:
                        raise
                    except Exception as error:  # a worker died, or could not even be reached
                        self._look()
                        lost.append((chunk, error))
                        continue
                    self._each = 0.5 * self._each + 0.5 * seconds / len(chunk)
                    yield chunk[0].keys, replicates
                if lost:
                    # Whoever is broken has lost everything that was under way.
                    for future, chunk in list(waiting.items()):
                        if isinstance(self._executor, Processes) or future.done():
                            lost.append((chunk, lost[0][1]))
                            del waiting[future]
                    yield from self._again(lost)
        finally:
            for future in waiting:
                future.cancel()

    def _again(self, lost: list[tuple[Chunk, Exception]]) -> Iterator[Finished]:
        """What was lost, once more, each replicate alone."""
        todo = deque((task, error) for chunk, error in lost for task in chunk)
        self._renew()
        while todo:
            task, error = todo.popleft()
            try:
                future = self._sent([task])
                self._done([future])
                replicates, _ = answered(future.result())
            except WorkersError:
                raise
            except Exception as second:
                self._look()
                self._renew()
                replicates = [_given_up(task, second if str(second) else error)]
            yield task.keys, replicates

    def _done(self, futures: Iterable[Future[Reply]]) -> set[Future[Reply]]:
        """Those that are done, as soon as any is; looks after who does them meanwhile."""
        while not (done := wait(futures, LOOK, FIRST_COMPLETED).done):
            self._look()
        return done

    def _look(self) -> None:
        """Raises WorkersError where nobody can do any work."""
        trouble = getattr(self._executor, "trouble", None)
        if trouble is not None and (message := trouble()):
            raise WorkersError(message)

    def _sent(self, chunk: Chunk) -> Future[Reply]:
        study = self._packed(chunk[0].study)
        work = [task.work for task in chunk]
        try:
            return self._executor.submit(run_chunk, study, work, of_engine())
        except RuntimeError as error:  # broken, or ended by somebody
            message = "the executor takes no more work: " + (str(error) or repr(error))
            raise WorkersError(f"{message}. What was finished is kept") from error

    def _packed(self, study: Study) -> Study | Sent:
        """A study as it is sent; the last one is kept."""
        if self._last is None or self._last[0] is not study:
            own = isinstance(self._executor, Processes)
            self._last = study, (to_processes if own else to_others)(study)
        return self._last[1]

    def _renew(self, at_once: bool = True) -> None:
        """End processes of our own, which begin again with the next work."""
        if isinstance(self._executor, Processes):
            self._executor.end(at_once)

    def _chunks(self, tasks: Iterator[Task]) -> Iterator[Chunk]:
        """Tasks of one study together, as many as take about SECONDS."""
        held: Chunk = []
        for task in tasks:
            if held and (task.keys is not held[0].keys or len(held) >= self._size()):
                yield held
                held = []
            held.append(task)
        if held:
            yield held

    def _size(self) -> int:
        return 1 if not self._each else max(1, min(int(SECONDS / self._each), MOST))

    def _hands(self) -> int:
        """How many chunks are worked on at once, about."""
        return int(getattr(self._executor, "_max_workers", 0)) or 8


def _given_up(task: Task, error: Exception) -> Replicate:
    why = str(error).split("\n")[0] or type(error).__name__
    message = f"its worker died {TRIES} times (out of memory, or killed): {why}"
    lost = tuple(Failed(case, task.number, message, LOST) for case in task.cases)
    return Replicate(task.number, {}, lost)


def answered(reply: Reply) -> Answer:
    """The answer of a worker. Raises WorkersError where it can give none."""
    if isinstance(reply, WorkersError):
        raise reply
    return reply


def run_chunk(sent: Study | Sent, work: Sequence[Work], engine: str) -> Reply:
    """Run replicates of one study, with one BLAS thread; with the seconds that it took. Where the
    engine here is another, or a plugin is not installed, a WorkersError is returned.

    engine  the digest of the engine that sends them
    """
    if engine != of_engine():
        return WorkersError(
            "a worker has another version of this program or of what it draws and fits with; "
            "install the same there, or start it again"
        )
    try:
        study = sent.study() if isinstance(sent, Sent) else sent
    except WorkersError as error:
        return error
    began = time.perf_counter()
    with one_thread():
        done = [run_replicate(study, *task) for task in work]
    return done, time.perf_counter() - began
