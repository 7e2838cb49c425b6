"""`oversight list`: the plugins and scenarios that there are."""

from __future__ import annotations

from itertools import chain

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
    every = {kind: lines for kind in KINDS if (lines := _lines(kind))}
    shown = every
    if what is not None:
        shown = {kind: {what: lines[what]} for kind, lines in every.items() if what in lines}
    if not shown:
        from oversight.core.config import nearest

        hint = nearest(what, [*KINDS, *chain(*every.values())])
        refuse(f"list {what}: no such kind or name; {hint}")
    for place, (kind, lines) in enumerate(shown.items()):
        click.echo(f"{chr(10) if place else ''}{kind}:", file=stdout())
        _print(lines)


def _print(lines: dict[str, str]) -> None:
    wide = max(map(len, lines), default=0)
    for name in sorted(lines):
        click.echo(f"{name:{wide}}  {lines[name]}", file=stdout())


def _lines(kind: str) -> dict[str, str]:
    """What there is of a kind, by name, with a line about each; of a failure also the roles that it
    can strike."""
    if kind == "scenarios":
        from oversight.studies.scenario import load, names

        return {name: load(name).about for name in names()}
    from oversight.core.plugins import plugins
    from oversight.reports.tables import first_sentence

    known = plugins(kind)
    lines = {name: first_sentence(plugin) for name, plugin in known.loaded.items()}
    if kind == "failures":
        for name, failure in known.loaded.items():
            roles = ", ".join(failure.can_strike)
            lines[name] += f" ({roles}; counted at {failure().stated:.3g})"
    return lines | {name: f"BROKEN: {why}" for name, why in known.broken.items()}
