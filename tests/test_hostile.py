"""Plugins that do what they must not: the blame, and the loss, is theirs alone."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field, PrivateAttr, SkipValidation

import oversight
from mechanisms.direct import Direct
from mechanisms.recursive_reward_modeling import RecursiveRewardModeling
from mechanisms.vote import Vote
from oversight import (
    Claims,
    Evidence,
    Human,
    Mechanism,
    Pool,
    Setting,
    Study,
    Verdicts,
)
from oversight.components.overseer import PreparedMechanism
from oversight.failures.base import OverseerFailure, StudentFailure
from oversight.failures.injection import Injection
from oversight.running.replicate import Replicate, run_replicate
from oversight.studies.cases import Case
from oversight.testing import FailureContract, MechanismContract
from oversight.testing.kit import ordinary

Act = Callable[["Vandal", Claims], Verdicts | None]


class Vandal(Mechanism):
    """Does something to what it is given, and then knows nothing."""

    name = "vandal"
    act: SkipValidation[Any] = Field(None, exclude=True)

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        changed = self.act(self, claims)
        return Verdicts.of(np.zeros(claims.shape)) if changed is None else changed


def study(**changes: Any) -> Study:
    plain: dict[str, Any] = {
        "world": {"train_items": 200, "test_items": 200, "features": 6},
        "protocols": {"debate": {"debate": {"tree": True}}, "parts": "decomposition"},
    }
    return Study.model_validate({**plain, **changes})


def beside(act: Act, **changes: Any) -> tuple[Replicate, Replicate]:
    """A replicate without the vandal, and one in which the vandal comes first."""
    alone = study(**changes)
    with_it = alone.model_copy(update={"protocols": {"vandal": Vandal(act=act), **alone.protocols}})
    return run_replicate(alone, 0), run_replicate(with_it, 0)


def assert_kept(alone: Replicate, beside: Replicate) -> None:
    """Assert that everybody has the numbers that they have alone, bit for bit."""
    assert set(beside.rows) >= set(alone.rows)
    for case, row in alone.rows.items():
        assert np.array_equal(row, beside.rows[case], equal_nan=True), case


def zero(array: Any) -> None:
    """Write into an array."""
    array[...] = 0


WRITES: dict[str, Act] = {
    "x": lambda v, c: zero(v.pool.x),
    "gold": lambda v, c: zero(v.pool.gold),
    "intended": lambda v, c: zero(v.pool.intended),
    "everyone": lambda v, c: zero(v.pool.everyone),
    "features of the root": lambda v, c: zero(v.pool.features(c)),
    "features of a part": lambda v, c: zero(v.pool.features(v.pool.claims(1))),
    "draws": lambda v, c: zero(v.chance(c).uniform("luck")),
    "items of claims": lambda v, c: zero(c.item),
    "nodes of claims": lambda v, c: c.node.__iadd__(1),
    "roots": lambda v, c: v.pool.roots.node.__iadd__(1),
    "heights": lambda v, c: zero(v.pool.tree.heights),
    "leaves": lambda v, c: zero(v.pool.tree.leaves),
    "priors": lambda v, c: zero(v.pool.tree.priors),
    "marginals": lambda v, c: zero(v.pool.tree.marginals),
    "prior log-odds": lambda v, c: zero(v.pool.tree.prior_log_odds),
    "children": lambda v, c: zero(v.pool.tree.child_table),
    "a gate's table": lambda v, c: zero(v.pool.tree.gate[0].outputs),  # type: ignore[union-attr]
    "a gate's bits": lambda v, c: zero(v.pool.tree.gate[0].bits),  # type: ignore[union-attr]
    "another x": lambda v, c: setattr(v.pool, "x", np.zeros_like(v.pool.x)),
    "another gold": lambda v, c: setattr(v.pool, "gold", ~v.pool.gold),
}


@pytest.mark.parametrize("what", WRITES)
def test_who_writes_into_what_all_share_fails_alone(what: str) -> None:
    """Everybody else keeps their numbers, bit for bit; the error names the plugin and the line."""
    alone, beside_it = beside(WRITES[what])
    assert_kept(alone, beside_it)
    (failed,) = beside_it.failed
    assert failed.case == Case("vandal")
    assert failed.error.startswith("vandal writes into what it was given")
    assert "expected a copy" in failed.error
    assert "test_hostile.py" in failed.traceback


@pytest.mark.parametrize("name", ["margin", "misconception", "truth"])
def test_what_a_pool_knows_of_claims_is_safe(name: str) -> None:
    """Arrays made for who asks may be written into; nobody else sees it."""

    def act(vandal: Vandal, claims: Claims) -> None:
        for node in (0, 1):
            array = getattr(vandal.pool, name)(vandal.pool.claims(node))
            if array.flags.writeable:
                zero(array)

    alone, beside_it = beside(act)
    assert_kept(alone, beside_it)


class Eraser(OverseerFailure):
    """Writes into the healthy verdicts, which other cases share."""

    name = "eraser"
    can_strike = ("labels",)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        verdicts.evidence[:] = 0
        return verdicts


def test_a_failure_that_writes_into_verdicts_fails_alone() -> None:
    alone = run_replicate(study(), 0)
    struck = study().model_copy(update={"failures": {"eraser": Injection(together=(Eraser(),))}})
    cases = [Case("debate", "eraser", 1.0), Case("unaided"), Case("debate"), Case("parts")]
    done = run_replicate(struck, 0, cases)
    assert_kept(alone, done)
    (failed,) = done.failed
    assert failed.error.startswith("eraser writes into what it was given")


def given(**changes: Any) -> Act:
    """A protocol whose verdicts have some arrays replaced by what a function makes of them."""

    def act(vandal: Vandal, claims: Claims) -> Verdicts:
        plain = Verdicts.of(np.where(vandal.pool.gold, 1.0, -1.0)[claims.item])
        return replace(
            plain, **{name: change(getattr(plain, name)) for name, change in changes.items()}
        )

    return act


def second(value: float) -> Callable[[Any], Any]:
    """The same array but for one value."""
    return lambda array: np.where(np.arange(array.size) == 1, value, array)


WRONG: dict[str, tuple[Act, str]] = {
    "nan": (given(evidence=second(np.nan)), "evidence nan on 1 of 200 claims, first on number 1"),
    "infinity": (given(evidence=second(np.inf)), "evidence inf on 1 of 200"),
    "nan prior": (given(prior=second(np.nan)), "prior nan on 1 of 200"),
    "negative minutes": (given(minutes=second(-1.0)), "minutes -1.0 on 1 of 200"),
    "nan minutes": (given(minutes=second(np.nan)), "expected finite numbers of at least 0"),
    "negative calls": (given(calls=second(-1.0)), "calls -1.0 on 1 of 200"),
    "too few": (given(evidence=lambda a: a[1:]), r"evidence of shape (199,) on claims of shape"),
    "a column": (given(evidence=lambda a: a[:, None]), "evidence of shape (200, 1)"),
    "one number": (given(evidence=lambda a: 0.3), "evidence of shape ()"),
    "words": (given(evidence=lambda a: a.astype(str)), "evidence of type <U"),
    "complex": (given(evidence=lambda a: a + 1j), "evidence of type complex128"),
    "marks": (given(labeled=lambda a: a.astype(int)), "labeled of type int64; expected True or"),
    "overrides": (
        given(overridden=lambda a: a.astype(int)),
        "overridden of type int64; expected True or",
    ),
    "disagreement": (
        given(disagreement=second(1.5)),
        "disagreement 1.5 on 1 of 200 claims, first on number 1; expected numbers from 0 to 1",
    ),
    "too few parts": (
        given(disagreement=lambda a: a[1:] + 0.5),
        "disagreement of shape (199,) on claims of shape (200,)",
    ),
    "nothing": (lambda v, c: "yes", "str instead of verdicts; expected Verdicts.of("),  # type: ignore[dict-item, return-value]
}


@pytest.mark.parametrize("labels", ["soft", "hard"])
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_verdicts_are_one_protocols_alone(wrong: str, labels: str) -> None:
    """They are refused where they come out; the error says what is wrong and what would be right,
    and where the code is."""
    act, message = WRONG[wrong]
    alone, beside_it = beside(act, student={"kind": "linear", "labels": labels})
    assert_kept(alone, beside_it)
    (failed,) = beside_it.failed
    assert failed.case == Case("vandal")
    assert failed.error.startswith("VerdictError: vandal gives ")
    assert message in failed.error
    assert "expected" in failed.error
    assert "test_hostile.py" in failed.origin


def test_wrong_verdicts_at_a_desk() -> None:
    act, message = WRONG["nan minutes"]
    alone, beside_it = beside(act, desk={"people": 2, "hours": 30})
    assert_kept(alone, beside_it)
    (failed,) = beside_it.failed
    assert message in failed.error


class Spendthrift(Vandal):
    """Its preparation gives minutes back."""

    def prepare(self, pool: Pool, setting: Setting) -> Spendthrift:
        return super().prepare(pool, setting).spending(-5.0, 0.0)


def test_a_wrong_fixed_cost_is_one_protocols_alone() -> None:
    alone = study()
    mixed = {"spendthrift": Spendthrift(act=lambda v, c: None), **alone.protocols}
    done = run_replicate(alone.model_copy(update={"protocols": mixed}), 0)
    assert_kept(run_replicate(alone, 0), done)
    assert "-5.0 minutes for its preparation" in done.failed[0].error


class Raving(StudentFailure):
    """A student who answers with NaN, or raises."""

    name = "raving"
    can_strike = ("student",)
    raises: bool = False

    def targets(self, belief: Any, answer: Any) -> Any:
        if self.raises:
            raise RuntimeError("no more")
        return np.full(belief.shape, np.nan)


@pytest.mark.parametrize("raises", [False, True])
def test_a_student_that_fails_fails_alone(raises: bool) -> None:
    """Students are fitted together; what one of them does costs the others nothing."""
    raving = Injection(together=(Raving(raises=raises),))
    struck = study().model_copy(update={"failures": {"raving": raving}})
    cases = [Case("unaided"), Case("debate", "raving", 1.0), Case("debate"), Case("parts")]
    done = run_replicate(struck, 0, cases)
    assert_kept(run_replicate(study(), 0), done)
    assert [failed.case for failed in done.failed] == [cases[1]]


class Worse(BaseException):
    """Neither an Exception nor Ctrl-C."""


def raising(error: BaseException) -> Act:
    """A protocol that raises."""

    def act(vandal: Vandal, claims: Claims) -> None:
        raise error

    return act


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit(3), Worse("x"), GeneratorExit()])
def test_who_ends_the_program_is_a_failed_cell(error: BaseException) -> None:
    alone, beside_it = beside(raising(error))
    assert_kept(alone, beside_it)
    (failed,) = beside_it.failed
    assert failed.error.startswith("vandal tried to end the program")
    assert f"{type(error).__name__}: {error}" in failed.error


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        beside(raising(KeyboardInterrupt()))


LOUD = """
import sys
import numpy as np
from oversight import Mechanism, Verdicts

