"""What an error means: a retry may cure it, and when; or it is final."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from message_store.errors import (
    LoginRefused,
    NotFound,
    NotReady,
    PermissionMissing,
    RateLimited,
    RingCentralError,
    TokenRejected,
)
from message_store.tracebacks import name_of

from .handlers.contract import HandlerError, NotYetError, TransientError
from .ledger.connection import LedgerError
from .ledger.deliveries import Says
from .wording import in_brief

# Their words are our own, or the destination's as a handler chose to repeat them.
OURS = (HandlerError, RingCentralError, LedgerError)
_SOON = 5.0
_ADMINISTRATOR = 300.0
_LONGEST = 86400.0
# A message just announced may not be readable yet (a fax that renders, an attachment that lags).
_NOT_THERE_YET = 600.0


@dataclass(frozen=True)
class Verdict:
    """`wait`: not before so many seconds, None when no retry can help.

    `counts`: whether it is an attempt of the schedule. What nobody at the destination can help
    (a rate limit, a refused login, our own Redis) is no attempt.
    """

    wait: float | None
    counts: bool = False


FINAL = Verdict(None, counts=True)


def judge(error: BaseException, *, age: float, attempts: int, schedule: Sequence[float]) -> Verdict:
    """What becomes of a failed step of a message `age` seconds old, after so many attempts.

    The first try is at once, then after the seconds of the `schedule`; then it has failed.
    """
    asked = _asked(error)
    if isinstance(error, NotYetError):
        return Verdict(min(max(error.at - time.time(), 0.0), _LONGEST))
    if isinstance(error, LedgerError | RateLimited):
        return Verdict(asked or _SOON)
    if isinstance(error, LoginRefused):
        return Verdict(asked or _ADMINISTRATOR)
    if isinstance(error, TokenRejected):
        return Verdict(asked or _SOON)  # logins pause by themselves if that goes on
    if isinstance(error, NotFound | NotReady) and age < _NOT_THERE_YET:
        return Verdict(asked or _SOON)
    if not is_transient(error) or attempts >= len(schedule):
        return FINAL
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  # no secret
    return Verdict(max(asked or 0.0, schedule[attempts] * jitter), counts=True)


def says(error: BaseException) -> Says:
    """What a handler's error tells of its destination; RingCentral is nobody's destination."""
    if isinstance(error, RingCentralError | LedgerError | NotYetError):
        return "nothing"
    if isinstance(error, TransientError):
        return "answered" if error.only_this else "failing"
    if isinstance(error, HandlerError):
        return "answered"
    return "failing" if is_transient(error) else "nothing"


def is_transient(error: BaseException) -> bool:
    """Whether trying again can help; a bug or a plain no is not cured by retrying."""
    if isinstance(error, HandlerError):
        return isinstance(error, TransientError)
    if isinstance(error, RingCentralError):
        # an administrator may grant a permission while the schedule runs
        return error.transient or isinstance(error, PermissionMissing)
    return isinstance(error, OSError | TimeoutError | aiohttp.ClientError)


def is_foreseen(error: BaseException) -> bool:
    """Whether its words say all; anything else is a bug whose traceback is wanted."""
    return isinstance(error, OURS) or is_transient(error)


def is_our_end(error: BaseException) -> bool:
    """Whether this very task is being ended, which no handler's code has to do with.

    A handler may raise the same itself: an exit would take the worker's event loop along, and a
    cancellation would pass for a worker that has died.
    """
    if isinstance(error, GeneratorExit):
        return True
    task = asyncio.current_task()
    cancelled = isinstance(error, asyncio.CancelledError)
    return cancelled and task is not None and task.cancelling() > 0


def reason(error: BaseException) -> str:
    """The error in a few words; a bug with its type and where it happened.

    Words that are not ours are left out: they may quote a message, a number or an address.
    """
    if isinstance(error, OURS) and str(error):
        return in_brief(error)
    if isinstance(error, OSError) and error.strerror:
        return in_brief(f"{type(error).__name__}: {error.strerror}")
    if isinstance(error, aiohttp.ClientResponseError):
        return in_brief(f"{type(error).__name__}: {error.status}")
    where, traceback = "", error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        where = f" ({code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return in_brief(f"{name_of(error)}{where}")


def _asked(error: BaseException) -> float | None:
    """How many seconds the other side asks us to wait, if it says; a day at most."""
    asked = error.retry_after if isinstance(error, RingCentralError) else None
    if isinstance(error, TransientError):
        asked = error.after
    if asked is None or not math.isfinite(asked):
        return None
    return min(max(asked, 0.0), _LONGEST)
