"""Leaving a failing endpoint alone for a growing while."""

import copy
import time

from message_store.errors import RingCentralError

SHORTEST = 2.0
LONGEST = 60.0


class Backoff:
    """Remembers failures in a row; within the pause after one, `check` raises it again.

    Pauses double from 2 s to 60 s, or are what RingCentral asks for (five tries fit in a minute,
    which is what its token endpoint allows). The first `free` failures cause no pause.
    """

    def __init__(self, free: int = 0) -> None:
        self._free = free
        self._in_row = 0
        self._until = 0.0
        self._error: RingCentralError | None = None

    def failed(self, error: RingCentralError) -> None:
        """Note a failure and begin the pause after it."""
        self._in_row += 1
        if self._in_row <= self._free:
            return
        pause = min(LONGEST, SHORTEST * 2 ** min(self._in_row - self._free - 1, 10))
        self._until = time.monotonic() + (pause if error.retry_after is None else error.retry_after)
        self._error = error

    def succeeded(self) -> None:
        """Forget all failures."""
        self._in_row = 0
        self._error = None

    def check(self) -> None:
        """Raise the last failure while its pause lasts, `retry_after` being what is left."""
        left = self._until - time.monotonic()
        if self._error is None or left <= 0:
            return
        error = copy.copy(self._error)
        error.retry_after = left
        raise error
