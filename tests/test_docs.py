"""The documents' code runs, and the README shows what the program prints."""

from __future__ import annotations

import csv
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import oversight
from oversight.cli.main import main
from oversight.core.plugins import plugins
from oversight.metrics import closed_forms

ROOT = Path(__file__).parent.parent


def blocks(path: str, language: str) -> list[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_plugins_of_the_plugin_page_keep_their_contracts(tmp_path: Path) -> None:
    files = blocks("docs/plugins.md", "python")
    for text in files:
        name = text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(text, encoding="utf-8")
    tests = sorted(path.name for path in tmp_path.glob("test_*.py"))
    assert tests == [
        "test_blurred.py",
        "test_hesitation.py",
        "test_nearest_mean.py",
        "test_second_opinion.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not process"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_scenario_of_the_readme_loads(tmp_path: Path) -> None:
    (scenario,) = blocks("README.md", "yaml")
    (tmp_path / "mine.yaml").write_text(scenario)
    assert list(oversight.load(tmp_path / "mine.yaml").cells) == [
        "unaided",
        "decomposition",
        "debate at the leaves",
    ]


def markdown_table(path: str, header: str) -> list[list[str]]:
    """Cells of the rows below a table's header, as text."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    start = lines.index(header) + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def near(shown: str, printed: str) -> bool:
    """Whether two numbers are equal, as between processors: within .002 or 1 in the last digit."""
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - float(printed)) <= max(0.002, 10.0**-digits) + 1e-9


NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def quickstart() -> list[str]:
    return CliRunner().invoke(main, ["compare", "quickstart"]).stdout.splitlines()


def test_the_table_of_the_readme_is_real(quickstart: list[str]) -> None:
    printed = [re.split(r"\s{2,}", line.strip()) for line in quickstart]
    start = next(i for i, row in enumerate(printed) if row[0] == "protocol")
    head = printed[start]
    rows = {row[0]: dict(zip(head, row, strict=True)) for row in printed if len(row) == len(head)}
    shown = markdown_table(
        "README.md", "| protocol | PGR | label accuracy | human minutes an item |"
    )
    assert [row[0] for row in shown] == [name for name in rows if name != "protocol"]
    for protocol, *numbers in shown:
        real = [rows[protocol][column] for column in ("PGR", "label accuracy", "min/item")]
        assert all(near(*pair) for pair in zip(numbers, real, strict=True)), protocol


def test_the_whole_output_in_the_results_page_is_real(quickstart: list[str]) -> None:
    """Words are equal and numbers near: last bits may turn one item in 4,000."""
    (block,) = (b for b in blocks("docs/results.md", "text") if b.startswith("$ oversight compare"))
    shown = block.splitlines()[1:]
    while quickstart and not quickstart[-1]:
        quickstart = quickstart[:-1]
    assert len(shown) == len(quickstart)
    for mine, real in zip(shown, quickstart, strict=True):
        assert NUMBER.sub("", mine).split() == NUMBER.sub("", real).split()
        pairs = zip(NUMBER.findall(mine), NUMBER.findall(real), strict=True)
        assert all(near(*pair) for pair in pairs), real


def test_the_readme_is_short_and_its_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 140
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("README.md", "python")
    exec(compile(example, "README.md", "exec"), {"__name__": "example"})
    assert (tmp_path / "summary.csv").exists()


def reference(name: str) -> list[dict[str, str]]:
    """Rows of a checked-in result, by column."""
    with (ROOT / "results" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_of_the_students_page_is_the_reference_results() -> None:
    header = "| scenario | student.weight | PGR without | PGR with | because |"
    for where, weight, *shown, _ in markdown_table("docs/students.md", header):
        scenario, point = where.split(", ")
        knob, _, value = point.partition(" ")
        for number, tried in zip(shown, (0.0, float(weight)), strict=True):
            (pgr,) = (
                row["pgr"]
                for row in reference(f"{scenario}/summary.csv")
                if float(row["student.weight"]) == tried
                and (row["protocol"] == knob if not value else float(row[knob]) == float(value))
            )
            assert near(number, f"{float(pgr):.2f}"), where


@pytest.mark.slow
def test_the_curves_of_the_students_page_are_real(tmp_path: Path) -> None:
    scenario = oversight.load("confidence-loss-hurts").still
    student, places = scenario.student, {"plain": (1, 2), "half": (3, 4), "balance": (5, 6)}
    header = (
        "| epoch | wrong labels, plain | right, plain | wrong labels, half | right, half "
        "| wrong labels, balance | right, balance |"
    )
    shown = markdown_table("docs/students.md", header)
    for name, place in places.items():
        loss = {"loss": "cross-entropy"} if name == "plain" else {"threshold": name}
        study = scenario.changed(student=student.changed(**loss))
        rows = list(oversight.compare(study, out=tmp_path / name).curves())
        for row in shown:
            at = [each for each in rows if each["epoch"] == int(row[0])]
            assert len(at) == study.replicates
            columns = ("agreement_when_wrong", "student_accuracy")
            for number, column in zip(place, columns, strict=True):
                mean = sum(each[column] for each in at) / len(at)
                assert near(row[number], f"{mean:.3f}"), (name, row[0], column)


def test_the_tables_of_the_hybrids_page_are_the_reference_results() -> None:
    columns = ("pgr", "human_minutes_per_item", "model_calls_per_item")
    real = {row["protocol"]: row for row in reference("code-review/summary.csv")}
    for protocol, *shown in markdown_table(
        "docs/hybrids.md", "| protocol | PGR | minutes | calls |"
    ):
        for number, column in zip(shown, columns, strict=True):
            assert near(number, real[protocol][column]), (protocol, column)
    names = {
        "two reviewers": "taken apart, two reviewers",
        "the suspicious audited": "contested, the suspicious audited",
    }
    header = next(
        line
        for line in (ROOT / "docs/hybrids.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| failure |")
    )
    protocols = [cell.strip() for cell in header.strip("|").split("|")][1:]
    breaks = {
        (row["failure"], row["protocol"]): row
        for row in reference("code-review/breaks.csv")
        if row["measure"] == "label accuracy"
    }
    for failure, *shown in markdown_table("docs/hybrids.md", header):
        for protocol, cell in zip(protocols, shown, strict=True):
            row = breaks[failure, names.get(protocol, protocol)]
            if cell == "–":
                assert row["status"].startswith("not applicable"), (failure, protocol)
            elif cell == "never":
                assert row["status"] == "never", (failure, protocol)
            else:
                assert row["status"] == "breaks", (failure, protocol)
                assert near(cell.rstrip("!"), row["severity"]), (failure, protocol)
                assert cell.endswith("!") == (row["silent"] == "True"), (failure, protocol)


PLAYED = "docs/playing-to-win.md"


def game(name: str) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of a game's reference results, by protocol and strategy."""
    return {(row["protocol"], row["strategy"]): row for row in reference(f"{name}/play.csv")}


def noticed(shown: str, row: dict[str, str]) -> bool:
    if shown == "–":
        return row["signal"] == "none"
    return abs(float(shown.rstrip(" %")) / 100 - float(row["detection_power"])) <= 0.00501


def test_the_losses_of_the_page_on_playing_to_win_are_the_reference_results() -> None:
    real = game("trusting-the-model")
    columns = [
        "honest",
        "lies at random",
        "lies where the judge is weak",
        "lies where the judge is weak, rivals",
    ]
    table = markdown_table(PLAYED, f"| protocol | {' | '.join(columns)} | noticed |")
    assert {protocol for protocol, *_ in table} == {protocol for protocol, _ in real}
    for protocol, *losses, power in table:
        for shown, strategy in zip(losses, columns, strict=True):
            assert near(shown, real[protocol, strategy]["loss"]), (protocol, strategy)
        assert noticed(power, real[protocol, columns[2]]), protocol


def test_the_audits_of_the_page_on_playing_to_win_are_the_reference_results() -> None:
    real = game("audit-game")
    lies = ["lies at random", "lies where nobody looks", "lies where the judge is weak"]
    audits = markdown_table(PLAYED, f"| audited | {' | noticed | '.join(lies)} | noticed |")
    for protocol, *cells in audits:
        healthy = float(real[protocol, "honest"]["loss"])
        for cost, power, strategy in zip(cells[::2], cells[1::2], lies, strict=True):
            row = real[protocol, strategy]
            assert near(cost, str(float(row["loss"]) - healthy)), (protocol, strategy)
            assert noticed(power, row), (protocol, strategy)
    page = (ROOT / PLAYED).read_text(encoding="utf-8")
    stopped = [closed_forms.audit_before_use(a) for a in (0.02, 0.05, 0.1, 0.2, 0.4)]
    assert ", ".join(f"{chance:.2f}"[1:] for chance in stopped) in page


def test_the_worst_cases_of_the_page_on_playing_to_win_are_the_reference_results() -> None:
    rows = reference("software-engineering-under-attack/worst.csv")
    real = {row["protocol"]: row for row in rows}
    table = markdown_table(PLAYED, "| protocol | worst loss | fresh |")
    assert {protocol for protocol, *_ in table} == set(real)
    for protocol, loss, fresh in table:
        assert near(loss, real[protocol]["loss"]), protocol
        assert near(fresh, real[protocol]["fresh"]), protocol


def test_the_hours_of_the_desk_page_are_the_reference_results() -> None:
    page = (ROOT / "docs/desk.md").read_text(encoding="utf-8")
    lines = page[page.index("PGR by person-hours") :].split("```")[0].splitlines()[2:]
    budgets = [float(word) for word in lines[0].split()[1:-1]]
    real = {
        (row["protocol"], float(row["desk.hours"])): row
        for row in reference("equal-hours/summary.csv")
    }
    for line in itertools.takewhile(str.strip, lines[1:]):
        protocol, *cells = re.split(r"\s{2,}", line.strip())
        assert len(cells) == len(budgets) + 1
        for budget, cell in zip(budgets, cells, strict=False):
            row = real[protocol, budget]
            if cell == "undefined":
                assert row["pgr_status"].startswith("undefined"), (protocol, budget)
                continue
            value, half = cell.split(" ±")
            spread = (float(row["pgr_high"]) - float(row["pgr_low"])) / 2
            assert near(value, row["pgr"]), (protocol, budget)
            assert near(half, str(spread)), (protocol, budget)


def test_where_the_desk_page_says_that_a_protocol_overtakes() -> None:
    page = (ROOT / "docs/desk.md").read_text(encoding="utf-8")
    shown = re.findall(
        r"^(.+) overtakes (.+) at person-hours (\S+) \(95 %: (\S+) to (\S+)\)\.$",
        page,
        re.MULTILINE,
    )
    real = reference("equal-hours/crossings.csv")
    assert [words[:2] for words in shown] == [(r["ahead_above"], r["ahead_below"]) for r in real]
    for words, row in zip(shown, real, strict=True):
        for number, column in zip(words[2:], ("value", "low", "high"), strict=True):
            assert float(number) == pytest.approx(float(row[column]), rel=0.01), (words, column)


def test_the_excerpt_of_the_failures_page_is_the_reference_result() -> None:
    (block,) = (b for b in blocks("docs/failures.md", "") if b.startswith("failure  "))
    heads, *lines = [re.split(r"\s{2,}", line.strip()) for line in block.splitlines()]
    real = {
        (row["failure"].replace(" ", "_"), row["protocol"]): row
        for row in reference("whole-catalogue/breaks.csv")
        if row["measure"] == "label accuracy"
    }
    assert len(lines) == 2
    for failure, *cells in lines:
        for protocol, cell in zip(heads[1:], cells, strict=True):
            row = real[failure, protocol]
            words = {"never": "never", "start": "from the start", "–": "not applicable"}
            if cell in words:
                assert row["status"].startswith(words[cell]), (failure, protocol)
                continue
            assert row["status"] == "breaks", (failure, protocol)
            assert near(cell.rstrip("!"), row["severity"]), (failure, protocol)
            assert cell.endswith("!") == (row["silent"] == "True"), (failure, protocol)


def test_the_ranking_of_the_failures_page_is_the_reference_result() -> None:
    header = "| protocol | worst PGR | 95 % | given by | mean PGR | healthy PGR |"
    columns = ("worst_pgr", "worst_pgr_low", "worst_pgr_high", "mean_pgr", "healthy_pgr")
    real = reference("whole-catalogue/ranking.csv")
    shown = markdown_table("docs/failures.md", header)
    assert [row[0] for row in shown] == [row["protocol"] for row in real]
    for (_, worst, interval, given_by, *rest), row in zip(shown, real, strict=True):
        assert given_by == row["worst"]
        for number, column in zip((worst, *interval.split(" to "), *rest), columns, strict=True):
            assert near(number, row[column]), (row["protocol"], column)


def test_how_many_breaks_are_silent_as_the_failures_page_says() -> None:
    page = " ".join((ROOT / "docs/failures.md").read_text(encoding="utf-8").split())
    (shown,) = re.findall(r"(\d+) of (\d+) in `whole-catalogue`", page)
    rows = [r for r in reference("whole-catalogue/breaks.csv") if r["status"] == "breaks"]
    assert shown == (str(sum(row["silent"] == "True" for row in rows)), str(len(rows)))


def test_the_catalogue_of_the_failures_page_is_what_is_shipped() -> None:
    """Roles, knob, its value at severity 1, the stated severity and the source; by the program's
    words."""
    heads = "| failure | strikes | what happens | severity turns | at 1 | counts at | source |"
    lines = (ROOT / "docs/failures.md").read_text(encoding="utf-8").splitlines()
    shown = {}
    for start in (i for i, line in enumerate(lines) if line == heads):
        for line in itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :]):
            name, roles, _, *rest = (cell.strip() for cell in line.strip("|").split("|"))
            shown[name] = (roles, *rest)
    real = {}
    for name, kind in plugins("failures").loaded.items():
        made = kind()
        numbers = (f"{made.most:g}", f"{made.stated:.3g}")
        real[name] = (", ".join(kind.can_strike), kind.knob, *numbers, kind.source)
    assert shown == real


