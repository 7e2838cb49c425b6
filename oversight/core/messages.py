"""What a failed check says to a user: what is wrong, and what would be right.

pydantic reports each error as a type with its context (the limit that was passed, the words that
were expected). The messages are built from these, never from pydantic's own sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

REFUSED = "refused"
"""The type of errors whose message is ours already."""

OWN = (REFUSED, "value_error", "assertion_error")

NOUNS = {
    "int": "a valid integer",
    "float": "a valid number",
    "bool": "a valid boolean",
    "string": "a valid string",
    "finite_number": "a finite number",
    "tuple": "a list",
    "list": "a list",
    "dict": "keys and values",
    "mapping": "keys and values",
    "model": "keys and values",
}
"""What is expected, by the type of error, or by what comes before its first underscore."""

LIMITS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("greater than or equal to", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("less than or equal to", "le"),
}
"""How a limit is worded, and where the context has it, by the type of error."""

LENGTHS = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}
"""The same for how long a list or a text is."""

YAML_1_1 = ("yes", "no", "on", "off")
"""Words that YAML 1.1 took for true and false; a user may still mean them so."""

LONGEST = 300
"""Characters that a message has at most: what a user wrote is quoted in it, and may be long."""


def clipped(text: str, most: int = LONGEST) -> str:
    """A text of at most so many characters; of a longer one, its beginning and its end.

    >>> clipped("a" * 50 + "z", 11)
    'aaa ... aaz'
    """
    if len(text) <= most:
        return text
    head = (most - 5) // 2
    return f"{text[:head]} ... {text[-head:]}"


def plain_reason(error: Exception) -> str:
    """What a library's parser found wrong, in a line; nothing of Python in it."""
    lines = str(error).splitlines()
    speaks = isinstance(error, ValueError | AssertionError) or type(error).__module__ != "builtins"
    return lines[0] if lines and speaks else "it cannot be read"


def message_of(error: ErrorDetails) -> str:
    """One error of a validation, as a sentence for whoever wrote the value.

    >>> message_of({"type": "missing", "loc": ("path",), "msg": "", "input": {}})
    'missing'
    >>> message_of({"type": "less_than", "loc": (), "msg": "", "input": 3, "ctx": {"lt": 2.0}})
    '3 is not right; expected less than 2'
    """
    return clipped(_message_of(error))


def _message_of(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == REFUSED:
        return str(context["message"])
    if kind in OWN:
        return str(context["error"])
    if kind == "missing":
        return "missing"
    expected = _expected(kind, context)
    return error["msg"] if expected is None else _wrong(error.get("input"), expected)


def _expected(kind: str, context: Mapping[str, object]) -> str | None:
    """What would be right, by type of error; None for a type that no setting here can raise."""
    if kind in LIMITS:
        words, key = LIMITS[kind]
        return f"{words} {_number(context[key])}"
    if kind in LENGTHS:
        words, key, unit = LENGTHS[kind]
        size, actual = context[key], context.get("actual_length")
        plural = "" if size == 1 else "s"
        return f"{words} {size} {unit}{plural}" + ("" if actual is None else f", not {actual}")
    if kind == "literal_error":
        return str(context["expected"])
    return NOUNS.get(kind, NOUNS.get(kind.split("_")[0]))


def _wrong(value: object, expected: str) -> str:
    if not isinstance(value, str | int | float | bool | None):
        return f"expected {expected}"
    message = f"{value!r} is not right; expected {expected}"
    if isinstance(value, str) and value.lower() in YAML_1_1:
        message += " (YAML 1.2 writes true and false)"
    return message


def _number(limit: object) -> str:
    """A limit without the decimals that it does not need."""
    return str(int(limit)) if isinstance(limit, float) and limit.is_integer() else str(limit)
