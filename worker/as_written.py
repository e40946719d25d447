"""Numbers and truth as they are written: no "yes" for true, no "4" for 4, no true for 1.

A text is one of them only where `${NAME}` has put it in: the environment has nothing but texts.
"""

from typing import Any, cast

from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import CoreSchema, no_info_before_validator_function


class FromVariable(str):
    """A text in which a `${NAME}` was replaced."""

    __slots__ = ()


def as_written(schema: CoreSchema) -> CoreSchema:
    """The schema of a model, which takes numbers and truth for its fields as written only."""
    return cast("CoreSchema", _with_checks(schema))


def _bool(value: object) -> object:
    if not isinstance(value, bool | FromVariable):
        raise PydanticKnownError("bool_type")
    return value


def _int(value: object) -> object:
    if isinstance(value, bool) or _is_text(value):
        raise PydanticKnownError("int_type")
    return value


def _float(value: object) -> object:
    if isinstance(value, bool) or _is_text(value):
        raise PydanticKnownError("float_type")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, FromVariable)


_CHECKS = {"bool": _bool, "int": _int, "float": _float}
_NOT_OF_THE_FILE = {"serialization", "metadata", "default"}


def _with_checks(part: Any) -> Any:
    if isinstance(part, list | tuple):
        return type(part)(map(_with_checks, part))
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if not isinstance(kind, str):  # schemas by the names of fields
        return {name: _with_checks(inner) for name, inner in part.items()}
    if (check := _CHECKS.get(kind)) is not None:
        return no_info_before_validator_function(check, cast("CoreSchema", part))
    return {
        key: inner if key in _NOT_OF_THE_FILE else _with_checks(inner)
        for key, inner in part.items()
    }
