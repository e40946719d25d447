"""Long works by hand: they wait for RingCentral's limits, and say at an end how far they came."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from message_store.errors import RateLimited
from ringpost.connection import run
from ringpost.output import hint, local_time
from ringpost.refusal import Refusal

T = TypeVar("T")
Told = Callable[[datetime | None], None]
"""Told until when RingCentral's limit holds us back, and with None when that is over."""

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


async def patiently(call: Callable[[], Awaitable[T]], told: Told) -> T:
    """What the call gives, however often RingCentral's limits make it wait.

    A limit refuses a call before anything is done, so it is safe to make it again.
    """
    while True:
        try:
            return await call()
        except RateLimited as error:
            told(datetime.now(UTC) + timedelta(seconds=error.retry_after))
            await asyncio.sleep(error.retry_after)
            told(None)


def say_pause(until: datetime | None) -> None:
    """Told so where there is no bar to say it."""
    if until is not None:
        clock = local_time(until, seconds=True).partition(" ")[2]
        hint(f"paused by RingCentral's limit until {clock}")


def run_to_the_end(work: Coroutine[Any, Any, T], how_far: Callable[[], str]) -> T:
    """Run it; an end before its time, by Ctrl-C (exit code 130) or an error, says how far it came.

    `how_far` gives a line, or nothing where there is nothing to say.
    """
    try:
        return run(work)
    except KeyboardInterrupt:
        raise Refusal(*filter(None, ("stopped", how_far())), exit_code=_INTERRUPTED) from None
    except Refusal as refusal:
        lines = (*refusal.lines, how_far())
        raise Refusal(*filter(None, lines), exit_code=refusal.exit_code) from None
