"""The program against today's alternatives, side by side in one run, as ratios: python -m
benchmarks.speed"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import oversight
from benchmarks import alternatives
from mechanisms.debate import Debate
from mechanisms.decomposition import Decomposition
from oversight import ByHeight, Claims, ModelSettings, Overseer, PeopleSettings, Setting
from oversight.overseers.reward_model import RewardModel
from oversight.running.replicate import run_replicate
from oversight.worlds.concept import ConceptWorld
from oversight.worlds.tree_files import BalancedTree

TURNS, REPEATS, MANY, FEW = 10, 7, 100_000, 2_000


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, ours: list[float], theirs: list[float], unit: str = "/s") -> None:
    """Rates of an alternative beside ours."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"  {name:42}{statistics.median(theirs):14,.0f}{unit}   x {ratio:8.2f}")


def people() -> Setting:
    accuracy = ByHeight(root=0.7, leaf=0.92)
    return Setting(
        PeopleSettings(accuracy=accuracy, structure=0.6),
        ModelSettings(accuracy=ByHeight(root=1.0, leaf=1.0)),
    )


def labels(protocol: Overseer, depth: int, replicate: int) -> float:
    """Label accuracy; items, truths and labels drawn."""
    gates = ("or", "and")[:depth]
    tree = BalancedTree(branching=3, depth=depth, gates=gates)
    world = ConceptWorld(train_items=MANY, features=2, ceiling=1.0, decomposability=1.0, tree=tree)
    pool = world.pool(1, replicate, "train")
    verdicts = protocol.prepare(pool, people()).assess(pool.roots)
    return float(np.mean(verdicts.answer == pool.intended))


def naive_draws(normals: int) -> None:
    """What drawing that many normals an item takes, and nothing else."""
    generator = np.random.Generator(np.random.PCG64DXSM(1))
    for _ in range(normals):
        generator.standard_normal(MANY)


def debates() -> None:
    debate = Debate(turns=TURNS)
    ours, rates = [], {name: [] for name in ("python", "simpy", "mesa", "draws")}
    labels(debate, 0, 0)
    for i in range(REPEATS):
        ours.append(MANY / seconds(lambda i=i: labels(debate, 0, i + 1)))
        for name, work in (
            ("python", alternatives.debates_in_python),
            ("simpy", alternatives.debates_in_simpy),
            ("mesa", alternatives.debates_in_mesa),
        ):
            rates[name].append(FEW / seconds(lambda w=work: w(FEW, TURNS)))
        # Margin, misconception, the judge's noise; evidence and rhetoric of every argument.
        rates["draws"].append(MANY / seconds(lambda: naive_draws(3 + 4 * TURNS)))
    right = [
        f(20_000, TURNS) for f in (alternatives.debates_in_python, alternatives.debates_in_mesa)
    ]
    print(f"flat debates of {TURNS} turns: {statistics.median(ours):,.0f}/s")
    row("(a) pure Python per item", ours, rates["python"])
    row("(b) one simpy process per item", ours, rates["simpy"])
    row("(c) a Mesa model", ours, rates["mesa"])
    row(f"(e) drawing {3 + 4 * TURNS} normals an item", ours, rates["draws"])
    print(f"  accuracy {labels(debate, 0, 1):.3f}, theirs {right[0]:.3f}, {right[1]:.3f}")


def decompositions() -> None:
    hard = Decomposition(aggregate="hard")
    ours, python, draws = [], [], []
    labels(hard, 2, 0)
    for i in range(REPEATS):
        ours.append(MANY / seconds(lambda i=i: labels(hard, 2, i + 1)))
        python.append(FEW / seconds(lambda: alternatives.decompositions_in_python(FEW)))
        # Root margin and misconception; margin, misconception and noise of nine leaves.
        draws.append(MANY / seconds(lambda: naive_draws(2 + 3 * 9)))
    print(f"hard decompositions, 3 x 3 leaves: {statistics.median(ours):,.0f}/s")
    row("(a) pure Python per item", ours, python)
    row("(e) drawing 29 normals an item", ours, draws)


