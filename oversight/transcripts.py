"""Readable transcripts: what happened to a few items under each protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from oversight.claims import Claims, Trace
from oversight.study import Study

ITEMS = 3


def transcripts(study: Study, replicate: int = 0, items: int = ITEMS) -> dict[str, str]:
    """A text a protocol on the first items of a replicate: the same numbers as in the run, told
    aloud."""
    pool = study.world.pool(study.seed, replicate, "train")
    chosen = np.arange(min(items, pool.draws.items))
    texts = {}
    for name, protocol in study.cells.items():
        try:
            prepared = protocol.prepare(pool, study.setting)
            verdicts = prepared.assess(Claims.of(chosen, traced=True))
        except Exception as error:  # told where the run tells it too
            texts[name] = f"{name}\n\nfailed: {type(error).__name__}: {error}\n"
            continue
        lines = [f"{name}", f"{study.name}, seed {study.seed}, replicate {replicate}", ""]
        for i in chosen:
            gold, answer = _word(pool.gold[i]), _word(verdicts.answer[i])
            mark = "right" if gold == answer else "wrong"
            lines.append(
                f"item {i}: gold {gold}, label {answer} ({mark}), belief {verdicts.belief[i]:.2f}, "
                f"{verdicts.minutes[i]:.3g} min, {verdicts.calls[i]:.3g} calls"
            )
            if verdicts.trace:
                lines += ["  " + line for line in _told(verdicts.trace, int(i))]
            lines.append("")
        texts[name] = "\n".join(lines)
    return texts


def _told(trace: Trace, item: int) -> Iterator[str]:
    yield trace.title
    for key, values in trace.facts.items():
        yield f"  {key}: {_value(np.asarray(values)[..., item])}"
    for part in trace.parts:
        for line in _told(part, item):
            yield "  " + line


def _value(value: Any) -> str:
    if np.asarray(value).dtype == np.bool_:
        return _word(bool(value))
    if np.issubdtype(np.asarray(value).dtype, np.floating):
        return f"{float(value):+.2f}"
    return str(value)


def _word(value: bool) -> str:
    return "yes" if value else "no"
