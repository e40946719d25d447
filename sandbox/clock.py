"""The sandbox's clock, which a test may move ahead, and RingCentral's way to write times."""

import time
from datetime import UTC, datetime


class Clock:
    """The wall clock plus whatever `advance` has added."""

    def __init__(self) -> None:
        self.offset = 0.0

    def time(self) -> float:
        """Now, in seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass at once: tokens, subscriptions and penalties age by as much."""
        self.offset += seconds


def stamp(seconds: float) -> str:
    """The time as RingCentral writes it: `2025-07-30T18:12:45.034Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; without a zone it is UTC; raises ValueError."""
    # a `+` that a client did not encode arrives as a space
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
