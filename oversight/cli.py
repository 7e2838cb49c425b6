"""The command line. Heavy libraries are imported by the commands that use them, so that --help
answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from oversight.replicate import Replicate
    from oversight.results import Results
    from oversight.study import Study

BAD_INPUT = 2
SOME_FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oversight-simulator", prog_name="oversight")
def main() -> None:
    """Compare scalable-oversight mechanisms by the performance gap their labels recover.

    Start with: oversight compare quickstart
    """


@main.command()
@click.argument("scenario")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    help="Worker processes; never changes a number.",
)
@click.option(
    "--replicates", type=click.IntRange(1, 1_000_000), help="Instead of the scenario's own number."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), help="Instead of the scenario's own seed."
)
@click.option(
    "--out", type=click.Path(file_okay=False), help="Keep results here; a plain run writes nothing."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
)
def compare(
    scenario: str, jobs: int, replicates: int | None, seed: int | None, out: str | None, form: str
) -> None:
    """Run every protocol of SCENARIO (a file, or a shipped scenario's name) on the same items.

    Exit status: 0 done, 1 some cells failed (the others are shown), 2 bad input.
    """
    study = _load(scenario)
    asked = {"replicates": replicates, "seed": seed}
    study = study.model_copy(
        update={key: value for key, value in asked.items() if value is not None}
    )
    from oversight.runner import compare as run
    from oversight.store import StoreError

    try:
        with _progress(study) as step:
            results = run(study, jobs=jobs, out=out, progress=step)
    except StoreError as error:
        _refuse(str(error))
    _show(study, results, form)
    if results.failed:
        _tell_failed(results)
        sys.exit(SOME_FAILED)


@main.command()
@click.argument("scenarios", nargs=-1)
@click.option("--show", is_flag=True, help="Print it resolved, every default written out.")
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of scenario files, for editors."
)
def check(scenarios: tuple[str, ...], show: bool, schema: bool) -> None:
    """Check scenario files without running them; every problem at once, each with file and line."""
    if schema:
        import json

        from oversight.schema import schema as made

        click.echo(json.dumps(made(), indent=2))
    elif not scenarios:
        _refuse("nothing to check; name a scenario file, or one of: " + ", ".join(_names()))
    bad = False
    for scenario in scenarios:
        study = _try_load(scenario)
        bad |= study is None
        if study is not None and show:
            click.echo(_as_yaml(study), nl=False)
        elif study is not None:
            cells, nodes = len(study.cells), len(study.world.template)
            click.echo(
                f"{scenario}: ok, {cells} protocols, a tree of {nodes} nodes, "
                f"{study.replicates} replicates"
            )
    if bad:
        sys.exit(BAD_INPUT)


@main.command("list")
@click.argument("what", type=click.Choice(["mechanisms", "worlds", "students", "scenarios"]))
def listing(what: str) -> None:
    """What there is, each with a line about it."""
    if what == "scenarios":
        from oversight.scenario import load

        told = {name: load(name).about for name in _names()}
    else:
        from oversight.registry import registry

        plugins = registry(what)
        told = {
            name: (made.__doc__ or "").strip().split("\n")[0]
            for name, made in plugins.loaded.items()
        }
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


def _progress(study: Study) -> AbstractContextManager[Callable[[Replicate], None]]:
    """A bar on stderr where that is a terminal; else a line now and then on long runs."""
    if sys.stderr.isatty():
        return _Bar(study.replicates)
    return nullcontext(_Lines(study.replicates))


class _Lines:
    """A plain line at every tenth of a run that takes a while."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def __call__(self, replicate: Replicate) -> None:
        self.done += 1
        if self.total >= 100 and self.done % (self.total // 10) == 0:
            click.echo(f"{self.done} of {self.total} replicates", err=True)


class _Bar:
    """A progress bar: replicates done, time left."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("replicates"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("replicates", total=total)

    def __enter__(self) -> Callable[[Replicate], None]:
        self.bar.start()
        return lambda replicate: self.bar.advance(self.task)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


def _show(study: Study, results: Results, form: str) -> None:
    from oversight import tables

    if form == "json":
        import json

        answer: dict[str, Any] = {
            "scenario": study.name,
            "rows": results.summary(),
            "differences": results.differences_rows(),
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))
    elif form == "csv":
        click.echo(results.csv(), nl=False)
    elif form == "markdown":
        click.echo(tables.markdown(results) + "\n\n" + "\n\n".join(tables.notes(results)))
    else:
        from rich.console import Console

        wide = Console().width if sys.stdout.isatty() else 140
        console = Console(width=max(wide, 60), highlight=False)
        if study.about:
            console.print(f"{study.name}: {study.about}\n", markup=False)
        console.print(tables.table(results, console.width))
        for note in tables.notes(results):
            console.print("\n" + note, markup=False)


def _tell_failed(results: Results) -> None:
    click.echo(
        f"\n{len(results.failed)} cells failed; what follows of each kind is the first:", err=True
    )
    seen = set()
    for failed in results.failed:
        name = " under ".join(part for part in failed.case[:2] if part)
        kind = (name, failed.error, failed.origin)
        if kind not in seen:
            seen.add(kind)
            click.echo(
                f"  {name}, replicate {failed.replicate}: {failed.error} ({failed.origin})",
                err=True,
            )


def _as_yaml(study: Study) -> str:
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(study.resolved(), text)
    return text.getvalue()
