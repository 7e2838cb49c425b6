"""Scenario files: YAML 1.2 in, a checked study out, or every error at once with its line."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import ValidationError

from oversight.core.config import nearest
from oversight.core.errors import Problem, ScenarioError
from oversight.core.files import write
from oversight.core.messages import clipped, message_of
from oversight.core.plugins import GROUPS, plugins
from oversight.studies.sections import SCHEMA, future
from oversight.studies.study import Study
from oversight.studies.yaml_source import as_mapping, read
from oversight.worlds.tree_files import FileTree, as_json

MOST_PROBLEMS = 50
"""Problems that are reported at once."""


def shipped() -> Path:
    """The folder of shipped scenarios: in the installed package, or in a checkout."""
    inside = Path(__file__).parents[1] / "scenarios"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "scenarios"


def names() -> list[str]:
    """The shipped scenarios by name."""
    return sorted(path.stem for path in shipped().glob("*.yaml"))


def find(scenario: str | Path) -> Path:
    """The file meant by a path or the name of a shipped scenario."""
    path = Path(scenario)
    own = path.suffix == "" and path.parent == Path(".")
    try:
        if path.is_file():
            return path
        if own and (shipped() / f"{path.name}.yaml").is_file():
            return shipped() / f"{path.name}.yaml"
        message = (
            "is a folder; expected a scenario file" if path.is_dir() else _no_scenario(path.stem)
        )
    except (OSError, ValueError) as error:  # a name that no file can have
        message = f"no such file: {getattr(error, 'strerror', None) or 'not a name of one'}"
    raise ScenarioError([Problem(clipped(str(scenario)), 0, "", message)])


def _no_scenario(name: str) -> str:
    """Why a name is none of a scenario, and what might have been meant."""
    for group in GROUPS:
        if name in plugins(group).loaded:
            noun = plugins(group).noun
            return (
                f"is a {noun}, and no scenario; `oversight list {name}` shows it, and "
                "`oversight list scenarios` what can be run"
            )
    return f"no such file or shipped scenario; {nearest(name, names())}"


def load(scenario: str | Path) -> Study:
    """The study in a scenario file; the name of a shipped one will do.

    Raises ScenarioError with every problem at once, each with file and line.
    """
    path = find(scenario)
    source = read(path)
    plain = dict(as_mapping(source))
    version = plain.get("oversight")
    if isinstance(version, int) and version > SCHEMA:
        # Nothing else in it can be judged by this program.
        raise ScenarioError([source.problem(future(version), ("oversight",))])
    problems = []
    if version is None:
        message = f"missing; expected oversight: {SCHEMA}, the version of the file format"
        problems.append(Problem(str(path), 1, "oversight", message))
        plain["oversight"] = SCHEMA
    try:
        study = Study.model_validate({"name": path.stem, **plain}, context={"folder": path.parent})
    except ValidationError as error:
        lines = error.errors(include_url=False)
        problems += [
            source.problem(message_of(line), line["loc"]) for line in lines[:MOST_PROBLEMS]
        ]
        if len(lines) > MOST_PROBLEMS:
            more = f"and {len(lines) - MOST_PROBLEMS:,} more problems"
            problems.append(Problem(str(path), 0, "", more))
    if problems:
        raise ScenarioError(sorted(problems, key=lambda p: p.line or math.inf))
    return study


def written(study: Study, folder: Path | None = None) -> str:
    """A study as the text of a scenario file, every default written out. With a folder that the
    text is to lie in, what the study read from files is put there too."""
    import io

    from ruamel.yaml import YAML

    sections = study.resolved()
    tree = getattr(study.world, "tree", None)
    if folder is not None and isinstance(tree, FileTree):
        sections["world"]["tree"]["path"] = "tree.json"
        write(folder / "tree.json", as_json(tree.tree))
    # Off unless they are there.
    for section in ("baseline", "desk", "sweep", "design", "sensitivity", "strategies", "play"):
        if not sections[section]:
            del sections[section]
    text = io.StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(sections, text)
    return text.getvalue()
