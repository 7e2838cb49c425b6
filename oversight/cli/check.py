"""`oversight check`: what is wrong with scenario files, or what they come to."""

from __future__ import annotations

import sys
from math import prod
from typing import TYPE_CHECKING

import click

from oversight.cli.exits import BAD_INPUT, refuse
from oversight.cli.options import try_load
from oversight.cli.printing import stdout

if TYPE_CHECKING:
    from oversight.studies.study import Study


@click.command()
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

        from oversight.studies import json_schema

        click.echo(json.dumps(json_schema.schema(), indent=2), file=stdout())
    elif not scenarios:
        from oversight.studies.scenario import names

        refuse("nothing to check; name a scenario file, or one of: " + ", ".join(names()))
    right = [_checked(scenario, show, tree) for scenario in scenarios]
    if not all(right):
        sys.exit(BAD_INPUT)


def _checked(scenario: str, show: bool, tree: str | None) -> bool:
    """Print what was wanted of one scenario; whether it is right."""
    study = try_load(scenario)
    if study is None:
        return False
    if show:
        from oversight.studies.scenario import written

        click.echo(written(study), nl=False, file=stdout())
    elif tree is not None:
        return _draw(scenario, study, tree)
    else:
        click.echo(f"{scenario}: ok, {_size(study)}", file=stdout())
    return True


def _size(study: Study) -> str:
    """How much there is to run."""
    parts = [f"{len(study.cells)} protocols"]
    if "tree" in study.world.has:
        parts.append(f"a tree of {len(study.world.task_tree)} nodes")
    parts.append(f"{study.replicates} replicates")
    if study.sweep:
        points = prod(len(values) for values in study.sweep.values())
        parts.append(f"{points:,} points")
    return ", ".join(parts)


def _draw(scenario: str, study: Study, protocol: str) -> bool:
    """Draw a protocol; False where the study has none of that name."""
    from oversight.core.config import nearest
    from oversight.reports.diagram import draw

    if protocol not in study.cells:
        hint = nearest(protocol, list(study.cells))
        click.echo(f"{scenario}: has no protocol {protocol!r}; {hint}", err=True)
        return False
    click.echo(f"{protocol}: {draw(study.cells[protocol])}", file=stdout())
    return True