def reward_models() -> None:
    """A reward model on 300 claims of 32 features."""
    from sklearn.linear_model import LogisticRegression

    pool = ConceptWorld().pool(1, 0, "train")
    claims = Claims.of(np.arange(300), 5)
    belief = np.clip(np.random.default_rng(1).random(300), 0.02, 0.98)
    x = pool.features(claims)
    twice, both = np.vstack([x, x]), np.concatenate([np.ones(300), np.zeros(300)])
    weights = np.concatenate([belief, 1 - belief])
    ours, theirs = [], []
    for _ in range(20 * REPEATS):
        ours.append(1 / seconds(lambda: RewardModel().fit(pool, claims, belief)))
        theirs.append(1 / seconds(lambda: LogisticRegression().fit(twice, both, weights)))
    print(f"reward-model fits, 300 x 32: {statistics.median(ours):,.0f}/s")
    row("(d) scikit-learn", ours, theirs)


def cells() -> None:
    """Whole cells of quickstart beside the machine's own limit."""
    study = oversight.load("quickstart")
    run_replicate(study, 0)
    took = [seconds(lambda n=n: run_replicate(study, n)) for n in range(REPEATS)]
    x, w = np.random.default_rng(1).standard_normal((4000, 32)), np.zeros((32, 8))
    product = statistics.median(seconds(lambda: x @ w) for _ in range(200))
    normals = statistics.median(
        seconds(lambda: np.random.default_rng(1).standard_normal(1_000_000)) for _ in range(9)
    )
    print(f"whole cells of quickstart: {len(study.cells) / statistics.median(took):,.1f}/s a core")
    print(f"  (e) {1e6 / normals:,.0f} normals/s; 4000 x 32 times 32 x 8 in {1e6 * product:.0f} us")


def two_processes() -> None:
    """-j 2 against -j 1, with processes that must start and with some that are there."""
    study = oversight.load("quickstart")
    print("replicates of quickstart, two processes against one")
    for replicates in (120, 240):
        longer = study.model_copy(update={"replicates": replicates})
        ratios, warm = [], []
        for _ in range(3):
            one = seconds(lambda s=longer: oversight.compare(s))
            ratios.append(one / seconds(lambda s=longer: oversight.compare(s, jobs=2)))
            with ProcessPoolExecutor(2) as pool:
                list(pool.map(abs, range(64)))
                oversight.compare(study.model_copy(update={"replicates": 4}), executor=pool)
                two = seconds(lambda s=longer, p=pool: oversight.compare(s, executor=p))
                warm.append(one / two)
        whole, ready = statistics.median(ratios), statistics.median(warm)
        print(f"  {replicates}: start-up included x {whole:.2f}, workers warm x {ready:.2f}")


COST = """
import resource, sys, time, oversight
from oversight import Study
cells = int(sys.argv[1])
study = Study(replicates=cells // 2, world={"train_items": 50, "test_items": 50, "features": 4},
              protocols={"unaided": "direct", "debate": "debate"})
oversight.compare(study.model_copy(update={"replicates": 20}))
start = time.perf_counter()
results = oversight.compare(study, out=sys.argv[2])
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def many() -> None:
    """Cost per cell and the parent's memory, of a small world."""
    print("from 10^2 to 10^5 cells (a world of 50 items, kept in a folder)")
    for cells in (100, 1000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", COST, str(cells), str(Path(folder) / "out")]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        took, peak = map(float, done.stdout.split())
        print(f"  {cells:7,} cells: {1e3 * took / cells:5.2f} ms a cell, peak {peak:4.0f} MiB")


if __name__ == "__main__":
    with threadpool_limits(1):
        debates()
        decompositions()
        reward_models()
        cells()
    two_processes()
    if "--many" in sys.argv:
        many()
