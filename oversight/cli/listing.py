"""`oversight list`: the plugins and scenarios that there are."""

from __future__ import annotations

import click

from oversight.cli.exits import refuse
from oversight.cli.printing import stdout

KINDS = ("mechanisms", "failures", "worlds", "students", "scenarios")


@click.command("list")
@click.argument("what", required=False, metavar="[KIND|NAME]")
def listing(what: str | None) -> None:
    """What there is, each with a line about it.

    KIND is mechanisms, failures, worlds, students or scenarios; all of them if left out. NAME is
    one of those, as in `oversight list debate`.
    """
    if what in KINDS:
        _print(_lines(what))
        return
    every = {kind: _lines(kind) for kind in KINDS}
    if what is not None:
        every = {kind: _lines_of(what, lines) for kind, lines in every.items()}
        if not any(every.values()):
            _refuse(what)
    for place, (kind, lines) in enumerate((k, lines) for k, lines in every.items() if lines):
        click.echo(f"{chr(10) if place else ''}{kind}:", file=stdout())
        _print(lines)


def _refuse(what: str) -> None:
    """End, with the nearest kind or name."""
    from oversight.core.config import nearest

    names = [name for kind in KINDS for name in _lines(kind)]
    refuse(f"list {what}: no such kind or name; {nearest(what, [*KINDS, *names])}")


def _lines_of(name: str, lines: dict[str, str]) -> dict[str, str]:
    return {name: lines[name]} if name in lines else {}


def _print(lines: dict[str, str]) -> None:
    wide = max(map(len, lines), default=0)
    for name in sorted(lines):
        click.echo(f"{name:{wide}}  {lines[name]}", file=stdout())


def _lines(kind: str) -> dict[str, str]:
    """What there is of a kind, by name, with a line about each."""
    return _scenarios() if kind == "scenarios" else _plugins(kind)


def _scenarios() -> dict[str, str]:
    """What the shipped scenarios are about, by name."""
    from oversight.studies.scenario import load, names

    return {name: load(name).about for name in names()}


def _plugins(group: str) -> dict[str, str]:
    """What the plugins of a group do, by name; of a failure also the roles that it can strike, and
    the severity at which rankings count it."""
    from oversight.core.plugins import plugins
    from oversight.reports.tables import first_sentence

    known = plugins(group)
    lines = {name: first_sentence(plugin) for name, plugin in known.loaded.items()}
    if group == "failures":
        for name, failure in known.loaded.items():
            roles = ", ".join(failure.can_strike)
            lines[name] += f" ({roles}; counted at {failure().stated:.3g})"
    return lines | {name: f"BROKEN: {why}" for name, why in known.broken.items()}
