"""What every command that runs a scenario has in common: options, a cluster, interruptions, bad
input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from oversight.cli.progress import Progress
    from oversight.running.run import RunOptions
    from oversight.studies.study import Study

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

    def study(self, sweeps: bool = False) -> Study:
        """The scenario, with what the command line says instead; says what of it is left aside."""
        if self.retry and not self.out:
            refuse("--retry is about an earlier run's --out DIR; expected it too")
        if self.cluster and self.jobs > 1:
            refuse("-j starts processes here, --cluster uses others; expected one of them")
        study = load(self.scenario)
        if study.sweep and not sweeps:
            click.echo(f"{self.scenario}: its sweep is left aside; compare runs it", err=True)
        asked = {"replicates": self.replicates, "seed": self.seed}
        changed = {key: value for key, value in asked.items() if value is not None}
        return study.model_copy(update=changed)

    @contextmanager
    def running(self, progress: Progress) -> Iterator[RunOptions]:
        """Arguments of whatever runs it; says what is kept where somebody interrupts, and what is
        wrong with the folder or the cluster."""
        from oversight.core.errors import KnobError, StoreError, WorkersError

        try:
            with ExitStack() as stack:
                executor, jobs = None, self.jobs
                if self.cluster is not None:
                    if not find_spec("distributed"):
                        refuse("--cluster needs the extra dask: pip install -c lock.txt '.[dask]'")
                    from oversight.running.cluster import cluster

                    executor = stack.enter_context(cluster(self.cluster))
                step = stack.enter_context(progress)
                yield {
                    "executor": executor,
                    "jobs": jobs,
                    "out": self.out,
                    "retry": self.retry,
                    "progress": step,
                }
        except KnobError as error:
            refuse(f"{self.scenario}: sweep: {error}")
        except StoreError as error:
            refuse(str(error))
        except WorkersError as error:
            refuse(f"--cluster {error}" if self.cluster else str(error))
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
        try:
            command(asked=asked, **told)
        except KeyboardInterrupt:  # while it was still, or already again, at something short
            _interrupted()
        except Exception as error:
            if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
                _interrupted()  # as an import tells it
            raise

    asking.__name__, asking.__doc__ = command.__name__, command.__doc__
    wrapped: Callable[..., None] = asking
    wrapped.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _interrupted() -> NoReturn:
    click.echo("\ninterrupted", err=True)
    sys.exit(INTERRUPTED)


def end(failed: list[Any]) -> None:
    """Tell what failed, if anything did."""
    if failed:
        from oversight.cli.printing import show_failed

        show_failed(failed)
        sys.exit(SOME_FAILED)


def refuse(says: str) -> NoReturn:
    """Bad input: say what, and end."""
    click.echo(says, err=True)
    sys.exit(BAD_INPUT)


def try_load(scenario: str) -> Study | None:
    """The study in a file; None where it cannot be used, which was said."""
    from oversight.core.errors import ScenarioError
    from oversight.studies.scenario import load as read

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
