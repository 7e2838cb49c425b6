"""The commands that run scenarios. Heavy libraries are imported where they are used, so that --help
answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from oversight.show import Progress
    from oversight.study import Study

BAD_INPUT = 2
SOME_FAILED = 1
INTERRUPTED = 130


@dataclass(frozen=True)
class Asked:
    """What the options of every command that runs a scenario say."""

    scenario: str
    jobs: int
    replicates: int | None
    seed: int | None
    out: str | None
    form: str
    cluster: str | None
    retry: bool

    def study(self) -> Study:
        """The scenario, with what the command line says instead."""
        study = load(self.scenario)
        asked = {"replicates": self.replicates, "seed": self.seed}
        changed = {key: value for key, value in asked.items() if value is not None}
        return study.model_copy(update=changed)

    @contextmanager
    def running(self, progress: Progress) -> Iterator[dict[str, Any]]:
        """Arguments of whatever runs it; says what is kept where somebody interrupts, and what is
        wrong with the folder or the cluster."""
        from oversight.grids import PathError
        from oversight.store import StoreError

        try:
            with ExitStack() as stack:
                executor, jobs = None, self.jobs
                if self.cluster is not None:
                    executor, jobs = stack.enter_context(_cluster(self.cluster))
                step = stack.enter_context(progress)
                yield {
                    "executor": executor,
                    "jobs": jobs,
                    "out": self.out,
                    "retry": self.retry,
                    "progress": step,
                }
        except (StoreError, PathError) as error:
            refuse(str(error))
        except KeyboardInterrupt:
            kept = f"is kept in {self.out}; the same command goes on from there"
            lost = "is lost: without --out DIR nothing is kept"
            told = kept if self.out else lost
            click.echo(f"\ninterrupted: {progress.told()}, which {told}", err=True)
            sys.exit(INTERRUPTED)


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that runs a scenario, given to it as `asked`."""
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
        click.option(
            "--cluster", metavar="ADDRESS", help="Run on this Dask cluster (needs the extra dask)."
        ),
        click.option(
            "--retry", is_flag=True, help="Run again what failed in an earlier run into --out."
        ),
    )

    def asking(**told: Any) -> None:
        keys = Asked.__dataclass_fields__
        asked = Asked(**{key: told.pop(key) for key in keys})
        command(asked=asked, **told)

    asking.__name__, asking.__doc__ = command.__name__, command.__doc__
    wrapped: Callable[..., None] = asking
    wrapped.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


@click.command()
@run_options
@click.argument("more", nargs=-1, metavar="")
@click.option("--failures", is_flag=True, help="Also under each failure that SCENARIO names.")
@click.option(
    "--hours",
    multiple=True,
    metavar="H ...",
    help="Compare protocols at these budgets of person-hours.",
)
@click.option(
    "--precision",
    type=click.FloatRange(0, min_open=True),
    metavar="W",
    help="Add replicates until every PGR is known to +- W.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 1_000_000),
    default=1000,
    show_default=True,
    help="Replicates at which --precision gives up.",
)
def compare(
    asked: Asked,
    more: tuple[str, ...],
    failures: bool,
    hours: tuple[str, ...],
    precision: float | None,
    most: int,
) -> None:
    """Run every protocol of SCENARIO (a file, or a shipped scenario's name) on the same items.

    A scenario with a `sweep` is run at every point of it. Exit status: 0 done, 1 some cells failed
    (the others are shown), 2 bad input.
    """
    if more and not hours:
        refuse(f"unexpected {' '.join(more)!r}; one scenario at a time")
    budgets = _budgets([*hours, *more])
    study = asked.study()
    if failures and not study.failures:
        named = asked.scenario
        refuse(f"{named}: names no failures; `oversight stress {named}` tries them all")
    from oversight import runner, show

    named_failures = study.failures if failures else None
    if not study.sweep and not budgets:
        total = len(study.cases(named_failures)) * study.replicates
        progress = show.progress(total)
        with asked.running(progress) as how:
            results = runner.compare(
                study,
                failures=failures,
                precision=precision,
                most=most,
                found=progress.found,
                **how,
            )
        show.compared(results, asked.form, precision)
        _end(results.failed)
        return
    from oversight import grids

    try:
        points = prod(len(values) for values in grids.spanned(study, budgets).values())
    except grids.PathError as error:
        refuse(f"{asked.scenario}: sweep: {error}")
    progress = show.progress(points * len(study.cases(named_failures)) * study.replicates)
    with asked.running(progress) as how:
        swept = grids.sweep(
            study,
            hours=budgets,
            failures=failures,
            precision=precision,
            most=most,
            found=progress.found,
            **how,
        )
    show.swept(swept, asked.form, precision)
    _end(swept.failed)


