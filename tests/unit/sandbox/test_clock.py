"""Times as RingCentral writes and reads them."""

import functools
from typing import Any

import pytest

from sandbox.clock import Clock, read_time, stamp


@pytest.mark.parametrize(
    "text",
    [
        "2025-07-30T18:12:45.034Z",
        "2025-07-30T18:12:45.034+00:00",
        "2025-07-30T18:12:45.034 00:00",
        "2025-07-30T20:12:45.034+02:00",
        "2025-07-30T18:12:45.034",
    ],
)
def test_reading(text: str) -> None:
    """Zones, an unencoded plus sign and no zone at all are understood."""
    assert stamp(read_time(text)) == "2025-07-30T18:12:45.034Z"


def test_moving_ahead() -> None:
    """Time can pass at once."""
    clock = Clock()
    before = clock.time()
    clock.advance(1000)
    assert clock.time() - before >= 1000


async def test_what_is_due_is_done() -> None:
    """Time that is passed over does what was due in it, in order; the rest waits."""
    clock, done = Clock(), list[Any]()
    now = clock.time()
    for moment in (30, 10, 50):
        clock.call_at(now + moment, functools.partial(done.append, moment))
    clock.advance(40)
    assert done == [10, 30]
    clock.stop()
    clock.advance(40)
    assert done == [10, 30]


async def test_what_is_due_comes_by_itself(eventually: Any) -> None:
    """Without being moved ahead, the clock does what is due as well."""
    clock, done = Clock(), list[Any]()
    clock.call_at(clock.time() + 0.01, functools.partial(done.append, True))
    await eventually(lambda: done)
