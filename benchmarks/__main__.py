"""Measures the program against today's alternatives, as ratios in one run: python -m benchmarks.

Each pair is run in turn several times; what is printed are medians. Nothing is asserted: machines
are noisy. Needs the extra: pip install '.[bench]'.
"""

from __future__ import annotations

import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import simpy
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import oversight
from mechanisms.debate import Debate
from oversight import ByHeight, ModelSettings, PeopleSettings, Setting
from oversight.probe import fit_probes
from oversight.treefiles import BalancedTree
from oversight.worlds.concept import ConceptWorld

TURNS, REPEATS = 10, 5
R = math.cos(math.pi * 0.3)  # a judge who is right 7 times in 10
SHARED, OWN = math.sqrt(0.6), math.sqrt(0.4)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def judged(luck: random.Random) -> tuple[float, bool]:
    """One item's judge before the debate, in plain Python: log-odds, and the truth."""
    margin, misconception = luck.gauss(0, 1), luck.gauss(0, 1)
    error = SHARED * misconception + OWN * luck.gauss(0, 1)
    seen = R * margin + math.sqrt(1 - R * R) * error
    chance = phi(R * seen / math.sqrt(1 - R * R))
    return math.log(chance / (1 - chance)), margin > 0


def argued(luck: random.Random, side: bool, truth: bool) -> float:
    mean = 0.5 if side == truth else -0.5
    evidence, rhetoric = luck.gauss(mean, 1), luck.gauss(0, 1)
    return 0.5 * evidence + math.sqrt(0.75) * rhetoric


def plain_python(items: int) -> float:
    """Flat debates, an item at a time."""
    luck, right = random.Random(1), 0
    for _ in range(items):
        belief, truth = judged(luck)
        for _ in range(TURNS):
            belief += 0.6 * (argued(luck, True, truth) - argued(luck, False, truth))
        right += (belief > 0) == truth
    return right / items


def simpy_processes(items: int) -> float:
    """Flat debates, a simpy process each, a turn an event."""
    luck, outcomes = random.Random(1), []
    environment = simpy.Environment()

    def debate(env):  # type: ignore[no-untyped-def]
        belief, truth = judged(luck)
        for _ in range(TURNS):
            yield env.timeout(1)
            belief += 0.6 * (argued(luck, True, truth) - argued(luck, False, truth))
        outcomes.append((belief > 0) == truth)

    for _ in range(items):
        environment.process(debate(environment))
    environment.run()
    return float(np.mean(outcomes))


def arrays(items: int, replicate: int) -> float:
    """The program: the same debates, items as an array axis, items and truths drawn as well."""
    lone = BalancedTree(depth=0, gates=())
    world = ConceptWorld(train_items=items, features=2, ceiling=1.0, tree=lone)
    people = PeopleSettings(accuracy=ByHeight(root=0.7, leaf=0.7), structure=0.6)
    work = Setting(people, ModelSettings(accuracy=ByHeight(root=1.0, leaf=1.0)))
    pool = world.pool(1, replicate, "train")
    verdicts = Debate(turns=TURNS).prepare(pool, work).assess(pool.roots)
    return float(np.mean(verdicts.answer == pool.intended))


def debates() -> None:
    many, few, ours, loop, processes = 100_000, 2_000, [], [], []
    arrays(1000, 0)
    rights = [arrays(many, 1), plain_python(20_000), simpy_processes(20_000)]
    for repeat in range(REPEATS):
        ours.append(many / timed(lambda r=repeat: arrays(many, r + 2)))
        loop.append(few / timed(lambda: plain_python(few)))
        processes.append(few / timed(lambda: simpy_processes(few)))
    ratios = [
        statistics.median(a / b for a, b in zip(ours, other, strict=True))
        for other in (loop, processes)
    ]
    print(f"flat debates of {TURNS} turns, 2 x {TURNS} arguments (label accuracy)")
    print(f"  this program          {statistics.median(ours):12,.0f}/s      ({rights[0]:.3f})")
    for name, rates, ratio, right in (
        ("pure Python loop", loop, ratios[0], rights[1]),
        ("a simpy process each", processes, ratios[1], rights[2]),
    ):
        print(f"  {name:22}{statistics.median(rates):12,.0f}/s   x {ratio:6.0f} ({right:.3f})")


