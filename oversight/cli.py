"""The command line. Heavy libraries are imported by the commands that use them, so that --help
answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from oversight.study import Study

BAD_INPUT = 2
SOME_FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oversight-simulator", prog_name="oversight")
def main() -> None:
    """Compare scalable-oversight mechanisms by the performance gap their labels recover.

    Start with: oversight compare quickstart
    """


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that runs a scenario."""
    options = (
        click.argument("scenario"),
        click.option(
            "-j",
            "--jobs",
            type=click.IntRange(1, 256),
            default=1,
            help="Worker processes; never changes a number.",
        ),
        click.option(
            "--replicates",
            type=click.IntRange(1, 1_000_000),
            help="Instead of the scenario's own number.",
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**64 - 1), help="Instead of the scenario's own seed."
        ),
        click.option(
            "--out",
            type=click.Path(file_okay=False),
            help="Keep results here; a plain run writes nothing.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "json", "csv", "markdown"]),
            default="table",
            show_default=True,
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _asked(study: Study, replicates: int | None, seed: int | None) -> Study:
    """The study with what the command line says instead."""
    asked = {"replicates": replicates, "seed": seed}
    return study.model_copy(
        update={key: value for key, value in asked.items() if value is not None}
    )


@main.command()
@_run_options
@click.option("--failures", is_flag=True, help="Also under each failure that SCENARIO names.")
def compare(
    scenario: str,
    jobs: int,
    replicates: int | None,
    seed: int | None,
    out: str | None,
    form: str,
    failures: bool,
) -> None:
    """Run every protocol of SCENARIO (a file, or a shipped scenario's name) on the same items.

    Exit status: 0 done, 1 some cells failed (the others are shown), 2 bad input.
    """
    study = _asked(_load(scenario), replicates, seed)
    if failures and not study.failures:
        _refuse(f"{scenario}: names no failures; `oversight stress {scenario}` tries them all")
    from oversight import show
    from oversight.runner import compare as run
    from oversight.store import StoreError

    try:
        with show.progress(study) as step:
            results = run(study, failures=failures, jobs=jobs, out=out, progress=step)
    except StoreError as error:
        _refuse(str(error))
    show.compared(study, results, form)
    if results.failed:
        show.failed(results)
        sys.exit(SOME_FAILED)


@main.command()
@_run_options
@click.option(
    "--failure", "only", multiple=True, metavar="NAME", help="Only this one; may be repeated."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0.001, 0.5),
    default=0.02,
    show_default=True,
    help="How finely break points are found, in severity.",
)
@click.option("--doses", is_flag=True, help="Show every dose-response in the table.")
def stress(
    scenario: str,
    jobs: int,
    replicates: int | None,
    seed: int | None,
    out: str | None,
    form: str,
    only: tuple[str, ...],
    tolerance: float,
    doses: bool,
) -> None:
    """Where does each protocol of SCENARIO break, and does it break silently?

    Tries the failures that SCENARIO names, or the whole catalogue if it names none (`oversight list
    failures`). Exit status as for compare.
    """
    study = _asked(_load(scenario), replicates, seed)
    from oversight import show
    from oversight.injection import catalogue
    from oversight.robustness import stress as run
    from oversight.store import StoreError
    from oversight.strict import nearest

    named = study.failures or catalogue()
    for name in only:
        if name not in named:
            _refuse(
                f"--failure {name}: {scenario} tries no such failure; {nearest(name, [*named])}"
            )
    try:
        with show.progress(study) as step:
            found = run(
                study,
                tolerance=tolerance,
                only=only,
                jobs=jobs,
                out=out,
                progress=step,
                announce=step.again,
            )
    except StoreError as error:
        _refuse(str(error))
    show.stressed(found, form, doses)
    if found.results.failed:
        show.failed(found.results)
        sys.exit(SOME_FAILED)


@main.command()
@_run_options
@click.option(
    "--evaluations", type=click.IntRange(1, 100_000), help="Instead of the scenario's own number."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Human minutes an item, at most; instead of the scenario's.",
)
def design(
    scenario: str,
    jobs: int,
    replicates: int | None,
    seed: int | None,
    out: str | None,
    form: str,
    evaluations: int | None,
    minutes: float | None,
) -> None:
    """Search hybrids for the Pareto front of human minutes and PGR.

    The front is confirmed on fresh replicates, beside SCENARIO's own protocols and random search.
    With --out, a killed search goes on, and the front is written as scenario files.
    """
    study = _asked(_load(scenario), replicates, seed)
    from oversight import show
    from oversight.design_settings import Design
    from oversight.search import DesignError
    from oversight.search import design as run
    from oversight.store import StoreError

    asked = {"evaluations": evaluations, "minutes": minutes}
    changed = {key: value for key, value in asked.items() if value is not None}
    settings = (study.design or Design()).model_copy(update=changed)
    study = study.model_copy(update={"design": settings})
    try:
        with show.counting(settings.evaluations) as step:
            done = run(study, jobs=jobs, out=out, step=step)
    except (StoreError, DesignError) as error:
        _refuse(str(error))
    show.designed(done, form)
    if done.confirmed.failed:
        show.failed(done.confirmed)
        sys.exit(SOME_FAILED)


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

        from oversight.schema import schema as made

        click.echo(json.dumps(made(), indent=2))
    elif not scenarios:
        _refuse("nothing to check; name a scenario file, or one of: " + ", ".join(_names()))
    from oversight.scenario import written

    bad = False
    for scenario in scenarios:
        study = _try_load(scenario)
        bad |= study is None
        if study is not None and show:
            click.echo(written(study), nl=False)
        elif study is not None and tree is not None:
            bad |= not _drawn(scenario, study, tree)
        elif study is not None:
            cells, nodes = len(study.cells), len(study.world.template)
            click.echo(
                f"{scenario}: ok, {cells} protocols, a tree of {nodes} nodes, "
                f"{study.replicates} replicates"
            )
    if bad:
        sys.exit(BAD_INPUT)


def _drawn(scenario: str, study: Study, protocol: str) -> bool:
    from oversight.drawing import draw
    from oversight.strict import nearest

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
        from oversight.scenario import load

        told = {name: load(name).about for name in _names()}
    else:
        from oversight.registry import registry
        from oversight.reports.pieces import first_sentence

        plugins = registry(what)
        told = {name: first_sentence(made) for name, made in plugins.loaded.items()}
        if what == "failures":
            for name, kind in plugins.loaded.items():
                told[name] += f" ({', '.join(kind.can_strike)})"
        told |= {name: f"BROKEN: {why}" for name, why in plugins.broken.items()}
    wide = max(map(len, told), default=0)
    for name in sorted(told):
        click.echo(f"{name:{wide}}  {told[name]}")


def _names() -> list[str]:
    from oversight.scenario import names

    return names()


def _refuse(says: str) -> None:
    click.echo(says, err=True)
    sys.exit(BAD_INPUT)


def _try_load(scenario: str) -> Study | None:
    from oversight.scenario import ScenarioError, load

    try:
        return load(scenario)
    except ScenarioError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return None


def _load(scenario: str) -> Study:
    study = _try_load(scenario)
    if study is None:
        sys.exit(BAD_INPUT)
    return study