print("loud is imported")

class Loud(Mechanism):
    '''Prints whatever it does.'''

    name = "loud"

    def prepare(self, pool, setting):
        print("loud prepares")
        return super().prepare(pool, setting)

    def assess(self, claims, evidence=None):
        print("loud, assesses,", claims.shape)
        return Verdicts.of(np.where(self.pool.gold, 1.0, -1.0)[claims.item])

class Quitter(Loud):
    '''Ends the program.'''

    name = "quitter"

    def assess(self, claims, evidence=None):
        sys.exit(0)

class Picky(Loud):
    '''Ends the program when it is checked.'''

    name = "picky"

    def problems(self, world):
        sys.exit(0)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with plugins that print or end the program, found as installed ones are."""
    info = tmp_path / "loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (tmp_path / "loud.py").write_text(LOUD)
    (tmp_path / "gone.py").write_text("import sys\nprint('gone is imported')\nsys.exit(0)\n")
    (info / "entry_points.txt").write_text(
        "[oversight.mechanisms]\nloud = loud:Loud\nquitter = loud:Quitter\npicky = loud:Picky\n"
        "gone = gone:Gone\n"
    )
    for name in ("loud", "quitter", "picky", "gone", "direct"):
        (tmp_path / f"{name}.yaml").write_text(
            "oversight: 1\nreplicates: 2\nworld: {train_items: 100, test_items: 100}\n"
            f"protocols:\n  it: {{{name}: {{}}}}\n  debate: {{debate: {{}}}}\n"
        )
    return tmp_path


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with these plugins installed."""
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "oversight", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_plugin_prints_goes_to_stderr(installed: Path, jobs: str) -> None:
    """At import, in this process and in workers: what is printed as CSV or JSON stays clean."""
    done = command(installed, "compare", "loud.yaml", "-j", jobs, "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[0][:2] == ["scenario", "protocol"]
    assert "loud is imported" in done.stderr
    assert "loud, assesses, (100,)" in done.stderr
    done = command(installed, "compare", "loud.yaml", "-j", jobs, "--format", "json")
    assert json.loads(done.stdout)
    listed = command(installed, "list", "mechanisms")
    assert "Prints whatever it does." in listed.stdout
    assert "imported" not in listed.stdout
    assert command(installed, "check", "--show", "loud.yaml").stdout.startswith("oversight: 1")


def test_sys_exit_in_a_plugin_is_a_failed_cell(installed: Path) -> None:
    """The others are shown, the exit status is 1, and the message says who it was."""
    done = command(installed, "compare", "quitter.yaml")
    assert done.returncode == 1
    assert "debate" in done.stdout
    assert "quitter tried to end the program (SystemExit: 0)" in done.stderr
    assert "Traceback" not in done.stderr


def test_sys_exit_while_it_is_checked_is_no_success(installed: Path) -> None:
    done = command(installed, "check", "picky.yaml")
    assert done.returncode == 1
    assert "a plugin tried to end the program: SystemExit: 0" in done.stderr
    assert "loud.py" in done.stderr


def test_sys_exit_at_import_silences_nobody_else(installed: Path) -> None:
    """It is a broken plugin, and is reported as one where it is wanted."""
    assert command(installed, "compare", "direct.yaml").returncode == 0
    listed = command(installed, "list", "mechanisms")
    assert listed.returncode == 0
    assert "BROKEN: mechanism 'gone' (gone:Gone from loud)" in listed.stdout
    assert "does not import: SystemExit: 0" in listed.stdout
    wanted = command(installed, "check", "gone.yaml")
    assert wanted.returncode == 2
    assert "does not import: SystemExit: 0" in wanted.stderr


@pytest.mark.parametrize("keeps", ["state", "tuple", "attribute"])
def test_a_part_outside_slots_pays_its_preparation(keeps: str) -> None:
    """A part that a mechanism prepares and keeps in no slot costs what it costs in one."""
    part = RecursiveRewardModeling(samples=40)
    pool = study().world.pool(1, 0, "train")
    alone = part.prepare(pool, ordinary()).fixed_cost()
    assert alone.minutes > 0
    inside = Keeper(keeps=keeps).prepare(pool, ordinary()).fixed_cost()
    assert inside == alone
    assert (
        Vote(members=(Keeper(keeps=keeps), Human(), Human(person=1)))
        .prepare(pool, ordinary())
        .fixed_cost()
        == alone
    )


@dataclass(frozen=True, kw_only=True)
class Keeping(PreparedMechanism):
    """A prepared mechanism with a part that is in no slot."""

    helper: Any = None


class Keeper(Mechanism):
    """Prepares a part of its own, which is in no slot."""

    name = "keeper"
    keeps: str = "state"
    _helper: Any = PrivateAttr(None)

    def prepare(self, pool: Pool, setting: Setting) -> Keeper:
        prepared = super().prepare(pool, setting)
        part = RecursiveRewardModeling(samples=40).prepare(pool, setting)
        if self.keeps == "attribute":
            prepared._helper = part
            return prepared
        held = (part,) if self.keeps == "tuple" else part
        identity = prepared.bound.identity
        return prepared.with_prepared(Keeping(pool, setting, identity=identity, helper=held))


class Full(Mechanism):
    """Fails with MemoryError, or with another error."""

    name = "full"
    memory: bool = True

    def assess(self, claims: Claims, evidence: Evidence | None = None) -> Verdicts:
        raise MemoryError("no room") if self.memory else KeyError("x")


@pytest.mark.parametrize("memory", [True, False])
def test_out_of_memory_is_tried_again(memory: bool, tmp_path: Path) -> None:
    """It is the machine's failure: it does not stick, as other errors do until --retry."""
    mixed = {"replicates": 1, "protocols": {"it": Full(memory=memory)}}
    ran: list[int] = []
    for _ in range(2):
        ran.clear()
        done = oversight.compare(
            study().model_copy(update=mixed), out=tmp_path, progress=lambda r: ran.append(r.number)
        )
        assert len(done.failed) == 1
    assert len(ran) == (1 if memory else 0)


class Helpful(OverseerFailure):
    """Knows the truth: labels are right more often the more severe it is."""

    name = "helpful"
    knob = "share of labels that are put right"
    source = "nobody"
    can_strike = ("labels",)

    def say(self, claims: Claims, evidence: Evidence | None, verdicts: Verdicts) -> Verdicts:
        size = np.abs(verdicts.evidence) + 0.1
        right = np.where(self.pool.truth(claims), size, -size)
        return replace(verdicts, evidence=np.where(self.strikes(claims), right, verdicts.evidence))


class Excused(Helpful):
    """The same, and says why."""

    name = "excused"
    why_flat = "it knows the truth"


class HelpfulContract(FailureContract):
    """The contract of a failure that helps by so much."""

    def __init__(self, failure: Any) -> None:
        self.it = failure

    def failure(self) -> Any:
        return self.it

    def protocol(self) -> Any:
        return Direct()


def test_a_failure_that_helps_fails_its_contract() -> None:
    """All of them, or one label in six: seen. It passes the rest of the contract."""
    for most in (1.0, 0.5):
        contract = HelpfulContract(Helpful(most=most))
        contract.test_severity_0_changes_nothing()
        contract.test_severity_1_changes_something()
        with pytest.raises(AssertionError, match=r"label_accuracy rises by 0\.\d+"):
            contract.test_it_does_not_help()
    HelpfulContract(Excused()).test_it_does_not_help()


def unlock(pool: Any) -> None:
    """Write into x although it is read-only."""
    pool.x.flags.writeable = True
    pool.x[:] = 0


class VandalContract(MechanismContract):
    """The contract of a mechanism that writes."""

    def __init__(self, act: Act) -> None:
        self.act = act

    def mechanism(self) -> Any:
        return Vandal(act=self.act)


def test_who_writes_fails_its_contract() -> None:
    """Into the pool or a tree; with force too, and into the evidence."""
    VandalContract(lambda v, c: None).test_what_it_is_given_stays_as_it_was()
    for what in ("x", "heights", "a gate's table", "roots"):
        with pytest.raises(ValueError, match="read-only"):
            VandalContract(WRITES[what]).test_what_it_is_given_stays_as_it_was()
    with pytest.raises(AssertionError, match="x of the pool is changed"):
        VandalContract(lambda v, c: unlock(v.pool)).test_what_it_is_given_stays_as_it_was()
    with pytest.raises(ValueError, match="read-only"):
        HelpfulContract(Eraser()).test_what_it_is_given_stays_as_it_was()
