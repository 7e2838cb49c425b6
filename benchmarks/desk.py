"""What a desk costs: quickstart with one against quickstart without, in turn: python -m
benchmarks.desk"""

from __future__ import annotations

import statistics
import time

from threadpoolctl import threadpool_limits

import oversight
from oversight import Desk, Study
from oversight.running.replicate import run_replicate

REPEATS = 15


def seconds(study: Study, number: int) -> float:
    start = time.perf_counter()
    done = run_replicate(study, number)
    assert not done.failed, done.failed[0].traceback
    return time.perf_counter() - start


def main() -> None:
    plain = oversight.load("quickstart")
    desks = {
        "the default desk, no budget": Desk(),
        "a budget of 400 hours": Desk(hours=400),
        "a budget and nothing else": Desk.plain(400),
        "sittings of half an hour": Desk(sitting=30),
        "people who differ": Desk(skill_sd=0.3),
    }
    run_replicate(plain, 0)
    for name, desk in desks.items():
        study = plain.changed(desk=desk)
        run_replicate(study, 0)
        pairs = [(seconds(study, n), seconds(plain, n)) for n in range(REPEATS)]
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        print(f"quickstart with {name:30} x {ratio:.2f} the time of quickstart without")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
