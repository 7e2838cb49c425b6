"""What decides the numbers of a cell, as text: results are kept under it and found again by it.

It covers the scenario as far as it decides numbers, the code of mechanisms, failures, worlds and
students that are not the engine's own, and the versions of the libraries that draw and fit. Options
left at their defaults are not part of it, so that a new option leaves old results as they are.
"""

from __future__ import annotations

import json
from typing import Any

from oversight.components.component import Component
from oversight.studies.fingerprint import installed, of_class
from oversight.studies.study import Case, Study

LIBRARIES = ("oversight-simulator", "numpy", "scipy")
AT_A_DESK = ("simpy",)


def of_study(study: Study) -> str:
    """What decides the numbers of every case alike."""
    libraries = LIBRARIES if study.desk is None else LIBRARIES + AT_A_DESK
    code: dict[str, str] = {}
    for part in (study.world, study.student):
        code |= of_class(type(part))
    return _text(
        {
            "study": study.identity(),
            "versions": {name: installed(name) for name in libraries},
            "code": code,
        }
    )


def of_case(study: Study, case: Case) -> str:
    """What decides the numbers of one case: the protocol and the failure it suffers, not their
    names."""
    protocol = study.cells[case.protocol]
    told: dict[str, Any] = {"protocol": protocol.identity()}
    code = _codes(protocol)
    if case.failure:
        injected = study.failures[case.failure]
        told |= {"failure": injected.described(), "severity": case.severity}
        for failure in injected.together:
            code |= of_class(type(failure))
    return _text({**told, "code": code})


def _text(told: dict[str, Any]) -> str:
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def _codes(component: Component) -> dict[str, str]:
    found = of_class(type(component))
    for _, part in component.slots():
        found |= _codes(part)
    return found
