"""One document, from which a terminal, Markdown, JSON and CSV are rendered.

A report module turns what a run found into a `Document`. Its parts are computed only where they are
rendered: CSV needs no crossings, and JSON no tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO, get_args

from oversight.core.columns import Column, Kind
from oversight.findings.rows import Row, write_csv

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

Format = Literal["table", "json", "csv", "markdown"]
FORMATS: tuple[Format, ...] = get_args(Format)
NO_UNIT: dict[Kind, str] = {"number": "", "whole": "count", "text": "text", "flag": "true or false"}
"""What stands for a unit where a column has none."""
ROOMY = 120
"""Columns of a terminal in which long heads fit."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text. Names in it are the user's: no markup is read in it."""

    text: str

    def print_on(self, console: Console) -> None:
        """Print it, wrapped to the console."""
        from rich.text import Text

        console.print(Text(self.text))

    def markdown(self) -> str:
        """The text as it is."""
        return self.text


@dataclass(frozen=True)
class Table:
    """A table of text, ready to be read. No markup is read in heads and cells.

    heads   above each column
    rows    cells, each row as long as `heads`
    title   above the table; may be empty
    words   places of the columns that hold words; they are aligned left, numbers right
    narrow  heads for a terminal narrower than ROOMY; where they are given, no number is broken, and
            the first column takes several lines instead
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    words: tuple[int, ...] = (0,)
    narrow: Sequence[str] = ()

    def print_on(self, console: Console) -> None:
        """Print title and table."""
        if self.title:
            Paragraph(self.title + "\n").print_on(console)
        console.print(self.rich(console.width))

    def rich(self, width: int) -> RichTable:
        """The table for a terminal of this width, in columns of text."""
        from rich.table import Table as RichTable
        from rich.text import Text

        roomy = width >= ROOMY or not self.narrow
        table = RichTable(show_edge=False, pad_edge=False, box=None, header_style="bold")
        table.padding = (0, 2 if roomy else 1, 0, 0)
        words = {place % len(self.heads) for place in self.words}
        for place, head in enumerate(self.heads if roomy else self.narrow):
            # Names stay whole where heads may take two lines, and fold where numbers must not.
            whole = place > 0 if self.narrow else place == 0 and 1 not in words
            table.add_column(
                Text(head),
                justify="left" if place in words else "right",
                overflow="fold",
                no_wrap=whole,
            )
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def markdown(self) -> str:
        r"""Title and table in Markdown.

        >>> print(Table(["protocol", "PGR"], [["a | b", "0.50"]]).markdown())
        | protocol | PGR |
        | --- | ---: |
        | a \| b | 0.50 |
        """
        words = {place % len(self.heads) for place in self.words}
        marks = ["---" if place in words else "---:" for place in range(len(self.heads))]
        lines = [_line(self.heads), "| " + " | ".join(marks) + " |", *map(_line, self.rows)]
        return (self.title + "\n\n" if self.title else "") + "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


Part = Paragraph | Table


@dataclass(frozen=True)
class Document:
    """What a run found, ready to be rendered in any format.

    title    one line above everything in a terminal; may be empty
    parts    computes the tables and paragraphs, in order
    data     computes what JSON holds
    columns  names of the columns of CSV, in order
    rows     computes the rows of CSV
    """

    title: str
    parts: Callable[[], Iterable[Part]]
    data: Callable[[], Mapping[str, object]]
    columns: Sequence[str]
    rows: Callable[[], Iterable[Row]]

    def write(self, form: Format, file: TextIO, width: int) -> None:
        """Write it to a file; `width` is that of the terminal, for the format "table"."""
        if form == "json":
            file.write(self.json() + "\n")
        elif form == "csv":
            write_csv(file, self.columns, self.rows())
        elif form == "markdown":
            file.write(self.markdown() + "\n")
        else:
            self.print_to(file, width)

    def print_to(self, file: TextIO, width: int) -> None:
        """Print title, tables and paragraphs for a terminal, a blank line between them."""
        from rich.console import Console

        class Plain(Console):
            """Leaves it to the caller what happens where nobody reads."""

            def on_broken_pipe(self) -> None:
                """Pass the error on."""
                raise

        console = Plain(file=file, width=width, highlight=False)
        if self.title:
            Paragraph(self.title).print_on(console)
        for place, part in enumerate(self.parts()):
            if place or self.title:
                console.print()
            part.print_on(console)

    def markdown(self) -> str:
        """Tables and paragraphs as Markdown, without the title."""
        return "\n\n".join(part.markdown() for part in self.parts())

    def json(self) -> str:
        """The data as JSON. Raises ValueError for a number that is not finite."""
        return json.dumps(self.data(), indent=2, ensure_ascii=False, allow_nan=False)


def columns_table(columns: Iterable[Column]) -> Table:
    """What columns mean, as docs/ shows it.

    >>> effort = Column("effort", "mean effort of the labels", "share of full effort")
    >>> print(columns_table([effort]).markdown().splitlines()[-1])
    | effort | share of full effort | mean effort of the labels |
    """
    rows = [
        [column.name, column.unit or NO_UNIT[column.kind], column.meaning] for column in columns
    ]
    return Table(["column", "unit", "what it is"], rows, words=(0, 1, 2))
