"""Strict settings: unknown keys are told with the nearest right one, beside every other error, and
nothing is coerced."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

Switch = StrictBool
Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


def nearest(word: object, known: list[str]) -> str:
    """A hint: the nearest right word, or all of them."""
    if not known:
        return "there is nothing to name here"
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return (
        f"did you mean {close[0]!r}?" if close else "expected one of: " + ", ".join(sorted(known))
    )


def told(message: str, loc: tuple[int | str, ...] = (), value: object = None) -> InitErrorDetails:
    """One error, at a place below the one being validated."""
    kind = PydanticCustomError("told", "{message}", {"message": message})
    return InitErrorDetails(type=kind, loc=loc, input=value)


def raise_all(title: str, errors: list[InitErrorDetails]) -> None:
    """Raise every error at once, if there is any."""
    if errors:
        raise ValidationError.from_exception_data(title, errors)


def lines_of(error: ValidationError, below: tuple[int | str, ...] = ()) -> list[InitErrorDetails]:
    """The errors of a validation, to be raised again together with others."""
    return [
        told(line["msg"], (*below, *line["loc"]), line.get("input"))
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
def _constant_default(kind: Any, key: str) -> tuple[Any] | None:
    """A default that is always the same; None where it hangs on other knobs."""
    field = kind.model_fields[key]
    if field.default_factory_takes_validated_data:
        return None
    return (field.get_default(call_default_factory=True),)


class Strict(BaseModel):
    """Base of everything a scenario file says."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=False
    )

    @model_validator(mode="wrap")
    @classmethod
    def _tell_unknown_keys(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if data is None:
            data = {}
        if not isinstance(data, Mapping):
            return handler(data)
        known = cls.file_keys()
        errors = [
            told(f"unknown key; {nearest(key, known)}", (str(key),), value)
            for key, value in data.items()
            if key not in cls.model_fields
        ]
        try:
            made = handler({key: v for key, v in data.items() if key in cls.model_fields})
        except ValidationError as error:
            errors += lines_of(error)
        raise_all(cls.__name__, errors)
        return made

    @classmethod
    def file_keys(cls) -> list[str]:
        """The keys that a file may write."""
        return [key for key, field in cls.model_fields.items() if not field.exclude]
