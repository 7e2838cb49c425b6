"""Everything that can be plugged in, found through entry points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from oversight.core.config import nearest
from oversight.core.errors import PluginError

NEEDED = {
    "mechanisms": ("model_validate", "assess"),
    "failures": ("model_validate", "around", "can_strike"),
    "worlds": ("model_validate", "pool"),
    "students": ("model_validate", "fit"),
}
"""What a plugin of a group must have to be one."""


@dataclass(frozen=True)
class Plugins:
    """The plugins of one group, by name: those that loaded, and why the others did not."""

    group: str
    loaded: dict[str, Any]
    broken: dict[str, str]

    def get(self, name: str, besides: Iterable[str] = ()) -> Any:
        """The plugin of that name. Raises PluginError with the plugin's own error or the nearest
        name, among these and what the caller accepts `besides`."""
        if name in self.broken:
            raise PluginError(self.broken[name])
        if name not in self.loaded:
            raise PluginError(
                f"unknown {self.group.removesuffix('s')} {name!r}; "
                f"{nearest(name, sorted({*self.loaded, *besides}))} "
                "(one of your own? register it as an entry point and install its package again)"
            )
        return self.loaded[name]


@cache
def plugins(group: str) -> Plugins:
    """Every plugin of a group, imported."""
    return read(group, list(entry_points(group=f"oversight.{group}")))


def read(group: str, found: list[EntryPoint]) -> Plugins:
    """The plugins of a group from its entry points. Two plugins of one name are refused, each named with where it
    comes from."""
    by_name: dict[str, set[str]] = {}
    for entry in found:
        origin = f"{entry.value} from {entry.dist.name if entry.dist else 'an unknown package'}"
        by_name.setdefault(entry.name, set()).add(origin)
    loaded, broken = {}, {}
    for entry in found:
        origins = sorted(by_name[entry.name])
        if len(origins) > 1:
            broken[entry.name] = (
                f"two {group} are named {entry.name!r}: {' and '.join(origins)}; uninstall or "
                "rename one"
            )
            continue
        try:
            made = entry.load()
        except Exception as error:  # a stranger's import may fail in any way
            broken[entry.name] = (
                f"{group.removesuffix('s')} {entry.name!r} ({origins[0]}) does not import: "
                f"{type(error).__name__}: {error}"
            )
            continue
        missing = [part for part in NEEDED.get(group, ()) if not hasattr(made, part)]
        if missing:
            broken[entry.name] = (
                f"{group.removesuffix('s')} {entry.name!r} ({origins[0]}) is none: it has no "
                f"{missing[0]}; expected a subclass like those of oversight"
            )
        else:
            loaded[entry.name] = made
    return Plugins(group, loaded, broken)
