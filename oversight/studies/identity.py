"""What decides the numbers of a cell, as text: results are kept under it and found again by it.

It covers the scenario as far as it decides numbers, the engine's own code, the code of mechanisms,
failures, worlds and students that are not the engine's, and the versions of the libraries that draw
and fit. Options left at their defaults are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from oversight.components.component import Component
from oversight.components.overseer import Overseer
from oversight.core.config import Config, default_of
from oversight.failures.injection import Injection
from oversight.studies.cases import Case, cells_of, unaided_of
from oversight.studies.fingerprint import installed, of_class, of_engine
from oversight.studies.sections import Scenario

DECIDE = ("seed", "world", "overseer", "model", "student")
"""The sections that decide the numbers of every protocol; the desk does where there is one."""
LIBRARIES = ("oversight-simulator", "numpy", "scipy")
AT_A_DESK = ("simpy",)


def of_study(study: Scenario) -> str:
    """What decides the numbers of every case alike."""
    libraries = LIBRARIES if study.desk is None else LIBRARIES + AT_A_DESK
    code: dict[str, str] = {}
    for part in (study.world, study.student):
        code |= of_class(type(part))
    if (baseline := _other_baseline(study)) is not None:
        code |= _codes(baseline)
    return _text(
        {
            "study": of_replicate(study),
            "versions": {name: installed(name) for name in libraries},
            "engine": of_engine(),
            "code": code,
        }
    )


def of_case(study: Scenario, case: Case) -> str:
    """What decides the numbers of one case: the protocol and the failure it suffers, not their
    names."""
    protocol = cells_of(study.protocols, study.world)[case.protocol]
    decides: dict[str, object] = {"protocol": protocol.identity()}
    code = _codes(protocol)
    if case.failure:
        injected = study.failures[case.failure]
        decides |= {"failure": injected.described(), "severity": case.severity}
        for failure in injected.together:
            code |= of_class(type(failure))
    return _text({**decides, "code": code})


def of_replicate(study: Scenario) -> str:
    """A digest, 32 hexadecimal digits, of what decides the numbers of a replicate apart from
    protocols: not the study's name or how many replicates it has, and no option that is left at its
    default."""
    decides = {key: _changed_options(getattr(study, key)) for key in DECIDE}
    if study.desk is not None:
        decides["desk"] = _changed_options(study.desk)
    if (baseline := _other_baseline(study)) is not None:
        decides["baseline"] = baseline.identity()
    return _digest(study, decides)


def _other_baseline(study: Scenario) -> Overseer | None:
    """The protocol whose labels are "weak", where it is not the unaided overseer."""
    if study.baseline in (None, unaided_of(study.protocols)):
        return None
    return study.protocols[study.baseline]


def resolved(value: object) -> Any:
    """A study, or a part of one, as plain data that a file can hold, with every default written
    out."""
    if isinstance(value, Injection):
        return resolved(value.written())
    if isinstance(value, Component):
        knobs = {key: resolved(getattr(value, key)) for key in type(value).file_keys()}
        return {value.name: {key: knob for key, knob in knobs.items() if knob is not None}}
    if isinstance(value, Config):
        return {key: resolved(getattr(value, key)) for key in type(value).file_keys()}
    if isinstance(value, Mapping):
        return {key: resolved(below) for key, below in value.items()}
    if isinstance(value, tuple | list):
        return [resolved(below) for below in value]
    return value


def _changed_options(value: object) -> object:
    """As `resolved`, without what is left at its default."""
    if not isinstance(value, Config) or isinstance(value, Component):
        return resolved(value)
    changed = {}
    for key in type(value).file_keys():
        own, default = getattr(value, key), default_of(value, key)
        if key == "kind" or resolved(own) != resolved(default):
            changed[key] = _changed_options(own)
    return changed


def _digest(study: Scenario, decides: dict[str, object]) -> str:
    tree = study.world.task_tree
    decides["tree"] = [
        tree.children,
        [gate and (gate.table, gate.repeat) for gate in tree.gate],
        tree.leaf_prior,
    ]
    text = json.dumps(decides, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _text(decides: dict[str, object]) -> str:
    return json.dumps(decides, sort_keys=True, ensure_ascii=False)


def _codes(component: Component) -> dict[str, str]:
    """By module, a digest of the code of every class in a protocol."""
    code = of_class(type(component))
    for _, part in component.slots():
        code |= _codes(part)
    return code
