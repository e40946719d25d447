"""Values as they are written: no "yes" for true, no "4" for 4, no true for 1, no 900 for "15m".

A text is a number or true only where `${NAME}` has put it in: the environment has only texts.
"""

from collections.abc import Callable
from typing import Any, Literal, cast

from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import CoreSchema, no_info_before_validator_function

from worker.durations import as_duration


class FromVariable(str):
    """A text in which a `${NAME}` was replaced."""

    __slots__ = ()


def as_written(schema: CoreSchema) -> CoreSchema:
    """The schema of a model, which takes numbers, truth and times for its fields as written."""
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


def _moment(
    wrong: Literal["date_type", "time_type", "datetime_type"],
) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, int | float):  # seconds since 1970, to pydantic
            raise PydanticKnownError(wrong)
        return value

    return check


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, FromVariable)


_CHECKS = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "timedelta": as_duration,
    "date": _moment("date_type"),
    "time": _moment("time_type"),
    "datetime": _moment("datetime_type"),
}
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
