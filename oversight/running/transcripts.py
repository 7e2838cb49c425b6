"""What happened in one replicate, to be looked at: a few items under each protocol, and who worked
on what when."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from oversight.components.wrappers import as_role
from oversight.core.claims import Claims, Trace, Verdicts
from oversight.desk.staffed import Staffed
from oversight.desk.timetable import Timetable
from oversight.overseers.attack import prepared
from oversight.studies.study import Study
from oversight.worlds.base import Pool

ITEMS = 3
"""Items that a transcript shows."""


def transcripts(study: Study, replicate: int = 0, items: int = ITEMS) -> dict[str, str]:
    """By protocol, what happened on the first `items` of a replicate, as text with the numbers of
    the run. A protocol that fails has its error instead."""
    texts = {}
    for name, protocol in study.cells.items():
        head = f"{name}\n{study.name}, seed {study.seed}, replicate {replicate}\n\n"
        try:
            pool = study.pool(replicate, "train")
            chosen = np.arange(min(items, pool.draws.items))
            ready = prepared(protocol, pool, study.setting).protocol
            verdicts = ready.assess(Claims.of(chosen, traced=True))
            texts[name] = head + "\n\n".join(_item(int(i), verdicts, pool) for i in chosen) + "\n"
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # reported where the run reports it too
            texts[name] = f"{head}failed: {type(error).__name__}: {error}\n"
    return texts


def timetables(study: Study, replicate: int = 0) -> Iterator[tuple[str, Timetable]]:
    """Who worked on what when, by protocol, at the study's desk; none of a protocol that fails."""
    assert study.desk is not None
    for name, protocol in study.cells.items():
        try:
            pool = study.pool(replicate, "train")
            staffed = Staffed(inner=protocol, desk=study.desk)
            ready = prepared(staffed, pool, study.setting).protocol
        except KeyboardInterrupt:
            raise
        except BaseException:  # reported where the run reports it too
            continue
        yield name, as_role(ready, Staffed).timetable


def _item(i: int, verdicts: Verdicts, pool: Pool) -> str:
    gold, answer = _word(pool.gold[i]), _word(verdicts.answer[i])
    first = (
        f"item {i}: gold {gold}, label {answer} ({'right' if gold == answer else 'wrong'}), "
        f"belief {verdicts.belief[i]:.2f}, {verdicts.minutes[i]:.3g} min, "
        f"{verdicts.calls[i]:.3g} calls"
    )
    lines = _lines(verdicts.trace, i) if verdicts.trace else ()
    return "\n".join([first, *("  " + line for line in lines)])


def _lines(trace: Trace, item: int) -> Iterator[str]:
    yield trace.title
    for key, values in trace.facts.items():
        array = np.asarray(values)
        yield f"  {key}: {_value(array[..., item] if array.ndim else array[()])}"
    for part in trace.parts:
        for line in _lines(part, item):
            yield "  " + line


def _value(value: npt.ArrayLike) -> str:
    array = np.asarray(value)
    if array.ndim:
        return ", ".join(map(_value, array))
    if array.dtype == np.bool_:
        return _word(bool(array))
    if np.issubdtype(array.dtype, np.floating):
        return f"{float(array):+.2f}"
    return str(value)


def _word(value: bool) -> str:
    return "yes" if value else "no"
