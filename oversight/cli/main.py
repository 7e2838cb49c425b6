"""The command line. Heavy libraries are imported by the commands that use them, so that --help
answers at once."""

from __future__ import annotations

import sys
from math import prod
from typing import TYPE_CHECKING

import click

from oversight.cli import commands
from oversight.cli.options import BAD_INPUT, refuse, try_load

if TYPE_CHECKING:
    from oversight.studies.study import Study


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oversight-simulator", prog_name="oversight")
def main() -> None:
    """Compare scalable-oversight mechanisms by the performance gap their labels recover.

    Start with: oversight compare quickstart
    """


@main.command()
@click.argument("scenarios", nargs=-1)
@click.option("--show", is_flag=True, help="Print it resolved, every default written out.")
@click.option("--tree", metavar="PROTOCOL", help="Draw a protocol: who plays which role.")
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of scenario files, for editors."
)
def check(scenarios: tuple[str, ...], show: bool, tree: str | None, schema: bool) -> None:
    """Check scenario files without running them; every problem at once, each with file and line."""
    if schema:
        import json

        from oversight.studies.json_schema import schema as made

        click.echo(json.dumps(made(), indent=2))
    elif not scenarios:
        refuse("nothing to check; name a scenario file, or one of: " + ", ".join(_names()))
    from oversight.studies.scenario import written

    bad = False
    for scenario in scenarios:
        study = try_load(scenario)
        bad |= study is None
        if study is not None and show:
            click.echo(written(study), nl=False)
        elif study is not None and tree is not None:
            bad |= not _drawn(scenario, study, tree)
        elif study is not None:
            cells, nodes = len(study.cells), len(study.world.task_tree)
            points = prod(len(values) for values in study.sweep.values())
            click.echo(
                f"{scenario}: ok, {cells} protocols, a tree of {nodes} nodes, "
                f"{study.replicates} replicates" + (f", {points:,} points" if study.sweep else "")
            )
    if bad:
        sys.exit(BAD_INPUT)


def _drawn(scenario: str, study: Study, protocol: str) -> bool:
    from oversight.core.config import nearest
    from oversight.reports.diagram import draw

    if protocol not in study.cells:
        hint = nearest(protocol, list(study.cells))
        click.echo(f"{scenario}: has no protocol {protocol!r}; {hint}", err=True)
        return False
    click.echo(f"{protocol}: {draw(study.cells[protocol])}")
    return True


@main.command("list")
@click.argument(
    "what", type=click.Choice(["mechanisms", "failures", "worlds", "students", "scenarios"])
)
def listing(what: str) -> None:
    """What there is, each with a line about it."""
    if what == "scenarios":
        from oversight.studies.scenario import load

        told = {name: load(name).about for name in _names()}
    else:
        from oversight.core.plugins import plugins
        from oversight.reports.tables import first_sentence

        group = plugins(what)
        told = {name: first_sentence(made) for name, made in group.loaded.items()}
        if what == "failures":
            for name, kind in group.loaded.items():
                told[name] += f" ({', '.join(kind.can_strike)})"
        told |= {name: f"BROKEN: {why}" for name, why in group.broken.items()}
    wide = max(map(len, told), default=0)
    for name in sorted(told):
        click.echo(f"{name:{wide}}  {told[name]}")


def _names() -> list[str]:
    from oversight.studies.scenario import names

    return names()


for command in (commands.compare, commands.stress, commands.design, commands.sensitivity):
    main.add_command(command)