def _budgets(told: list[str]) -> tuple[float, ...]:
    """Hours as given: apart, or with commas."""
    found: list[float] = []
    for word in ",".join(told).split(","):
        if not word.strip() and not told:
            continue
        try:
            value = float(word)
        except ValueError:
            refuse(f"--hours {word!r}: expected numbers of person-hours, like --hours 100 200 400")
        if not 0 <= value < float("inf"):
            refuse(f"--hours {word}: expected 0 or more")
        if value in found:
            refuse(f"--hours {word}: given twice")
        found.append(value)
    return tuple(found)


@click.command()
@run_options
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
def stress(asked: Asked, only: tuple[str, ...], tolerance: float, doses: bool) -> None:
    """Where does each protocol of SCENARIO break, and does it break silently?

    Tries the failures that SCENARIO names, or the whole catalogue if it names none (`oversight list
    failures`). Exit status as for compare.
    """
    study = asked.study()
    from oversight import show
    from oversight.injection import catalogue
    from oversight.robustness import stress as run
    from oversight.strict import nearest

    named = study.failures or catalogue()
    for name in only:
        if name not in named:
            hint = nearest(name, [*named])
            refuse(f"--failure {name}: {asked.scenario} tries no such failure; {hint}")
    progress = show.progress(0)
    with asked.running(progress) as how:
        found = run(study, tolerance=tolerance, only=only, announce=progress.again, **how)
    show.stressed(found, asked.form, doses)
    _end(found.results.failed)


@click.command()
@run_options
@click.option(
    "--evaluations", type=click.IntRange(1, 100_000), help="Instead of the scenario's own number."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="Human minutes an item, at most; instead of the scenario's.",
)
def design(asked: Asked, evaluations: int | None, minutes: float | None) -> None:
    """Search hybrids for the Pareto front of human minutes and PGR.

    The front is confirmed on fresh replicates, beside SCENARIO's own protocols and random search.
    With --out, a killed search goes on, and the front is written as scenario files.
    """
    study = asked.study()
    from oversight import show
    from oversight.design_settings import Design
    from oversight.search import DesignError
    from oversight.search import design as run

    told = {"evaluations": evaluations, "minutes": minutes}
    changed = {key: value for key, value in told.items() if value is not None}
    settings = (study.design or Design()).model_copy(update=changed)
    study = study.model_copy(update={"design": settings})
    progress = show.progress(0)
    try:
        with asked.running(progress) as how:
            done = run(study, step=progress.counted("protocols", settings.evaluations), **how)
    except DesignError as error:
        refuse(str(error))
    show.designed(done, asked.form)
    _end(done.confirmed.failed)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """A Dask cluster as an executor, and how many threads it has."""
    try:
        from distributed import Client
    except ImportError:
        refuse("--cluster needs the extra dask: pip install -c lock.txt '.[dask]'")
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        told = str(error).split("\n")[0]
        refuse(f"--cluster {address}: cannot be reached: {told}; expected like tcp://host:8786")
    with client:
        hands = sum(client.nthreads().values())
        if not hands:
            refuse(f"--cluster {address}: has no workers")
        yield client.get_executor(), hands


def _end(failed: list[Any]) -> None:
    """Tell what failed, if anything did."""
    if failed:
        from oversight import show

        show.failed(failed)
        sys.exit(SOME_FAILED)


def refuse(says: str) -> NoReturn:
    """Bad input: say what, and end."""
    click.echo(says, err=True)
    sys.exit(BAD_INPUT)


def try_load(scenario: str) -> Study | None:
    """The study in a file; None where it cannot be used, which was said."""
    from oversight.scenario import ScenarioError
    from oversight.scenario import load as read

    try:
        return read(scenario)
    except ScenarioError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return None


def load(scenario: str) -> Study:
    """The study in a file; ends where it cannot be used."""
    study = try_load(scenario)
    if study is None:
        sys.exit(BAD_INPUT)
    return study
