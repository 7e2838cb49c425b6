"""Is this checkout slower than another one? python -m benchmarks.against OTHER [--row NAME]

Every row runs in processes of the two checkouts in turn (before, after, before, after, ...), so
that a busy machine slows both alike. A process does the work of its row several times and states
the least of the processor's time; what runs in two processes is timed by the clock.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

LIMIT = 1.05
CLOCKED = "two processes"
"""Rows of this name are timed by the clock."""

START = """
import itertools, sys, tempfile, time
import numpy as np, oversight
from oversight import Desk, Study
from benchmarks import __main__ as probes, speed
from benchmarks.speed import run_replicate

def plain(**changes): return oversight.load("quickstart").model_copy(update=changes)
numbers = itertools.count()
"""

TIMED = """
clock, repeats = getattr(time, sys.argv[1]), int(sys.argv[2])
took = []
for _ in range(repeats + 1):
    start = clock()
    work()
    took.append(clock() - start)
print(min(took[1:]))
"""

REPLICATE = "work = lambda: run_replicate(study, next(numbers))"
HARD = "x, labels = probes.planted({}, {}, {})\nwork = lambda: probes.fit_probes(x, labels)"
FOLDER = """
small = {"train_items": 50, "test_items": 50, "features": 4}
study = Study(replicates=100, world=small, protocols={"unaided": "direct", "debate": "debate"})
def work():
    with tempfile.TemporaryDirectory() as folder: oversight.compare(study, out=folder + "/out")
"""
STRESS = """
study = plain(replicates=2)
names = ["collusion", "drift", "inattention", "overconfidence"]
work = lambda: oversight.stress(study, only=names)
"""

ROWS: dict[str, tuple[str, int]] = {
    "debates": ("work = lambda: speed.labels(speed.Debate(turns=10), 0, next(numbers))", 15),
    "decompositions": (
        "hard = speed.Decomposition(aggregate='hard')\n"
        "work = lambda: speed.labels(hard, 2, next(numbers))",
        9,
    ),
    "reward models": (
        "pool = speed.ConceptWorld().pool(1, 0, 'train')\n"
        "claims = speed.Claims.of(np.arange(300), 5)\n"
        "belief = np.clip(np.random.default_rng(1).random(300), 0.02, 0.98)\n"
        "work = lambda: speed.RewardModel().fit(pool, claims, belief)",
        400,
    ),
    "probes, soft": (
        "x, labels = probes.quickstart_labels()\nwork = lambda: probes.fit_probes(x, labels)",
        60,
    ),
    **{
        f"probes, hard, {n} x {k}, {sets} sets": (HARD.format(n, k, sets), 40)
        for n, k, sets in ((4000, 32, 8), (5000, 64, 8), (5000, 64, 32))
    },
    "gradient students": (
        "from benchmarks.students import GradientStudent, planted\n"
        "x, labels = planted(4000, 32)\nwork = lambda: GradientStudent().fit(x, labels)",
        9,
    ),
    "cells of quickstart": (f"study = plain()\n{REPLICATE}", 21),
    "desk": (f"study = plain(desk=Desk())\n{REPLICATE}", 15),
    "desk with a budget": (f"study = plain(desk=Desk(hours=400))\n{REPLICATE}", 15),
    "many cells in a folder": (FOLDER, 3),
    "stress": (STRESS, 3),
    f"quickstart on {CLOCKED}": (
        "study = plain(replicates=60)\nwork = lambda: oversight.compare(study, jobs=2)",
        1,
    ),
}


def seconds(checkout: Path, row: str) -> float:
    """Of one process of that checkout: the least time of the row's work."""
    setup, repeats = ROWS[row]
    clock = "perf_counter" if CLOCKED in row else "process_time"
    done = subprocess.run(
        [sys.executable, "-c", START + setup + TIMED, clock, str(repeats)],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{row}, in {checkout}:\n{done.stderr}")
    return float(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("other", type=Path, help="the checkout before")
    options.add_argument("--runs", type=int, default=5, help="processes of each checkout a row")
    options.add_argument("--row", choices=ROWS, action="append", help="one row; may be repeated")
    given = options.parse_args()
    checkouts, slower = (given.other.resolve(), Path.cwd()), []
    for row in given.row or ROWS:
        pairs = [tuple(seconds(each, row) for each in checkouts) for _ in range(given.runs)]
        ratio = statistics.median(after / before for before, after in pairs)
        spread = ", ".join(f"{after / before:.3f}" for before, after in pairs)
        print(f"{row:35} x {ratio:.3f}   ({spread})", flush=True)
        slower += [row] * (ratio > LIMIT)
    print(f"above {LIMIT}:", ", ".join(slower) or "none")


if __name__ == "__main__":
    main()
