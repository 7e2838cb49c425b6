"""The commands as people type them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

import oversight
from oversight import Claims, Evidence, Mechanism, Study, Verdicts
from oversight.cli.main import main
from oversight.studies.scenario import names, shipped

PROMISED = [
    "scenario",
    "protocol",
    "failure",
    "severity",
    "replicates",
    "label_accuracy",
    "coverage",
    "representable_share",
    "weak_accuracy",
    "student_accuracy",
    "ceiling_accuracy",
    "pgr",
    "pgr_low",
    "pgr_high",
    "pgr_status",
    "oversight_gain",
    "generalization_gain",
    "auc",
    "brier",
    "calibration_error",
    "agreement_when_right",
    "agreement_when_wrong",
    "human_minutes_per_item",
    "model_calls_per_item",
]
SMALL = """\
oversight: 1
name: small
about: a scenario that a test can wait for
replicates: 3
world: {train_items: 400, test_items: 400, features: 8}
protocols:
  unaided: {direct: {}}
  debate: {debate: {}}
  "a, b | c": {decomposition: {}}
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def run(*words: str) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_json_has_the_promised_names(small: Path) -> None:
    answer = json.loads(run("compare", "small.yaml", "--format", "json"))
    assert answer["scenario"] == "small"
    assert [row["protocol"] for row in answer["rows"]] == ["unaided", "debate", "a, b | c"]
    for row in answer["rows"]:
        assert list(row)[: len(PROMISED)] == PROMISED
        assert row["failure"] == ""
        assert row["severity"] == 0
        assert row["replicates"] == 3
    assert len(answer["differences"]) == 3


def test_csv_and_json_and_markdown_agree(small: Path) -> None:
    rows = json.loads(run("compare", "small.yaml", "--format", "json"))["rows"]
    table = list(csv.DictReader(io.StringIO(run("compare", "small.yaml", "--format", "csv"))))
    for row, line in zip(rows, table, strict=True):
        for key, value in row.items():
            assert line[key] == ("" if value is None else str(value))
    markdown = run("compare", "small.yaml", "--format", "markdown").splitlines()
    assert markdown[0].startswith("| protocol | PGR |")
    assert "a, b \\| c" in markdown[4]
    assert f"{rows[1]['label_accuracy']:.3f}" in markdown[3]


def test_undefined_is_said_in_every_format(small: Path) -> None:
    expert = SMALL + "overseer: {accuracy: {root: 0.95, leaf: 0.99}}\n"
    (small / "expert.yaml").write_text(expert)
    assert "PGR undefined: ceiling - weak is" in run("compare", "expert.yaml")
    row = json.loads(run("compare", "expert.yaml", "--format", "json"))["rows"][0]
    assert row["pgr"] is None
    assert row["pgr_status"].startswith("undefined: ")
    line = next(csv.DictReader(io.StringIO(run("compare", "expert.yaml", "--format", "csv"))))
    assert line["pgr"] == ""


def test_options_replace_what_the_file_says(small: Path) -> None:
    plain = run("compare", "small.yaml", "--format", "csv")
    assert plain == run("compare", "small.yaml", "--format", "csv", "--seed", "0")
    assert plain != run("compare", "small.yaml", "--format", "csv", "--seed", "1")
    assert ",2," in run("compare", "small.yaml", "--format", "csv", "--replicates", "2")


def test_a_plain_run_writes_nothing(small: Path) -> None:
    run("compare", "small.yaml")
    assert [path.name for path in small.iterdir()] == ["small.yaml"]


def test_the_real_command_from_another_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oversight", "compare", "quickstart", "--replicates", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tree debate" in done.stdout
    assert "2 replicates" in done.stdout


def test_check_tells_what_is_fine_and_what_is_not(small: Path) -> None:
    assert "small.yaml: ok, 3 protocols" in run("check", "small.yaml", "quickstart")
    (small / "bad.yaml").write_text("oversight: 1\n")
    done = CliRunner().invoke(main, ["check", "small.yaml", "bad.yaml"])
    assert done.exit_code == 2
    assert "small.yaml: ok" in done.stdout
    assert CliRunner().invoke(main, ["check"]).exit_code == 2


@pytest.mark.parametrize("scenario", names())
def test_what_check_shows_is_the_scenario(scenario: str, tmp_path: Path) -> None:
    shown = run("check", "--show", scenario)
    for tree in (*shipped().glob("*.json"), *shipped().glob("*.graphml")):
        (tmp_path / tree.name).write_bytes(tree.read_bytes())
    (tmp_path / "shown.yaml").write_text(shown)
    again, study = oversight.load(tmp_path / "shown.yaml"), oversight.load(scenario)
    assert again.identity() == study.identity()
    assert again.cells.keys() == study.cells.keys()
    assert again.resolved() == study.resolved()


def test_the_schema_accepts_what_the_program_accepts() -> None:
    schema = json.loads(run("check", "--schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    valid = jsonschema.Draft202012Validator(schema)
    for name in names():
        plain = json.loads(json.dumps(YAML(typ="safe").load(shipped() / f"{name}.yaml")))
        assert [error.message for error in valid.iter_errors(plain)] == []
    good: dict[str, Any] = {"oversight": 1, "protocols": {"a": "direct"}}
    assert valid.is_valid(good)
    published = Path(__file__).parent.parent / "docs" / "scenario.schema.json"
    assert json.loads(published.read_text()) == schema, "renew: oversight check --schema"
    for bad in (
        {"protocols": {"a": "direct"}},
        {**good, "replicats": 3},
        {**good, "replicates": 0},
        {**good, "protocols": {}},
        {**good, "protocols": {"a": {"debat": {}}}},
        {**good, "protocols": {"a": {"debate": {"turms": 3}}}},
        {**good, "protocols": {"a": {"decomposition": {"checker": {"debate": {"turns": -1}}}}}},
    ):
        assert not valid.is_valid(bad), bad


@pytest.mark.parametrize("what", ["mechanisms", "worlds", "students", "scenarios"])
def test_listings_have_a_line_each(what: str) -> None:
    lines = run("list", what).splitlines()
    wanted = {"mechanisms": "recursive_reward_modeling", "worlds": "concept", "students": "linear"}
    assert any(line.startswith(wanted.get(what, "quickstart")) for line in lines)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


def test_help_answers_without_heavy_libraries() -> None:
    code = (
        "import sys; from oversight.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'scipy', 'pydantic', 'networkx', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


class Fragile(Mechanism):
    """Raises in one replicate."""

    name = "fragile"

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        if self.pool.draws.key[1] == 1:
            raise ZeroDivisionError("a bug of its author")
        return Verdicts.of(np.where(self.pool.gold, 1.0, -1.0))


def test_a_mechanism_that_raises_costs_only_its_own_cell(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oversight.cli import options

    plain = options.load("small.yaml")
    parts = {key: getattr(plain, key) for key in Study.model_fields}
    parts["protocols"] = {**plain.protocols, "fragile": Fragile()}
    study = Study.model_validate(parts)
    monkeypatch.setattr(options, "load", lambda scenario: study)
    done = CliRunner().invoke(main, ["compare", "small.yaml", "--format", "json"])
    assert done.exit_code == 1
    rows = {row["protocol"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["fragile"]["replicates"] == 2
    assert rows["debate"]["replicates"] == 3
    assert "fragile, replicate 1: ZeroDivisionError: a bug of its author" in done.stderr
    assert "test_command_line.py:" in done.stderr
