"""Words that people try out of habit, and the command that does what they mean."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import click

COMMANDS = {
    "run": "compare runs a scenario: oversight compare SCENARIO",
    "simulate": "compare runs a scenario: oversight compare SCENARIO",
    "show": "check shows a scenario with every default: oversight check --show SCENARIO; a results "
    "folder is shown by the command that wrote it, with the same --out",
    "plot": "pictures are written beside the results: oversight compare SCENARIO --out DIR",
    "sweep": "a scenario with a `sweep` section is swept by compare: oversight compare SCENARIO",
    "validate": "check does that: oversight check SCENARIO",
    "version": "oversight --version",
}
"""What to say of commands that are none."""

OPTIONS = {
    "-v": "--version prints the version; how far a run is stands on stderr anyway",
    "--verbose": "how far a run is stands on stderr anyway",
    "-q": "stdout has the results alone; 2>/dev/null silences how far the run is",
    "--quiet": "stdout has the results alone; 2>/dev/null silences how far the run is",
    "--plot": "--out DIR writes pictures beside the results (a sweep's curves, a desk's timelines)",
    "--set": "change the scenario's file (`oversight check --show SCENARIO > mine.yaml` starts "
    "one), or try several values of a knob in a `sweep` section; --seed and --replicates can be "
    "given here",
    "--protocol": "every protocol of the file is run, on the same items; leave others out of a "
    "file of your own (`oversight check --show SCENARIO > mine.yaml` starts one). "
    "`oversight check --tree PROTOCOL SCENARIO` draws one",
    "-o": "results are kept by --out DIR",
    "--output": "results are kept by --out DIR",
    "--json": "--format json",
    "--csv": "--format csv",
    "-n": "--replicates N",
}
"""What to say of options that are none."""


class Hinting(click.Group):
    """A group of commands that answers habits with the right command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            _hint(error)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word == "help":  # `oversight help`, `oversight help compare`
            return super().resolve_command(ctx, [*(args[1:2] or ["--help"]), "--help"])
        if word in COMMANDS and self.get_command(ctx, word) is None:
            raise click.UsageError(f"no command {word!r}. {COMMANDS[word]}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            _hint(error)


def _hint(error: click.NoSuchOption) -> NoReturn:
    if hint := OPTIONS.get(error.option_name):
        raise click.UsageError(f"no option {error.option_name!r}. {hint}", error.ctx) from None
    raise error


class Finite(click.FloatRange):
    """A number in a range. NaN, which is neither inside nor outside, is refused."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number", param, ctx)
        return number
