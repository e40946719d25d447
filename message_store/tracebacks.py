"""Where an error came from, without what strangers wrote: for the logs of all processes. Pure."""

import traceback
from collections.abc import Iterator
from itertools import islice

# Python writes their words itself, about code; the words of others may quote whatever was at
# hand: a message's text, a caller's number, an address with a token.
_ABOUT_CODE = (
    AttributeError,
    ImportError,
    IndexError,
    NameError,
    RecursionError,
    TypeError,
    ZeroDivisionError,
)
_MOST_ERRORS = 20


def discreet_traceback(error: BaseException, *foreseen: type[BaseException]) -> str:
    """The frames of an error and of those that led to it, the first of them first.

    Each error is named by its type; its words are repeated only if they are about code, or if it
    is one of the `foreseen` types, whose words are ours.
    """
    told = (*_ABOUT_CODE, *foreseen)
    parts = (_one(each, told) for each in islice(_with_causes(error, set()), _MOST_ERRORS))
    return "\n".join(parts)


def name_of(error: BaseException, *foreseen: type[BaseException]) -> str:
    """The error's type, with its words where `discreet_traceback` repeats them."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, (*_ABOUT_CODE, *foreseen)) else name


def _one(error: BaseException, told: tuple[type[BaseException], ...]) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{name_of(error, *told)}"


def _with_causes(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(error) in seen:
        return
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _with_causes(before, seen)
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _with_causes(part, seen)
