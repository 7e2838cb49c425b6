"""A JSON Schema of scenario files, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oversight.components.profiles import ByHeight, Strategy
from oversight.core.config import Config
from oversight.core.plugins import plugins
from oversight.overseers.slots import AGENTS, overseers
from oversight.studies.study import Study
from oversight.worlds.tree_files import BalancedTree, FileTree

LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""What JSON Schema calls the limits that pydantic leaves as they are where a function checks them
too."""
Json = dict[str, Any]
"""A part of a schema."""
HOME = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Json:
    """The schema of a scenario file with the plugins that are installed."""
    definitions: Json = {}
    study = _of(Study, definitions)
    for kind in (ByHeight, Strategy, BalancedTree, FileTree):
        definitions[kind.__name__] = _of(kind, definitions)
    definitions["overseer"] = _choice(overseers().loaded, definitions)
    definitions["agent"] = _choice(AGENTS.loaded, definitions)
    definitions["world"] = {"anyOf": _all("worlds", definitions)}
    definitions["student"] = {"anyOf": _all("students", definitions)}
    definitions["failure"] = _failures(definitions)
    study["properties"]["oversight"] = {"const": 1, "description": "version of the file format"}
    study["properties"]["protocols"]["minProperties"] = 1
    study["required"] = ["oversight", "protocols"]
    study.pop("title", None)
    whole = {"$schema": HOME, "title": "oversight scenario", **study, "$defs": definitions}
    return dict(_linked(whole))


def _linked(node: object) -> Any:
    """Slots name what may stand there as "x-ref"; here these become references, and limits get
    their names."""
    if isinstance(node, dict):
        for limit, name in LIMITS.items():
            if isinstance(node.get(limit), int | float):  # a knob may have that name
                value = node.pop(limit)
                node.setdefault(name, value)
        if "x-ref" in node:
            rest = {key: value for key, value in node.items() if key != "x-ref"}
            return {"$ref": f"#/$defs/{node['x-ref']}", **_linked(rest)}
        return {key: _linked(value) for key, value in node.items()}
    return [_linked(part) for part in node] if isinstance(node, list) else node


def _of(kind: type[Config], definitions: Json) -> Json:
    """A model's schema without keys that a file may not write; what it refers to is put aside."""
    described = kind.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(described.pop("$defs", {}))
    described["properties"] = {
        key: value
        for key, value in described.get("properties", {}).items()
        if key in kind.file_keys()
    }
    return described


def _choice(kinds: Mapping[str, type[Config]], definitions: Json) -> Json:
    """One of several components: its bare name, or its name with knobs."""
    written = []
    for name, kind in sorted(kinds.items()):
        definitions[name] = {"anyOf": [_of(kind, definitions), {"type": "null"}]}
        knobs = {"$ref": f"#/$defs/{name}"}
        written.append(
            {
                "type": "object",
                "properties": {name: knobs},
                "required": [name],
                "additionalProperties": False,
            }
        )
    return {"anyOf": [{"enum": sorted(kinds)}, *written]}


def _failures(definitions: Json) -> Json:
    """One failure of a kind, or several together; with the severities to try."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    severity = {"anyOf": [share, {"type": "array", "items": share, "minItems": 1}]}
    alone, kinds = [], []
    for name, kind in sorted(plugins("failures").loaded.items()):
        described = _of(kind, definitions)
        described["properties"]["kind"] = {"const": name}
        described["properties"]["on"]["enum"] = [*kind.can_strike, None]
        described["required"] = ["kind"]
        kinds.append(described)
        alone.append({**described, "properties": {**described["properties"], "severity": severity}})
    together = {
        "type": "object",
        "properties": {
            "together": {"type": "array", "items": {"anyOf": kinds}, "minItems": 1},
            "severity": severity,
        },
        "required": ["together"],
        "additionalProperties": False,
    }
    return {"anyOf": [*alone, together]}


def _all(group: str, definitions: Json) -> list[Json]:
    return [_of(kind, definitions) for _, kind in sorted(plugins(group).loaded.items())]
