"""Times as RingCentral writes and reads them."""

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
