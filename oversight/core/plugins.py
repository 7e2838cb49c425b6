"""Everything that can be plugged in, found through entry points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from oversight.core.config import nearest
from oversight.core.errors import PluginError

Kind = Any
"""A class that a stranger may have written: a Config that has what `NEEDED` says of its group."""

NEEDED = {
    "mechanisms": ("model_validate", "assess"),
    "failures": ("model_validate", "around", "can_strike"),
    "worlds": ("model_validate", "pool"),
    "students": ("model_validate", "fit"),
}
"""What a plugin of a group must have to be one."""
GROUPS = tuple(NEEDED)
"""What can be plugged in."""


@dataclass(frozen=True)
class Plugins:
    """Classes that a scenario can name, by name.

    group   what they are, in the plural, as in "worlds"
    loaded  the classes that can be used
    broken  why the others cannot
    needed  what each must have to be one
    """

    group: str
    loaded: Mapping[str, Kind]
    broken: Mapping[str, str]
    needed: tuple[str, ...] = ()

    @property
    def noun(self) -> str:
        """What one of them is, as in "world".

        >>> Plugins("worlds", {}, {}).noun
        'world'
        """
        return self.group.removesuffix("s")

    def get(self, name: str) -> Kind:
        """The class of that name.

        Raises PluginError with the plugin's own error where it is broken, or with the nearest name
        where there is none.
        """
        if name in self.broken:
            raise PluginError(self.broken[name])
        if name not in self.loaded:
            hint = nearest(name, sorted(self.loaded))
            own = (
                " (one of your own? register it as an entry point and install its package again)"
                if self.group in NEEDED
                else ""
            )
            raise PluginError(f"unknown {self.noun} {name!r}; {hint}{own}")
        return self.loaded[name]

    def including(self, others: Mapping[str, Kind]) -> Plugins:
        """These and others of the program's own, which come first where names are equal."""
        broken = {name: why for name, why in self.broken.items() if name not in others}
        return replace(self, loaded={**self.loaded, **others}, broken=broken)

    def holds(self, value: object) -> bool:
        """Whether a value is an instance of such a class, made in Python."""
        return not isinstance(value, type) and all(hasattr(value, part) for part in self.needed)


@cache
def plugins(group: str) -> Plugins:
    """Every plugin of a group ("mechanisms", "failures", "worlds" or "students"), imported."""
    return read(group, list(entry_points(group=f"oversight.{group}")))


def read(group: str, entries: list[EntryPoint]) -> Plugins:
    """The plugins of a group from its entry points.

    A plugin that cannot be imported, lacks a part, or shares its name with another is among the
    `broken`, with the reason and where it comes from.
    """
    origins: dict[str, set[str]] = {}
    for entry in entries:
        package = entry.dist.name if entry.dist else "an unknown package"
        origins.setdefault(entry.name, set()).add(f"{entry.value} from {package}")
    loaded, broken = {}, {}
    for entry in entries:
        kind = _imported(group, entry, sorted(origins[entry.name]))
        if isinstance(kind, PluginError):
            broken[entry.name] = str(kind)
        else:
            loaded[entry.name] = kind
    return Plugins(group, loaded, broken, NEEDED.get(group, ()))


def _imported(group: str, entry: EntryPoint, origins: list[str]) -> Kind | PluginError:
    """The class of an entry point, or why there is none."""
    if len(origins) > 1:
        return PluginError(
            f"two {group} are named {entry.name!r}: {' and '.join(origins)}; uninstall or "
            "rename one"
        )
    which = f"{group.removesuffix('s')} {entry.name!r} ({origins[0]})"
    try:
        kind = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a stranger's import may fail in any way
        return PluginError(f"{which} does not import: {type(error).__name__}: {error}")
    missing = [part for part in NEEDED.get(group, ()) if not hasattr(kind, part)]
    if missing:
        return PluginError(
            f"{which} is none: it has no {missing[0]}; expected a subclass like those of oversight"
        )
    return kind
