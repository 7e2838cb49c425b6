"""Scenario files: YAML 1.2 in, a checked study out, or every error at once with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from oversight.core.config import nearest
from oversight.core.errors import Problem, ScenarioError
from oversight.core.messages import message_of
from oversight.studies.schema import SCHEMA, future
from oversight.studies.study import Study
from oversight.worlds.tree_files import FileTree, as_json

MOST_BYTES = 2_000_000
MOST_VALUES = 50_000


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
    if path.is_file():
        return path
    if path.is_dir():
        raise ScenarioError(
            [Problem(str(scenario), 0, "", "is a folder; expected a scenario file")]
        )
    if (
        path.suffix == ""
        and path.parent == Path(".")
        and (shipped() / f"{path.name}.yaml").is_file()
    ):
        return shipped() / f"{path.name}.yaml"
    hint = nearest(path.stem, names())
    raise ScenarioError(
        [Problem(str(scenario), 0, "", f"no such file or shipped scenario; {hint}")]
    )


def load(scenario: str | Path) -> Study:
    """The study in a scenario file; the name of a shipped one will do.

    Raises ScenarioError with every problem at once, each with file and line.
    """
    path = find(scenario)
    tree = _parse(path)
    if not isinstance(tree, dict):
        holds = "a list" if isinstance(tree, list) else "a single value"
        message = "is empty" if tree is None else f"holds {holds}"
        raise ScenarioError(
            [
                Problem(
                    str(path),
                    0,
                    "",
                    f"{message}; expected keys and values, see `oversight check --show quickstart`",
                )
            ]
        )
    try:
        plain = _plain(tree)
    except ValueError as error:
        raise ScenarioError([Problem(str(path), 0, "", str(error))]) from None
    version = plain.get("oversight")
    if isinstance(version, int) and version > SCHEMA:
        # Nothing else in it can be judged by this program.
        line, _ = _line(tree, ("oversight",))
        raise ScenarioError([Problem(str(path), line, "oversight", future(version))])
    problems = []
    if version is None:
        message = f"missing; expected oversight: {SCHEMA}, the version of the file format"
        problems.append(Problem(str(path), 1, "oversight", message))
        plain["oversight"] = SCHEMA
    try:
        study = Study.model_validate({"name": path.stem, **plain}, context={"folder": path.parent})
    except ValidationError as error:
        problems += [_problem(str(path), tree, line) for line in error.errors(include_url=False)]
    if problems:
        raise ScenarioError(sorted(problems, key=lambda p: p.line))
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
        (folder / "tree.json").write_text(as_json(tree.tree), encoding="utf-8")
    for section in ("desk", "sweep", "design", "sensitivity"):  # off unless they are there
        if not sections[section]:
            del sections[section]
    text = io.StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(sections, text)
    return text.getvalue()


def _parse(path: Path) -> object:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def fail(message: str, line: int = 0) -> ScenarioError:
        return ScenarioError([Problem(str(path), line, "", message)])

    try:
        if path.stat().st_size > MOST_BYTES:
            raise fail(
                f"a file of {path.stat().st_size:,} bytes; a scenario has at most {MOST_BYTES:,}"
            )
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise fail(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise fail("is not text in UTF-8; expected a YAML file") from None
    if "\x00" in text:
        raise fail("is a binary file; expected a YAML file")
    try:
        if "*" in text and _recursive(YAML(typ="rt").compose(text)):
            raise fail("an alias makes a value contain itself; a protocol cannot be part of itself")
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = str(error.problem or error.context).split("\n")[0]
        raise fail(f"is not YAML 1.2: {message}", mark.line + 1 if mark else 0) from None
    except RecursionError:
        raise fail("is nested too deeply") from None
    except (YAMLError, ValueError) as error:
        raise fail(
            f"is not YAML 1.2: {str(error).splitlines()[0] if str(error) else 'nested too deeply'}"
        ) from None


def _recursive(
    node: object, above: frozenset[int] = frozenset(), done: set[int] | None = None
) -> bool:
    """Whether a composed YAML node contains itself through an alias."""
    done = set() if done is None else done
    if id(node) in above:
        return True
    value = getattr(node, "value", None)
    if not isinstance(value, list) or id(node) in done:
        return False
    parts = [part for pair in value for part in (pair if isinstance(pair, tuple) else (pair,))]
    inside = any(_recursive(part, above | {id(node)}, done) for part in parts)
    done.add(id(node))
    return inside


def _plain(node: object, depth: int = 0, count: list[int] | None = None) -> Any:
    """Plain dicts, lists and scalars; refuses deep nesting, and aliases that multiply without
    end."""
    count = [0] if count is None else count
    count[0] += 1
    if count[0] > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values once aliases are written out")
    if isinstance(node, dict | list):
        if depth > 100:
            raise ValueError("values are nested more than 100 deep")
        if isinstance(node, dict):
            return {
                (k if isinstance(k, str) else str(k)): _plain(v, depth + 1, count)
                for k, v in node.items()
            }
        return [_plain(v, depth + 1, count) for v in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: object, loc: tuple[int | str, ...]) -> tuple[int, str]:
    """Line (from 1) and readable path of the deepest place in the file that `loc` leads to."""
    node, line, path = tree, 1, []
    for i, step in enumerate(loc):
        if isinstance(node, dict):
            key = next((k for k in node if str(k) == str(step)), None)
            if key is not None:
                line, node = node.lc.key(key)[0] + 1, node[key]  # type: ignore[attr-defined]
                path.append(str(step))
                continue
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            line, node = node.lc.item(step)[0] + 1, node[step]  # type: ignore[attr-defined]
            path.append(str(step))
            continue
        if i == len(loc) - 1:  # a key that should be there; steps of the program's own are left out
            path.append(str(step))
    return line, ".".join(path)


def _problem(file: str, tree: object, error: ErrorDetails) -> Problem:
    """What one error of a validation is in terms of the file."""
    line, path = _line(tree, error["loc"])
    return Problem(file, line, path, message_of(error))
