"""How much a template may make: estimates before an operation, looks at the result after it."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

MAX_LETTERS = 256 * 1024
MAX_ITEMS = 1000
# What one operation may make before it is looked at.
_MAX_EFFORT = 16 * 1024 * 1024
_MAX_BITS = 4096
# A width or precision of five digits, or one that is given apart.
_WIDE = re.compile(
    r"%(\([^)]*\))?[-+ #0]*(\*|\d{5}|\d*\.(\*|\d{5}))|\{[^{}]*:[^{}]*(\d{5}|\{)", re.ASCII
)


class TooMuchError(Exception):
    """A template makes more than it may; read after "a template"."""


def checked(value: Any) -> Any:
    """The value, unless it holds more than 256 Ki letters and items."""
    if _weight(value) > MAX_LETTERS:
        raise TooMuchError(f"makes a text or list longer than {MAX_LETTERS}")
    return value


def joined(pieces: Iterable[str]) -> str:
    """One text of the pieces, at most 256 Ki letters."""
    kept: list[str] = []
    room = MAX_LETTERS
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooMuchError(f"makes a text longer than {MAX_LETTERS}")
        kept.append(piece)
    return "".join(kept)


def bounded_range(*args: int) -> range:
    """Jinja's `range`, of at most a thousand numbers."""
    numbers = range(*args)
    if len(numbers) > MAX_ITEMS:
        raise TooMuchError(f"counts further than {MAX_ITEMS}")
    return numbers


def bounded_filter(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, looked at before and after."""
    first = 1 if hasattr(call, "jinja_pass_arg") else 0

    @wraps(call)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        value, *options = args[first:]
        if not isinstance(value, int):
            _check_effort(value, *options, *kwargs.values())
        if name == "format":
            _check_format(value)
        return checked(call(*args, **kwargs))

    return bounded


def check_call(called: object, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    """Refuse a call of a text's or number's method that could make too much."""
    method = getattr(called, "__wrapped__", called)  # Jinja wraps `format`
    owner = getattr(method, "__self__", None)
    if isinstance(owner, str | bytes | int):
        _check_effort("" if isinstance(owner, int) else owner, *args, *kwargs.values())
    if getattr(method, "__name__", "") in {"format", "format_map"}:
        _check_format(owner)


def check_operation(operator: str, left: object, right: object) -> None:
    """Refuse an operation that could make too much."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length()
        if operator == "*" and bits + right.bit_length() > _MAX_BITS:
            raise TooMuchError("computes with too large numbers")
        if operator == "**" and bits * abs(right) > _MAX_BITS:
            raise TooMuchError("computes with too large numbers")
    elif operator == "*":
        _check_effort(left, right)
    elif operator == "%":
        _check_format(left)


def _check_effort(*values: object) -> None:
    # No method or filter makes more than its text times each of its arguments.
    if math.prod(_factor(value) for value in values) > _MAX_EFFORT:
        raise TooMuchError("makes too much in one step")


def _factor(value: object) -> int:
    if isinstance(value, int):
        return max(1, value)
    return max(1, MAX_ITEMS if isinstance(value, Iterator) else _weight(value))


def _check_format(text: object) -> None:
    if isinstance(text, str) and _WIDE.search(text):
        raise TooMuchError("formats to more than 9999 letters, or to a width given apart")


def _weight(value: object) -> int:
    """How many letters and items it holds; counting ends soon after there are too many."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if not isinstance(value, list | tuple):
        return 1
    weight = len(value)
    for item in value:
        if weight > MAX_LETTERS:
            break
        weight += _weight(item)
    return weight
