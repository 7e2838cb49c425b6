"""Settings of all tests."""

import pytest
from hypothesis import settings

# Machines are noisy: no example is judged by the time it took. The same examples every time.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Attacks take minutes: they run where they are asked for."""
    if "attack" in config.getoption("markexpr"):
        return
    attacks = [item for item in items if item.get_closest_marker("attack")]
    config.hook.pytest_deselected(items=attacks)
    items[:] = [item for item in items if item not in attacks]
