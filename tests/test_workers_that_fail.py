"""Workers that are killed, that lack a plugin, or that cannot get what a notebook holds."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import oversight
from oversight import Study
from oversight.core.errors import WorkersError
from oversight.running.sending import packed

SMALL = {
    "replicates": 4,
    "world": {"train_items": 100, "test_items": 100, "features": 4},
    "protocols": {"debate": "debate"},
}


def kill_the_first(killed: list[int], times: int) -> None:
    """Kill worker processes as soon as there are any, long before they can have begun."""
    deadline = time.monotonic() + 60
    while len(killed) < times and time.monotonic() < deadline:
        for child in multiprocessing.active_children():
            if child.pid is not None and child.pid not in killed and len(killed) < times:
                killed.append(child.pid)
                os.kill(child.pid, signal.SIGKILL)
                break
        time.sleep(0.001)


@pytest.mark.parametrize("run", range(3))
def test_a_worker_that_is_killed_while_it_starts_is_retried(run: int) -> None:
    """It costs a retry, never the run, and is not taken for a script without a guard."""
    study = Study.model_validate({**SMALL, "seed": run})
    alone = oversight.compare(study)
    killed: list[int] = []
    killer = threading.Thread(target=kill_the_first, args=(killed, 1))
    killer.start()
    done = oversight.compare(study, jobs=2)
    killer.join()
    assert killed
    assert done.failed == []
    assert done.rows == alone.rows


PLUGIN = '''
import numpy as np
from oversight import Mechanism, Verdicts

class Mine(Mechanism):
    """Knows nothing."""

    name = "mine"

    def assess(self, claims, evidence=None):
        return Verdicts.of(np.zeros(claims.shape))
'''

SCRIPT = """
import oversight
study = oversight.load("quickstart").model_copy(
    update={"replicates": 2, "protocols": {"mine": Mine()}}
)
try:
    print(len(oversight.compare(study, jobs=JOBS).rows))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("how", ["stdin", "-c"])
def test_what_is_typed_in_is_refused_at_once(how: str) -> None:
    """As in a notebook's cell: `__main__` has no file. Without jobs it runs."""
    for jobs, answer in ((1, "4"), (2, "WorkersError: cannot be sent to worker processes: 'mine'")):
        code = PLUGIN + SCRIPT.replace("JOBS", str(jobs))
        command = [sys.executable, *(["-"] if how == "stdin" else ["-c", code])]
        done = subprocess.run(
            command,
            input=code if how == "stdin" else "",
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith(answer)
        assert "Traceback" not in done.stderr


def test_a_worker_without_the_plugin_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever unpacks the study where the plugin is not installed hears which one it is."""
    (tmp_path / "my_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    import my_plugin  # type: ignore[import-not-found]

    study = Study.model_validate(SMALL).model_copy(update={"protocols": {"m": my_plugin.Mine()}})
    sent = packed(study)
    assert sent.study().cells == study.cells
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    monkeypatch.delitem(sys.modules, "my_plugin")
    with pytest.raises(WorkersError, match=r"cannot load 'mine'.*No module named 'my_plugin'"):
        sent.study()


def test_a_cluster_without_the_plugin_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One message, without the traceback of the cluster."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        (tmp_path / "plugin_of_mine.py").write_text(PLUGIN)
        monkeypatch.syspath_prepend(tmp_path)
        import plugin_of_mine  # type: ignore[import-not-found]

        mine = {"protocols": {"m": plugin_of_mine.Mine()}}
        study = Study.model_validate(SMALL).model_copy(update=mine)
        with pytest.raises(WorkersError, match=r"cannot load 'mine'.*install there"):
            oversight.compare(study, executor=client.get_executor())
    assert "plugin_of_mine" not in capfd.readouterr().err
