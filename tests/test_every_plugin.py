"""Nothing that oversight ships goes without its contract."""

from __future__ import annotations

import inspect
from importlib.metadata import distribution
from typing import Any

import pytest

from oversight.core.plugins import plugins
from oversight.testing import MechanismContract, StudentContract, WorldContract
from tests import (
    test_contracts,
    test_failure_contracts,
    test_student_contracts,
    test_world_contracts,
)


def under_contract(module: Any, contract: type, give: str) -> set[type]:
    """The classes that the contract tests of a module are about."""
    return {
        type(getattr(test(), give)())
        for _, test in inspect.getmembers(module, inspect.isclass)
        if issubclass(test, contract) and test is not contract
    }


def shipped(group: str) -> dict[str, Any]:
    """The plugins of oversight's own package, by name."""
    entries = distribution("oversight-simulator").entry_points.select(group=f"oversight.{group}")
    return {entry.name: plugins(group).get(entry.name) for entry in entries}


@pytest.mark.parametrize(
    ("group", "module", "contract", "give"),
    [
        ("mechanisms", test_contracts, MechanismContract, "mechanism"),
        ("worlds", test_world_contracts, WorldContract, "world"),
        ("students", test_student_contracts, StudentContract, "student"),
    ],
)
def test_every_plugin_has_a_contract_test(
    group: str, module: Any, contract: type, give: str
) -> None:
    kinds = under_contract(module, contract, give)
    assert {name for name, kind in shipped(group).items() if kind not in kinds} == set()


def test_every_failure_has_a_contract_test() -> None:
    assert set(shipped("failures")) == set(test_failure_contracts.STRUCK)
