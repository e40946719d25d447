"""The sandbox's clock, which a test may move ahead, and RingCentral's way to write times."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """The wall clock plus whatever `advance` has added; what is due later is kept here."""

    def __init__(self, skew: float = 0.0) -> None:
        self.offset = skew
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def time(self) -> float:
        """Now, in seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass at once: tokens, subscriptions and penalties age by as much."""
        self.offset += seconds
        if self._due:
            self._act()

    def call_at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something when it is `moment`, also when that comes by `advance`."""
        heapq.heappush(self._due, (moment, next(self._numbers), act))
        self._wait()

    def stop(self) -> None:
        """Forget what is due later."""
        self._due.clear()
        self._wait()

    def _act(self) -> None:
        now = self.time()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            delay = max(0.0, self._due[0][0] - self.time())
            self._timer = asyncio.get_running_loop().call_later(min(delay, 86_400.0), self._act)


def stamp(seconds: float) -> str:
    """The time as RingCentral writes it: `2025-07-30T18:12:45.034Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; without a zone it is UTC; raises ValueError."""
    # a `+` that a client did not encode arrives as a space
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
