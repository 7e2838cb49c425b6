"""`oversight new KIND NAME`: the files that a plugin or a scenario of one's own starts from.

A plugin is a folder DIR/NAME with three files: a package that installs, one module, and a test that
holds it to its contract. A scenario is one file, DIR/NAME.yaml. The texts are in `templates/`.
"""

from __future__ import annotations

import builtins
import keyword
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from string import Template

import click

from oversight.cli.exits import fail, refuse
from oversight.cli.printing import stdout

TEMPLATES = Path(__file__).parent / "templates"
PLUGINS = {"mechanism": "mechanisms", "failure": "failures", "world": "worlds"}
"""The entry-point group of each kind of plugin."""

LONGEST = 40
OWN = {"oversight", "mechanisms", "scenarios", "test", "tests", "conftest", "setup"}
"""Module names that a plugin must not have, whatever is installed."""


@click.command()
@click.argument("kind", type=click.Choice([*PLUGINS, "scenario"]))
@click.argument("name")
@click.option(
    "--into", metavar="DIR", default=".", help="The folder to write it in; made if missing."
)
def new(kind: str, name: str, into: str) -> None:
    """Start a mechanism, a failure, a world or a scenario of your own."""
    problem = _plugin_problem(kind, name) if kind in PLUGINS else _scenario_problem(name)
    if problem:
        refuse(problem)
    target = Path(into) / (name if kind in PLUGINS else f"{name}.yaml")
    above = next(folder for folder in target.parents if os.path.lexists(folder))
    if not above.is_dir():
        refuse(f"{above} is a file; expected a folder after --into")
    if os.path.lexists(target):
        refuse(f"{target} exists; choose another name, or another folder with --into")
    files = _package(kind, name) if kind in PLUGINS else {"": _filled("scenario.yaml", name, kind)}
    try:
        _write(target, files)
    except OSError as error:
        from oversight.core.errors import MACHINE

        why = f"{target} cannot be written: {error.strerror or error}"
        if error.errno in MACHINE:
            fail(why)
        refuse(f"{why}; choose another with --into")
    for file in files:
        click.echo(f"wrote {target / file}", file=stdout())
    folder = str(target) if target.is_absolute() else os.path.join(".", target)
    click.echo(f"next:\n{_filled(f'next_{kind}', name, kind, folder)}", nl=False, file=stdout())


def class_name(name: str) -> str:
    """The class that a module of that name holds.

    >>> class_name("second_opinion")
    'SecondOpinion'
    """
    return "".join(part.capitalize() for part in name.split("_"))


def _scenario_problem(name: str) -> str | None:
    """Why a scenario cannot have this name, or None."""
    from oversight.studies.scenario import names

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) or len(name) > LONGEST:
        return (
            f"{name!r} is no name for a scenario; expected letters, digits, - and _, at most "
            f"{LONGEST}, such as 'my-question' (folders go into --into)"
        )
    if name in names():
        return f"{name!r} is a shipped scenario; choose another name, such as 'my-{name}'"
    return None


def _plugin_problem(kind: str, name: str) -> str | None:
    """Why a plugin cannot have this name, or None. Its name is also that of its module, and in
    capitals that of its class."""
    other = f"choose another name, such as {'my_' + name!r}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name.endswith("_") or len(name) > LONGEST:
        return (
            f"{name!r} is no name for a {kind}; expected small letters, digits and _, at most "
            f"{LONGEST}, such as {_likely(name)!r} (folders go into --into)"
        )
    if keyword.iskeyword(name) or keyword.iskeyword(class_name(name)):
        return f"{name!r} is a keyword of Python; {other}"
    if (owner := _registered(kind, name)) is not None:
        return f"{name!r} is taken by {owner}; {other}"
    if (owner := _module(name)) is not None:
        return f"{name!r} is taken: it would hide {owner}; {other}"
    if class_name(name) in _imported(kind) or hasattr(builtins, class_name(name)):
        return f"{name!r} is taken: its class would hide the name {class_name(name)}; {other}"
    return None


def _likely(name: str) -> str:
    """A name like the one given that would do."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", Path(name).name)
    likely = "_".join(words).lower()[:LONGEST].strip("_")
    return likely if likely and likely[0].isalpha() else "my_" + (likely or "own")


def _registered(kind: str, name: str) -> str | None:
    """The plugin of that name, in words; None if there is none."""
    from importlib.metadata import entry_points

    from oversight.overseers.slots import PLAIN

    if kind == "mechanism" and name in PLAIN:
        return f"the overseer {name!r} that every scenario knows"
    for entry in entry_points(group=f"oversight.{PLUGINS[kind]}", name=name):
        origin = f" of {entry.dist.name}" if entry.dist else ""
        return f"a {kind}{origin} ({entry.value})"
    return None


def _module(name: str) -> str | None:
    """The module that a module of that name would hide, in words; None if there is none."""
    from importlib.machinery import PathFinder

    if name in sys.stdlib_module_names:
        return f"the module {name!r} of Python's standard library"
    if name in OWN:
        return f"the module {name!r}, which oversight or its tests need"
    here = {"", str(Path.cwd())}
    for module in (name, f"test_{name}"):
        if PathFinder.find_spec(module, [path for path in sys.path if path not in here]):
            return f"the installed module {module!r}"
    return None


def _imported(kind: str) -> set[str]:
    """The names that the files of a new plugin import."""
    import ast

    texts = [text for file, text in _package(kind, "anything").items() if file.endswith(".py")]
    return {
        alias.name
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module != "anything"
        for alias in node.names
    }


def _package(kind: str, name: str) -> dict[str, str]:
    """The files of a plugin's package: text by file name."""
    return {
        "pyproject.toml": _filled("pyproject.toml", name, kind),
        f"{name}.py": _filled(f"{kind}.py", name, kind),
        f"test_{name}.py": _filled(f"test_{kind}.py", name, kind),
    }


def _filled(template: str, name: str, kind: str, folder: str = "") -> str:
    """The text of a template with what is new filled in."""
    text = (TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(
        name=name,
        dashed=name.replace("_", "-"),
        Class=class_name(name),
        kind=kind,
        group=PLUGINS.get(kind),
        folder=folder,
    )


def _write(target: Path, files: dict[str, str]) -> None:
    """Write a folder of files, or one file where its name is empty: whole or not at all."""
    from tempfile import TemporaryDirectory

    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
            whole = Path(work, target.name)
            if "" not in files:
                whole.mkdir()
            for file, text in files.items():
                (whole / file if file else whole).write_text(text, encoding="utf-8")
            whole.rename(target)
    finally:
        for folder in missing:
            with suppress(OSError):  # of one that holds what was written
                folder.rmdir()
