"""Does the search beat blind luck? Run it with: python -m benchmarks.design [SEEDS]

On quickstart with 2,000 items, 160 protocols are tried on 2 replicates each by the search of
`oversight design` and by random search, from the same space; then both fronts on 10 fresh
replicates. Printed: the best PGR that a budget buys, averaged over budgets up to the dearest
hand-written protocol's 54 human minutes an item (hypervolume).
"""

from __future__ import annotations

import statistics
import sys

import oversight
from oversight.analyses.designing import design

FIRST = 100
"""Seeds below were used to choose the optimizer."""


def main(seeds: int) -> None:
    whole = oversight.load("quickstart")
    world = whole.world.model_copy(update={"train_items": 2000, "test_items": 2000})
    gains = []
    print("seed  search  random search  by hand")
    for seed in range(FIRST, FIRST + seeds):
        settings = oversight.Design(evaluations=160, replicates=2, seed=seed)
        study = whole.model_copy(update={"world": world, "replicates": 10, "design": settings})
        done = design(study, jobs=2)
        found = done.hypervolumes()
        gains.append(found)
        print(f"{seed:4}", *(f"{found[n]:{len(n)}.4f}" for n in found), sep="  ", flush=True)
    print("median", *(f"{n} {statistics.median(g[n] for g in gains):.4f}" for n in gains[0]))
    better = sum(g["search"] > g["random search"] for g in gains)
    print(f"search above random search in {better} of {seeds} seeds")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
