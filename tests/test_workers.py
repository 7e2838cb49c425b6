"""Executors: the same bytes from all of them, whatever dies on the way."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import oversight
from oversight import Claims, Evidence, Mechanism, Study, Verdicts
from oversight.cli.progress import CellCount
from oversight.core.errors import WorkersError
from oversight.running import workers
from oversight.running.keys import Keys
from oversight.running.processes import one_thread
from oversight.running.replicate import Replicate
from oversight.running.workers import Task, Workers
from oversight.studies.cases import Case
from oversight.worlds.concept import ConceptWorld

FLAT = ("runs.csv", "summary.csv", "differences.csv")


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "name": "small",
        "replicates": 8,
        "world": {"train_items": 300, "test_items": 200, "features": 8},
        "protocols": {
            "debate": {"debate": {"candidates": 2}},
            "reward modeling": {"recursive_reward_modeling": {"samples": 40}},
            "hard": {"decomposition": {"aggregate": "hard", "votes": 3}},
        },
        "failures": {"flips": {"kind": "random_flips", "severity": 0.5}},
        "desk": {"people": 2, "hours": 30},
    }
    return Study.model_validate({**plain, **changes})


@contextmanager
def dask(workers: int = 2) -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def test_the_same_bytes_from_every_executor(tmp_path: Path) -> None:
    def files(name: str, **how: Any) -> dict[str, bytes]:
        oversight.compare(study(), failures=True, out=tmp_path / name, **how)
        return {file: (tmp_path / name / file).read_bytes() for file in FLAT}

    alone = files("loop")
    assert files("processes", jobs=2) == alone
    with ThreadPoolExecutor(3) as threads:
        assert files("threads", executor=threads) == alone
    with dask() as client:
        assert files("dask", executor=client.get_executor()) == alone


def test_a_dask_worker_that_is_killed(tmp_path: Path) -> None:
    alone = oversight.compare(study(replicates=30)).rows
    with dask() as client:
        killed: list[int] = []

        def kill(_: Replicate) -> None:
            if not killed:
                victim = next(iter(client.scheduler_info()["workers"]))
                killed.append(client.run(os.getpid, workers=[victim])[victim])
                os.kill(killed[0], 9)

        done = oversight.compare(
            study(replicates=30), executor=client.get_executor(), progress=kill
        )
        assert killed
        assert done.rows == alone
        assert done.failed == []


def test_the_command_line_takes_a_cluster(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from oversight.cli.main import main

    arguments = ["compare", "quickstart", "--replicates", "2", "--format", "csv"]
    alone = CliRunner().invoke(main, arguments)
    with dask() as client:
        address = client.scheduler.address
        there = CliRunner().invoke(main, [*arguments, "--cluster", address])
    assert there.exit_code == 0, there.output
    assert there.stdout == alone.stdout
    for wrong, message in (
        ("tcp://127.0.0.1:1", "cannot be reached"),
        ("nonsense", "is no address"),
        ("tcp://127.0.0.1:many", "is no address"),
    ):
        nowhere = CliRunner().invoke(main, [*arguments, "--cluster", wrong])
        assert nowhere.exit_code == 2
        assert message in nowhere.stderr


class Deadly(Mechanism):
    """Takes its process with it in replicate 1: every time, or until a file is there."""

    name = "deadly"
    marker: str = ""

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.pool.draws.key[1] == 1:
            if not self.marker:
                os._exit(1)
            if not Path(self.marker).exists():
                Path(self.marker).touch()
                os._exit(1)
        return Verdicts.of(np.where(self.pool.gold, 1.0, -1.0)[claims.item])


def test_a_worker_that_dies_costs_a_retry(tmp_path: Path) -> None:
    plain = study(protocols={"debate": "debate"}, desk=None)
    once = {**plain.protocols, "deadly": Deadly(marker=str(tmp_path / "died"))}
    done = oversight.compare(plain.model_copy(update={"protocols": once}), jobs=2)
    assert (tmp_path / "died").exists()
    assert done.failed == []
    assert len(done.rows) == 8 * 3


def test_what_kills_its_worker_twice_has_failed(tmp_path: Path) -> None:
    plain = study(protocols={"debate": "debate"}, desk=None)
    mixed = plain.model_copy(update={"protocols": {**plain.protocols, "deadly": Deadly()}})
    done = oversight.compare(mixed, jobs=2, out=tmp_path)
    assert {(lost.case.protocol, lost.replicate) for lost in done.failed} == {
        (name, 1) for name in mixed.cells
    }
    assert "its worker died 2 times" in done.failed[0].error
    assert len(done.rows) == 7 * 3
    # It is nobody's bug for sure: the next run tries again.
    ran: list[int] = []
    oversight.compare(mixed, jobs=2, out=tmp_path, progress=lambda r: ran.append(r.number))
    assert ran == [1]


def test_chunks_grow_with_what_is_quick_and_hold_one_study() -> None:
    two = Workers(jobs=2)
    studies = [Keys(study()), Keys(study(seed=1))]
    tasks = [Task(of, number, ()) for of in studies for number in range(5)]
    assert [len(chunk) for chunk in two._chunks(iter(tasks))] == [1] * 10
    two._each = 0.1
    sizes = [len(chunk) for chunk in two._chunks(iter(tasks))]
    assert sizes == [2, 2, 1, 2, 2, 1]
    two._each = 1e-6
    assert [len(chunk) for chunk in two._chunks(iter(tasks))] == [5, 5]


class Slow(Executor):
    """Counts what is under way."""

    def __init__(self) -> None:
        self.inside = ThreadPoolExecutor(2)
        self.submitted = self.most = 0

    def submit(self, *work: Any, **more: Any) -> Any:
        self.submitted += 1
        future = self.inside.submit(*work, **more)
        self.most = max(self.most, self.inside._work_queue.qsize())
        return future


def test_no_more_than_a_few_chunks_are_under_way() -> None:
    slow = Slow()
    small = study(replicates=200, desk=None, world={"train_items": 20, "test_items": 20})
    oversight.compare(small, executor=slow)
    assert slow.submitted > 3
    assert slow.most <= 16


def test_one_thread_until_the_last_leaves() -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    first, second = one_thread(), one_thread()
    with first:
        second.__enter__()
        assert threads() <= {1}
    assert threads() <= {1}  # the other is still inside
    second.__exit__(None, None, None)
    assert threads() == before


def test_progress_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    going = CellCount()
    going.planned(1000)
    going.kept(200)
    row = Replicate(0, {Case(str(i)): () for i in range(40)})
    for _ in range(5):
        now[0] += 1
        going(row)
    assert going.line() == "400 of 1,000 cells, 40 a second, 15 s left, 0 failed"
    assert CellCount().line() == "0 cells, 0 failed"


class OtherEngine(ThreadPoolExecutor):
    """Workers on which another version is installed."""

    def submit(self, run: Any, /, *values: Any, **named: Any) -> Any:
        return super().submit(run, *values[:-1], "another", **named)


def test_workers_of_another_version_are_refused(tmp_path: Path) -> None:
    with OtherEngine(1) as others, pytest.raises(WorkersError, match="another version"):
        oversight.compare(study(), executor=others, out=tmp_path)
    assert oversight.compare(study(replicates=1), out=tmp_path).failed == []  # nothing was kept


def test_somebody_elses_executor_that_breaks() -> None:
    plain = study(protocols={"debate": "debate"}, desk=None)
    mixed = plain.model_copy(update={"protocols": {**plain.protocols, "deadly": Deadly()}})
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context) as theirs,
        pytest.raises(WorkersError, match="takes no more work"),
    ):
        oversight.compare(mixed, executor=theirs)


class Lonely(ThreadPoolExecutor):
    """An executor that loses everybody and reports it."""

    def submit(self, *_: Any, **__: Any) -> Any:
        return Future()

    def trouble(self) -> str:
        return "everybody has gone"


def test_nobody_waits_for_workers_that_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LOOK", 0.05)
    with Lonely(1) as nobody, pytest.raises(WorkersError, match="everybody has gone"):
        oversight.compare(study(), executor=nobody)


def test_what_cannot_be_sent_is_refused_once() -> None:
    class Local(Deadly):
        name = "local"

    plain = study(protocols={"debate": "debate"}, desk=None)
    mixed = plain.model_copy(update={"protocols": {"local": Local()}})
    with pytest.raises(WorkersError, match="cannot be sent to worker processes"):
        oversight.compare(mixed, jobs=2)


def test_a_script_without_a_guard_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import oversight\n"
        "study = oversight.load('quickstart').model_copy(update={'replicates': 8})\n"
        "oversight.compare(study, jobs=2)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no worker process could be started" in done.stderr.splitlines()[-1]
    assert "__name__ == '__main__'" in done.stderr.splitlines()[-1]


class Crooked(ConceptWorld):
    """Has no items in replicate 2."""

    def pool(self, seed: int, replicate: int, part: Any) -> Any:
        if replicate == 2:
            raise ValueError("no items today")
        return super().pool(seed, replicate, part)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_world_that_raises_costs_its_replicate(jobs: int, tmp_path: Path) -> None:
    plain = study(protocols={"debate": "debate"}, desk=None, replicates=4)
    crooked = plain.model_copy(update={"world": Crooked(**dict(plain.world))})
    done = oversight.compare(crooked, jobs=jobs, out=tmp_path)
    assert [(lost.replicate, lost.error) for lost in done.failed] == [
        (2, "ValueError: no items today")
    ] * 2
    assert "no items today" in done.failed[0].traceback
    assert len(done.rows) == 3 * 2
