"""Where an error came from, without what strangers wrote: for the logs of all processes. Pure."""

import logging
import traceback
from collections.abc import Iterator

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
    return "\n".join(_one(each, told) for each in _with_all(error))


def name_of(error: BaseException, *foreseen: type[BaseException]) -> str:
    """The error's type, with its words where `discreet_traceback` repeats them."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, (*_ABOUT_CODE, *foreseen)) else name


class DiscreetFormatter(logging.Formatter):
    """The lines of libraries: `foreseen` as in `discreet_traceback`."""

    def __init__(self, *foreseen: type[BaseException]) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._foreseen = foreseen

    def format(self, record: logging.LogRecord) -> str:
        """The record; of one that tells of an error the first line, as the rest repeats it."""
        if record.exc_info:
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        return super().format(record)

    def formatException(self, ei: object) -> str:  # noqa: N802  # logging's name
        """The traceback in place of the one with all words."""
        error = ei[1] if isinstance(ei, tuple) else None
        if not isinstance(error, BaseException):
            return ""
        return discreet_traceback(error, *self._foreseen)


def _one(error: BaseException, told: tuple[type[BaseException], ...]) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{name_of(error, *told)}"


def _with_all(error: BaseException) -> Iterator[BaseException]:
    """The error behind what led to it, then the parts of each group among them."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        chain: list[BaseException] = []
        cause: BaseException | None = waiting.pop(0)
        while cause is not None and len(seen) < _MOST_ERRORS and not _is_among(cause, seen):
            seen.append(cause)
            chain.append(cause)
            if isinstance(cause, BaseExceptionGroup):
                waiting += cause.exceptions
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        yield from reversed(chain)


def _is_among(error: BaseException, seen: list[BaseException]) -> bool:
    return any(error is one for one in seen)  # an error may define equality in any way
