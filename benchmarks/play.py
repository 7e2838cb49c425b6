"""What a game costs: ten protocols of quickstart against twelve strategies: python -m
benchmarks.play"""

from __future__ import annotations

import time
from itertools import product
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import oversight

MORE = {
    "the model": {"direct": {"overseer": "model"}},
    "audit": {"audit": {"of": {"direct": {"overseer": "model"}}, "share": 0.2}},
    "critique": {"critique": {"candidates": 4}},
}
PLACES = ("random rate", "judge_weak rate", "judge_weak everything", "pivotal rate")
REPLICATES, PROCESSES = 10, 2


def main() -> None:
    strategies = {
        "bluff": {"states": "bluff"},
        "bluff apart": {"states": "bluff", "copies": "apart"},
    }
    for place, copies in product((*PLACES, "unwatched coins"), ("together", "apart")):
        picks, knows = place.split()
        strategies[f"{place} {copies}"] = {"picks": picks, "knows": knows, "copies": copies}
    plain = oversight.load("quickstart")
    protocols = {**plain.cells, **MORE}
    study = plain.changed(protocols=protocols, strategies=strategies, replicates=REPLICATES)
    start = time.perf_counter()
    played = oversight.play(study, jobs=PROCESSES)
    took = time.perf_counter() - start
    busy = sum(
        getrusage(who).ru_utime + getrusage(who).ru_stime for who in (RUSAGE_SELF, RUSAGE_CHILDREN)
    )
    size = f"{len(protocols)} protocols x {len(strategies)} strategies x {REPLICATES} replicates"
    cells = REPLICATES * (len(played.results.cases) + len(played.worst_cases()))
    print(
        f"{size}: {took:.1f} s on {PROCESSES} processes, {busy:.1f} s of work, {cells:,} cells run"
    )


if __name__ == "__main__":
    main()