def test_the_ladders_of_the_mechanisms_page_are_real() -> None:
    page = " ".join((ROOT / "docs/mechanisms.md").read_text(encoding="utf-8").split())
    (sentence,) = re.findall(r"In quickstart, `direct` has a PGR of .*?\.(?= )(?! \d)", page)
    shown = re.findall(r"(?<![\d.])-?\.\d\d", sentence)
    ladders = {
        "one": {"rungs": [32]},
        "eight": {"rungs": [8]},
        "nested": {"rungs": [8, 16, 32], "nested": True},
        "apart": {"rungs": [8, 16, 32]},
    }
    protocols = {"direct": "direct"} | {name: {"ladder": it} for name, it in ladders.items()}
    quickstart = oversight.load("quickstart").changed(protocols=protocols)
    results = oversight.compare(quickstart)
    assert len(shown) == len(results.protocols) == 5, sentence
    for number, protocol in zip(shown, results.protocols, strict=True):
        assert near(number, str(results.pgr(protocol).value)), (sentence, protocol)


@pytest.mark.slow
def test_the_python_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for example in blocks("docs/python.md", "python"):
        exec(compile(example, "docs/python.md", "exec"), {"__name__": "example"})


@pytest.mark.parametrize(
    ("words", "completed"),
    [("oversight st", "stress"), ("oversight compare q --prec", "--precision")],
)
def test_the_shell_completes_as_the_readme_says(words: str, completed: str) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert '`eval "$(_OVERSIGHT_COMPLETE=bash_source oversight)"`' in page
    typed = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    for how, expected in (
        ("bash_source", "_OVERSIGHT_COMPLETE=bash_complete"),
        ("bash_complete", completed),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "oversight"],
            env={**os.environ, "_OVERSIGHT_COMPLETE": how, **typed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert expected in done.stdout


PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_between_pages(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", sorted(PAGES))
def test_paths_in_pages_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"`((?:oversight|mechanisms|tests|benchmarks|results)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_map_has_the_rooms_in_import_order() -> None:
    from .test_rooms import ORDER

    rows = markdown_table("CONTRIBUTING.md", "| room | what lives there |")
    assert [row[0].strip("`") for row in rows] == list(ORDER)


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"]({page.name})" in index, page.name


def test_every_knob_is_in_the_scenario_page() -> None:
    from oversight.overseers.slots import overseers

    page = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")
    for kind in overseers().loaded.values():
        for key in kind.file_keys():
            assert re.search(rf"\b{key}\b", page), f"{kind.name}: {key}"


def test_every_failure_is_in_its_page() -> None:
    from oversight.core.plugins import plugins

    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    scenarios = (ROOT / "docs" / "scenario-files.md").read_text(encoding="utf-8")
    for name, kind in plugins("failures").loaded.items():
        roles = ", ".join(kind.can_strike)
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {name} | {roles} |"))
        for told in (kind.knob, kind.source, f"| {kind().most:g} |"):
            assert told in line, name
        for key in kind.file_keys():
            assert re.search(rf"\b{key}\b", scenarios), f"{name}: {key}"


def test_the_failures_of_the_scenario_page_load(tmp_path: Path) -> None:
    (section,) = (b for b in blocks("docs/scenario-files.md", "yaml") if b.startswith("failures"))
    whole = "oversight: 1\nprotocols: {debate: debate}\n" + section
    (tmp_path / "mine.yaml").write_text(whole)
    assert len(oversight.load(tmp_path / "mine.yaml").failures) == 3


def test_the_pages_have_the_tables_of_columns() -> None:
    from oversight.desk.metrics import COLUMNS as DESK
    from oversight.findings import columns
    from oversight.reports.document import columns_table

    results = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    for declared in (
        [column for column in columns.SUMMARY if column not in DESK],
        [column for column in columns.RUNS if column not in columns.SUMMARY],
        columns.DIFFERENCE,
        columns.CROSSING,
        columns.BREAK,
        columns.RANKING,
        columns.INDEX,
        columns.DESIGN[len(columns.SUMMARY) :],
    ):
        assert columns_table(declared).markdown() in results
    play = (ROOT / "docs" / "play.md").read_text(encoding="utf-8")
    for declared in (columns.PLAY, columns.WORST, columns.EQUILIBRIUM):
        assert columns_table(declared).markdown() in play
    assert columns_table(DESK).markdown() in (ROOT / "docs" / "desk.md").read_text(encoding="utf-8")


def test_every_number_has_a_unit() -> None:
    from oversight.findings import columns

    several = (columns.RUNS, columns.DESIGN, columns.BREAK, columns.INDEX, columns.CROSSING)
    for declared in (*several, columns.PLAY, columns.WORST, columns.EQUILIBRIUM):
        for column in declared:
            assert column.meaning, column.name
            assert column.unit or column.kind != "number", column.name


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_fences_stand_alone(page: str) -> None:
    """A fence at the end of a line of code does not close its block."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "```" in line and not line.strip().startswith("```")] == []
    assert sum(line.strip().startswith("```") for line in lines) % 2 == 0
