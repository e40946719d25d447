"""Which errors a retry may cure, and when to try again."""

import math

import aiohttp

from message_store.errors import NotFound, NotReady, PermissionMissing, RingCentralError

from .handlers.contract import HandlerError, TransientError

# The first try is at once, then after these seconds; then the delivery has failed and is listed.
RETRY_SCHEDULE = (30.0, 120.0, 600.0, 3600.0, 21600.0, 86400.0)
# A message just announced may not be readable yet (a fax that renders, an attachment that lags).
_NOT_THERE_YET = 600.0
_LONGEST_WAIT = 86400.0


def is_transient(error: BaseException) -> bool:
    """Whether trying again can help; a bug or a plain no is not cured by retrying."""
    if isinstance(error, HandlerError):
        return isinstance(error, TransientError)
    if isinstance(error, RingCentralError):
        # an administrator may grant a permission while the schedule runs
        return error.transient or isinstance(error, PermissionMissing)
    return isinstance(error, (OSError, TimeoutError, aiohttp.ClientError))


def may_appear(error: BaseException, age: float) -> bool:
    """Whether something not there may still turn up, `age` seconds after the message came."""
    return isinstance(error, NotFound | NotReady) and age < _NOT_THERE_YET


def retry_after(error: BaseException) -> float | None:
    """How many seconds the other side asks us to wait, if it says; a day at most."""
    asked = error.retry_after if isinstance(error, RingCentralError) else None
    if isinstance(error, TransientError):
        asked = error.after
    if asked is None or not math.isfinite(asked):
        return None
    return min(max(asked, 0.0), _LONGEST_WAIT)
