"""What every command that runs a scenario takes: its options, and the run that they describe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from oversight.cli.exits import BAD_INPUT, fail, interrupt, refuse

if TYPE_CHECKING:
    from oversight.cli.progress import CellCount
    from oversight.reports.document import Format
    from oversight.running.run_options import RunOptions
    from oversight.studies.study import Study


@dataclass(frozen=True)
class RunSettings:
    """The options of one command line, as click has checked them.

    scenario    a file, or a shipped scenario's name
    jobs        worker processes
    replicates  in place of the scenario's own number
    seed        in place of the scenario's own seed
    out         folder that keeps results
    form        format of what is printed
    cluster     address of a Dask cluster
    retry       whether what failed in an earlier run is run again
    """

    scenario: str
    jobs: int
    replicates: int | None
    seed: int | None
    out: str | None
    form: Format
    cluster: str | None
    retry: bool

    def study(self, sweeps: bool = False) -> Study:
        """The scenario with the command line's replicates and seed. Ends the program where the
        scenario or these options cannot be used."""
        if self.out is not None and not self.out.strip():
            refuse("--out '': expected the name of a folder, like results")
        if self.retry and not self.out:
            refuse("--retry is about an earlier run's --out DIR; expected it too")
        if self.cluster and self.jobs > 1:
            refuse("-j starts processes here, --cluster uses others; expected one of them")
        study = load(self.scenario)
        if study.sweep and not sweeps:
            click.echo(f"{self.scenario}: its sweep is left aside; compare runs it", err=True)
        given = {"replicates": self.replicates, "seed": self.seed}
        changed = {key: value for key, value in given.items() if value is not None}
        return study.changed(**changed)

    @contextmanager
    def running(self, progress: CellCount) -> Iterator[RunOptions]:
        """Keywords of the function that runs the study.

        Ends the program where the folder, the workers or the cluster cannot be used. An
        interruption ends it too, and says what is kept.
        """
        from oversight.core.errors import FolderError, KnobError, StoreError, WorkersError

        try:
            with ExitStack() as stack:
                executor = None
                if self.cluster is not None:
                    if not find_spec("distributed"):
                        refuse("--cluster needs the extra dask: pip install -c lock.txt '.[dask]'")
                    from oversight.running.cluster import cluster

                    executor = stack.enter_context(cluster(self.cluster))
                yield {
                    "executor": executor,
                    "jobs": self.jobs,
                    "out": self.out,
                    "retry": self.retry,
                    "progress": stack.enter_context(progress),
                }
        except KnobError as error:
            refuse(f"{self.scenario}: sweep: {error}")
        except FolderError as error:
            refuse(str(error))
        except StoreError as error:
            fail(str(error))
        except WorkersError as error:
            message = f"--cluster {error}" if self.cluster else str(error)
            (refuse if error.refused else fail)(message)
        except KeyboardInterrupt:
            kept = f"is kept in {self.out}; the same command goes on from there"
            lost = "is lost: without --out DIR nothing is kept"
            interrupt(f"interrupted: {progress.line()}, which {kept if self.out else lost}")


OPTIONS = (
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


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add OPTIONS to a command, which gets them as `settings`, before its own options."""

    @wraps(command)
    def _with_settings(**options: Any) -> None:
        given = {field.name: options.pop(field.name) for field in fields(RunSettings)}
        try:
            command(RunSettings(**given), **options)
        except KeyboardInterrupt:  # before the run has begun, or after it
            interrupt()
        except Exception as error:
            # An import that is interrupted raises another error because of it.
            if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
                interrupt()
            raise

    wrapped: Callable[..., None] = _with_settings
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def try_load(scenario: str) -> Study | None:
    """The study in a file; None where it cannot be used, after every problem is printed."""
    from oversight.core.errors import ScenarioError
    from oversight.studies.scenario import load as read

    try:
        return read(scenario)
    except ScenarioError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return None


def load(scenario: str) -> Study:
    """The study in a file. Ends the program where it cannot be used."""
    study = try_load(scenario)
    if study is None:
        sys.exit(BAD_INPUT)
    return study
