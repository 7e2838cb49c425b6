"""Measures the program against today's alternatives, as ratios in one run: python -m benchmarks.

Each pair is run in turn several times; what is printed are medians. Nothing is asserted: machines
are noisy. Needs the extra: pip install '.[bench]'. `python -m benchmarks.speed --many` also runs up
to 10^5 cells.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import oversight
from benchmarks import speed
from benchmarks.speed import seconds as timed
from benchmarks.students import students
from oversight.students.probe import fit_probes

REPEATS = 5
AS_CLOSE = 1e-5
"""The tolerance at which scikit-learn comes about as close to the converged fit as we do."""


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

    ours, theirs, closer = [], [], []
    fit_probes(x, labels)
    for _ in range(2 * REPEATS + 1):
        ours.append(timed(lambda: fit_probes(x, labels)))
        theirs.append(timed(one_by_one))
        closer.append(timed(lambda: one_by_one(tol=AS_CLOSE)))
    ratio, as_close = (
        statistics.median(b / a for a, b in zip(ours, each, strict=True))
        for each in (theirs, closer)
    )
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
        f"{1e3 * statistics.median(theirs) / columns:.2f} ms: x {ratio:.1f}; "
        f"as close as ours x {as_close:.1f}\n"
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
        speed.debates()
        speed.decompositions()
        speed.reward_models()
        speed.cells()
        probes("a replicate of quickstart (4000 x 32, 8 label sets, soft)", *quickstart_labels())
        for size in ((4000, 32, 8), (5000, 64, 8), (5000, 64, 32)):
            probes("{} x {}, {} label sets, hard".format(*size), *planted(*size))
        students()
    memory()
    whole()
    speed.two_processes()
