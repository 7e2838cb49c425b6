"""Numbers, names and tables in the form that reports share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


def first_sentence(of: Any) -> str:
    """What the docstring of a plugin begins with."""
    text = " ".join((of.__doc__ or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".") + "."


def _formatted(places: int, sign: str = "") -> Callable[[Any], str]:
    # Adding 0.0 after rounding turns -0.0 into 0.0.
    return lambda value: "–" if value is None else f"{round(value, places) + 0.0:{sign}.{places}f}"


two = _formatted(2)
three = _formatted(3)
signed = _formatted(2, "+")
plain = _formatted(1)


def interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{two(low)} to {two(high)}"


def table(heads: list[str], rows: list[list[str]], left: int = 1) -> Table:
    """A plain rich table; the first columns are words, the others numbers."""
    from rich.table import Table

    made = Table(show_edge=False, pad_edge=False, box=None, header_style="bold")
    made.padding = (0, 2, 0, 0)
    for i, head in enumerate(heads):
        justify: Any = "left" if i < left else "right"
        # Names of failures stay whole; heads may take two lines.
        made.add_column(head, justify=justify, overflow="fold", no_wrap=i == 0 and left == 1)
    for row in rows:
        made.add_row(*row)
    return made


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    """The same as a Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    lines += ["| " + " | ".join(c.strip().replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines)
