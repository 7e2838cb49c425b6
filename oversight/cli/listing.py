"""`oversight list`: the plugins and scenarios that there are."""

from __future__ import annotations

import click


@click.command("list")
@click.argument(
    "what", type=click.Choice(["mechanisms", "failures", "worlds", "students", "scenarios"])
)
def listing(what: str) -> None:
    """What there is, each with a line about it."""
    lines = _scenarios() if what == "scenarios" else _plugins(what)
    wide = max(map(len, lines), default=0)
    for name in sorted(lines):
        click.echo(f"{name:{wide}}  {lines[name]}")


def _scenarios() -> dict[str, str]:
    """What the shipped scenarios are about, by name."""
    from oversight.studies.scenario import load, names

    return {name: load(name).about for name in names()}


def _plugins(group: str) -> dict[str, str]:
    """What the plugins of a group do, by name; of a failure also the roles that it can strike."""
    from oversight.core.plugins import plugins
    from oversight.reports.tables import first_sentence

    known = plugins(group)
    lines = {name: first_sentence(plugin) for name, plugin in known.loaded.items()}
    if group == "failures":
        for name, failure in known.loaded.items():
            lines[name] += f" ({', '.join(failure.can_strike)})"
    return lines | {name: f"BROKEN: {why}" for name, why in known.broken.items()}
