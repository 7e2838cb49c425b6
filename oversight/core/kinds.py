"""How a section of a scenario that names its class is read: the one place that finds the class,
checks its settings, and reports a class that is unknown or broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from oversight.core.config import Place, error_at, errors_of, raise_all
from oversight.core.errors import PluginError
from oversight.core.plugins import Kind, Plugins

Check = Callable[[Kind, Mapping[str, object]], list[InitErrorDetails]]
"""What is wrong with the settings of a class, beyond what the class itself refuses."""


def by_kind(
    value: object,
    kinds: Plugins,
    default: str = "",
    *,
    context: Mapping[str, object] | None = None,
    check: Check | None = None,
) -> Any:
    """What `{kind: NAME, ...settings}` describes; an instance made in Python is kept as it is.

    default  the kind where none is named; empty where one must be
    context  passed on to the class, as for the folder that files are read from

    Raises ValidationError with every error, each at its key.
    """
    if value is None and default:
        value = {}
    if not isinstance(value, Mapping):
        if kinds.holds(value):
            return value
        like = default or min(kinds.loaded, default="NAME")
        raise ValueError(
            f"{value!r} is no {kinds.noun}; expected keys and values, like {{kind: {like}}}"
        )
    settings = {str(key): setting for key, setting in value.items()}
    if "kind" not in settings and not default:
        names = ", ".join(sorted(kinds.loaded))
        raise_all(kinds.noun, [error_at(f"missing; expected one of: {names}", ("kind",))])
    name = str(settings.pop("kind", default))
    kind = kind_of(kinds, name, ("kind",))
    if "kind" in kind.model_fields:
        settings["kind"] = name
    return _built(kind, settings, (), context, check)


def by_name(value: object, kinds: Plugins, expected: str) -> Any:
    """What `NAME` or `{NAME: settings}` describes; an instance made in Python is kept as it is.

    expected  what to say that would be right, as in "an agent, like {model: {}}"

    Raises ValidationError with every error, each at its key below the name.
    """
    if isinstance(value, str):
        name, settings = value, None
    elif isinstance(value, Mapping) and len(value) == 1:
        name, settings = next(iter(value.items()))
    elif not isinstance(value, Mapping) and kinds.holds(value):
        return value
    else:
        what = f"{len(value)} names" if isinstance(value, Mapping) else repr(value)
        raise ValueError(f"{what} where one is needed; expected {expected}")
    name = str(name)
    return _built(kind_of(kinds, name, (name,)), settings, (name,))


def kind_of(kinds: Plugins, name: str, place: Place) -> Kind:
    """The class of that name. Raises ValidationError, at this place, where it cannot be used."""
    try:
        return kinds.get(name)
    except PluginError as error:
        raise_all(kinds.noun, [error_at(str(error), place)])


def _built(
    kind: Kind,
    settings: object,
    place: Place,
    context: Mapping[str, object] | None = None,
    check: Check | None = None,
) -> Any:
    """An instance of a class with settings that stand at a place of the file."""
    settings = {} if settings is None else settings
    errors: list[InitErrorDetails] = []
    if isinstance(settings, Mapping):
        keys = kind.file_keys()
        hidden = [key for key in settings if key in kind.model_fields and key not in keys]
        message = f"is set from Python or by a failure, not in a file; keys: {', '.join(keys)}"
        errors += [error_at(message, (*place, key)) for key in hidden]
        errors += check(kind, settings) if check else []
        settings = {key: value for key, value in settings.items() if key not in hidden}
    try:
        built = kind.model_validate(settings, context=context)
    except ValidationError as error:
        errors += errors_of(error, place)
    raise_all(kind.__name__, errors)
    return built
