"""The command line: one module a command.

Heavy libraries are imported by the functions that use them, so that --help answers at once.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stderr
from functools import wraps
from typing import Any

import click

from oversight.cli.check import check
from oversight.cli.compare import compare
from oversight.cli.design import design
from oversight.cli.exits import plugins_apart
from oversight.cli.hints import Hinting
from oversight.cli.listing import listing
from oversight.cli.new import new
from oversight.cli.play import play
from oversight.cli.printing import Heedless, printing, reserved_stdout
from oversight.cli.sensitivity import sensitivity
from oversight.cli.stress import stress

COMMANDS = (check, compare, design, listing, new, play, sensitivity, stress)


class Commands(Hinting):
    """The commands, none of which minds how stdout or stderr ends."""

    def main(self, *words: Any, **options: Any) -> Any:
        """Run a command line."""
        with redirect_stderr(Heedless(sys.stderr)):
            return super().main(*words, **options)

    def make_context(self, *words: Any, **options: Any) -> click.Context:
        """Read the command line; --help prints here."""
        with printing():
            return super().make_context(*words, **options)
        raise click.exceptions.Exit(0)  # nobody read it

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with printing():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oversight-simulator", prog_name="oversight")
def main() -> None:
    """Compare scalable-oversight mechanisms by the performance gap their labels recover.

    Start with: oversight compare quickstart
    """


def _guarded(command: click.Command) -> click.Command:
    """The command, in which plugins can neither print among the results nor end the program."""
    callback = command.callback
    assert callback is not None

    @wraps(callback)
    def run(*values: object, **options: object) -> object:
        with plugins_apart(), reserved_stdout():
            return callback(*values, **options)

    command.callback = run
    return command


for command in COMMANDS:
    main.add_command(_guarded(command))
