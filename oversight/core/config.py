"""The base of everything that a scenario file holds: nothing is coerced, and all errors are
reported together, an unknown key with the nearest right one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from oversight.core.messages import REFUSED, message_of

Place = tuple[int | str, ...]
"""Keys, and positions in lists, that lead to a place in a file."""

LARGEST, SMALLEST = 1e9, 1e-9
"""Sizes between which a number is, if it is not 0: beyond, sums and squares of numbers lose their
meaning."""


def _sized(value: float) -> float:
    if abs(value) > LARGEST:
        raise ValueError(f"{value!r} is not right; expected at most {LARGEST:,.0f}")
    if 0 < abs(value) < SMALLEST:
        raise ValueError(f"{value!r} is not right; expected 0, or at least {SMALLEST:g}")
    return value


# Limits stand after `_sized`, so that a knob can narrow them by a `Field` of its own: pydantic
# forgets a second limit of a kind that a function has run after.
_Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Switch = StrictBool
"""True or false."""
Integer = Annotated[int, Field(strict=True)]
"""A whole number, below 0 too. True and false are no numbers, here and in all that follow."""
Count = Annotated[int, Field(strict=True), AfterValidator(_sized), Field(ge=1)]
"""A whole number of at least 1."""
Whole = Annotated[int, Field(strict=True), AfterValidator(_sized), Field(ge=0)]
"""A whole number of at least 0."""
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**64)]
"""What random draws start from."""
Number = Annotated[_Finite, AfterValidator(_sized)]
"""A number from -1e9 to 1e9."""
Quantity = Integer | Number
"""A finite number as it was written: 3 stays whole, 3.0 does not become so."""
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A number from 0 to 1."""
OpenShare = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
"""A number between 0 and 1, which is neither."""
Positive = Annotated[_Finite, AfterValidator(_sized), Field(gt=0)]
"""A number above 0, from 1e-9 to 1e9."""
Amount = Annotated[_Finite, AfterValidator(_sized), Field(ge=0)]
"""A number from 0 to 1e9."""


def expecting(message: str) -> WrapValidator:
    """An annotation of a type: report this, `{value!r}` filled in, for every value that the type
    refuses.

    >>> Odds = Annotated[Positive, expecting("{value!r} are no odds; expected above 0")]
    >>> fits(Odds, 2), fits(Odds, -1)
    (True, False)
    """

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(message.format(value=value)) from None

    return WrapValidator(check)


def checked(annotation: object, value: object) -> Any:
    """A value as an annotated type reads it. Raises ValidationError where it is none."""
    return _adapter(annotation).validate_python(value)


def fits(annotation: object, value: object) -> bool:
    """Whether a value is one of an annotated type.

    >>> fits(OpenShare, 0.5), fits(OpenShare, 1), fits(OpenShare, True)
    (True, False, False)
    """
    try:
        checked(annotation, value)
    except ValidationError:
        return False
    return True


@lru_cache(64)
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


MOST_WORDS = 100
"""Words that a hint lists."""


def nearest(word: object, known: list[str]) -> str:
    """A hint: the nearest right word, or the first of them."""
    if not known:
        return "there is nothing to name here"
    close = difflib.get_close_matches(str(word)[:100], known[:1000], n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "expected one of: " + ", ".join(sorted(known)[:MOST_WORDS])


def error_at(message: str, loc: Place = (), value: object = None) -> InitErrorDetails:
    """One error, to be raised with others.

    loc    where, below the place that is being validated
    value  what stands there
    """
    kind = PydanticCustomError(REFUSED, "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=loc, input=value)


def raise_all(title: str, errors: list[InitErrorDetails]) -> None:
    """Raise every error at once, as a ValidationError of `title`; nothing where there is none."""
    if errors:
        raise ValidationError.from_exception_data(title, errors)


def errors_of(error: ValidationError, below: Place = ()) -> list[InitErrorDetails]:
    """The errors of a validation as messages to users, to be raised again together with others.

    below  where what was validated stands
    """
    return [
        error_at(message_of(line), (*below, *line["loc"]), line.get("input"))
        for line in error.errors(include_url=False)
        if line["type"] != "default_factory_not_called"  # only follows from another error
    ]


def default_of(model: BaseModel, key: str) -> Any:
    """What a knob is if it is left out; not to be changed."""
    constant = _constant_default(type(model), key)
    if constant is not None:
        return constant[0]
    field = type(model).model_fields[key]
    return field.get_default(call_default_factory=True, validated_data=model.__dict__)


@lru_cache(4096)
def _constant_default(kind: type[BaseModel], key: str) -> tuple[Any] | None:
    """A default that is always the same; None where it hangs on other knobs."""
    field = kind.model_fields[key]
    if field.default_factory_takes_validated_data:
        return None
    return (field.get_default(call_default_factory=True),)


MOST_UNKNOWN = 20
"""Unknown keys of a section that are reported one by one."""


class Config(BaseModel):
    """Base of every section and component of a scenario: frozen, strict, and equal by value.

    key_name  what `config_key` calls a class; state it where values of the class are knobs, because
              draws and kept results are keyed by it. The class's own name where it is empty
    """

    key_name: ClassVar[str] = ""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=False
    )

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_unknown_keys(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if data is None:
            data = {}
        if not isinstance(data, Mapping):
            return handler(data)
        known = cls.file_keys()
        unknown = [key for key in data if key not in cls.model_fields]
        errors = [
            error_at(f"unknown key; {nearest(key, known)}", (str(key),), data[key])
            for key in unknown[:MOST_UNKNOWN]
        ]
        if len(unknown) > MOST_UNKNOWN:
            errors.append(error_at(f"{len(unknown) - MOST_UNKNOWN:,} more unknown keys"))
        try:
            checked = handler({key: v for key, v in data.items() if key in cls.model_fields})
        except ValidationError as error:
            errors += errors_of(error)
        raise_all(cls.__name__, errors)
        return checked

    def changed(self, **fields: Any) -> Self:
        """The same with other values in these fields, checked again as a whole. What was prepared
        for a pool is lost. Raises ValidationError with every error.

        >>> class Hours(Config):
        ...     most: Count = 8
        >>> Hours().changed(most=3).most
        3
        """
        whole = {key: getattr(self, key) for key in type(self).model_fields}
        return type(self).model_validate({**whole, **fields})

    @classmethod
    def file_keys(cls) -> list[str]:
        """The keys that a file may write."""
        return [key for key, field in cls.model_fields.items() if not field.exclude]


def config_key(value: object) -> str:
    """A knob's value as text, to key draws and kept results by.

    A `Config` gives its `key_name` and every field, in the order of its class; anything else its
    `repr`. So neither renaming a class nor a library's own `repr` can move a number.

    >>> class Hours(Config):
    ...     key_name = "Hours"
    ...     most: Count = 8
    >>> config_key((Hours(), 0.5))
    '(Hours(most=8), 0.5)'
    """
    if isinstance(value, Config):
        kind = type(value)
        fields = (f"{key}={config_key(getattr(value, key))}" for key in kind.model_fields)
        return f"{kind.key_name or kind.__name__}({', '.join(fields)})"
    if type(value) in (tuple, list):
        assert isinstance(value, tuple | list)
        parts = ", ".join(map(config_key, value))
        return f"[{parts}]" if isinstance(value, list) else f"({parts}{',' * (len(value) == 1)})"
    if type(value) is dict:
        pairs = (f"{config_key(key)}: {config_key(below)}" for key, below in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)