def planted(items: int, features: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal features and hard labels by overseers who are right from 6 to 10 times in 10."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((items, features))
    labels = np.empty((items, columns))
    for i, accuracy in enumerate(np.linspace(0.6, 1.0, columns)):
        angle = math.pi * (1 - accuracy)
        seen = math.cos(angle) * x[:, 0] + math.sin(angle) * rng.standard_normal(items)
        labels[:, i] = (seen > 0) ^ (rng.random(items) < 0.05)
    return x, labels


def quickstart_labels() -> tuple[np.ndarray, np.ndarray]:
    """What a replicate of quickstart fits: the beliefs of its seven protocols, and gold."""
    study = oversight.load("quickstart")
    pool = study.world.pool(study.seed, 0, "train")
    beliefs = [
        protocol.prepare(pool, study.setting).assess(pool.roots).belief
        for protocol in study.cells.values()
    ]
    return pool.x, np.stack([*beliefs, pool.gold.astype(float)], axis=1)


def probes(what: str, x: np.ndarray, labels: np.ndarray) -> None:
    columns, soft = labels.shape[1], bool(((labels > 0) & (labels < 1)).any())
    ones, zeros = np.ones(len(x)), np.zeros(len(x))

    def fit(label: np.ndarray, **settings: float) -> LogisticRegression:
        model = LogisticRegression(**settings)
        if not soft:
            return model.fit(x, label)
        # scikit-learn takes no soft labels: every item twice, weighted.
        twice, both = np.vstack([x, x]), np.concatenate([ones, zeros])
        return model.fit(twice, both, np.concatenate([label, 1 - label]))

    def one_by_one(**settings: float) -> list[LogisticRegression]:
        return [fit(labels[:, i], **settings) for i in range(columns)]

    ours, theirs = [], []
    fit_probes(x, labels)
    for _ in range(2 * REPEATS + 1):
        ours.append(timed(lambda: fit_probes(x, labels)))
        theirs.append(timed(one_by_one))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    w, b = fit_probes(x, labels)
    found = x @ w + b
    default, exact = (
        np.stack([model.decision_function(x) for model in models], axis=1)
        for models in (one_by_one(), one_by_one(tol=1e-10, max_iter=5000))
    )
    differ, theirs_differ = (np.mean((f > 0) != (exact > 0)) for f in (found, default))
    off, theirs_off = (np.abs(f - exact).max() for f in (found, default))
    print(
        f"probe fits, {what}: {1e3 * statistics.median(ours) / columns:.2f} ms a fit, scikit-learn "
        f"{1e3 * statistics.median(theirs) / columns:.2f} ms: x {ratio:.1f}\n"
        f"  off the converged fit: {differ:.4%} of predictions, log-odds by at most {off:.4f} "
        f"(scikit-learn as it comes: {theirs_differ:.4%}, {theirs_off:.4f})"
    )


PEAK = """
import resource, sys, oversight
study = oversight.load("quickstart").model_copy(update={"replicates": int(sys.argv[1])})
oversight.compare(study)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory() -> None:
    print("peak memory of quickstart")
    for replicates in (5, 20, 80):
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(replicates)],
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"  {replicates:3} replicates {float(done.stdout):7.0f} MiB")


def whole() -> None:
    print("oversight compare quickstart, 20 replicates, start-up included")
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "oversight", "compare", "quickstart", "-j", jobs]
        took = [
            timed(lambda c=command: subprocess.run(c, capture_output=True, check=True))
            for _ in range(3)
        ]
        print(f"  -j {jobs}: {statistics.median(took):.1f} s")


if __name__ == "__main__":
    with threadpool_limits(1):
        debates()
        probes("a replicate of quickstart (4000 x 32, 8 label sets, soft)", *quickstart_labels())
        for size in ((4000, 32, 8), (5000, 64, 8), (5000, 64, 32)):
            probes("{} x {}, {} label sets, hard".format(*size), *planted(*size))
    memory()
    whole()
