"""A document says the same in every format, and reads no markup in names."""

from __future__ import annotations

import csv
import io
import json

import pytest

import oversight
from oversight import Study
from oversight.core.columns import Column, format_number
from oversight.reports import comparison
from oversight.reports.document import Document, Format, Paragraph, Table

NAMES = ["[bold]a[/bold]", "b [red]", ":bug: c", "d | e", "[/]"]


def written(document: Document, form: Format, width: int = 140) -> str:
    file = io.StringIO()
    document.write(form, file, width)
    return file.getvalue()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("small") / "small.yaml"
    path.write_text(
        "oversight: 1\nreplicates: 3\nworld: {train_items: 200, test_items: 200, features: 8}\n"
        "protocols: {debate at the leaves: {decomposition: {checker: {debate: {}}}}}\n"
    )
    return oversight.load(path)


def document() -> Document:
    return Document(
        title="[i]title[/i]",
        parts=lambda: [
            Table(["name", "[u]x[/u]"], [[name, "0.50"] for name in NAMES], title="[b]of[/b]"),
            Paragraph("a [note] :bug:"),
        ],
        data=lambda: {"names": NAMES},
        columns=["name"],
        rows=lambda: [{"name": name} for name in NAMES],
    )


def test_no_markup_is_read_in_a_table() -> None:
    shown = written(document(), "table")
    for text in (*NAMES, "[i]title[/i]", "[u]x[/u]", "[b]of[/b]", "a [note] :bug:"):
        assert text in shown


def test_every_format_has_every_name() -> None:
    assert json.loads(written(document(), "json")) == {"names": NAMES}
    rows = csv.DictReader(io.StringIO(written(document(), "csv")))
    assert [row["name"] for row in rows] == NAMES
    markdown = written(document(), "markdown")
    assert markdown.startswith("[b]of[/b]\n\n| name | [u]x[/u] |\n| --- | ---: |\n")
    assert "| d \\| e | 0.50 |" in markdown


def test_only_what_is_rendered_is_computed() -> None:
    def fail() -> list[Paragraph]:
        raise AssertionError

    rows = Document("", fail, dict, ["a"], lambda: [{"a": 1}])
    assert written(rows, "csv") == "a\n1\n"
    assert written(rows, "json") == "{}\n"


@pytest.mark.parametrize("width", [80, 140])
def test_a_narrow_terminal_breaks_no_number(width: int, small: Study) -> None:
    results = oversight.compare(small)
    shown = written(comparison.document(results), "table", width)
    assert max(map(len, shown.splitlines())) <= width
    for row in results.summary():
        assert f"{row['student_accuracy']:.3f}" in shown


def test_cells_are_formatted_as_columns_declare() -> None:
    assert Column("a", "", format="+.2f").text(-0.001) == "+0.00"
    assert Column("a", "", kind="whole").text(12) == "12"
    assert Column("a", "", kind="flag").text(True) == "yes"
    assert Column("a", "", kind="text").text("x") == "x"
    assert Column("a", "", format=".3g%").text(1.0) == "100 %"
    assert Column("a", "").text(None) == "–"
    assert format_number(12.345, ".1f") == "12.3"
