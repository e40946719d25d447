"""Leaving a failing endpoint alone."""

from types import SimpleNamespace

import pytest

from message_store.backoff import Backoff
from message_store.errors import ConnectionFailed, ServerError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test turns."""
    now = [1000.0]
    monkeypatch.setattr("message_store.backoff.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def _pause(pauses: Backoff) -> float:
    try:
        pauses.check()
    except (ConnectionFailed, ServerError) as error:
        return error.retry_after or 0.0
    return 0.0


def test_pauses_double_up_to_a_minute(clock: list[float]) -> None:
    """2, 4, 8, 16, 32, 60, 60 seconds: five tries in the first minute."""
    pauses = Backoff()
    found = []
    for _ in range(7):
        pauses.failed(ConnectionFailed("x"))
        found.append(_pause(pauses))
        clock[0] += found[-1]
        pauses.check()
    assert found == [2, 4, 8, 16, 32, 60, 60]


def test_the_server_may_say_how_long(clock: list[float]) -> None:
    """`retry_after` of the failure goes before our own times."""
    pauses = Backoff()
    pauses.failed(ServerError("x", retry_after=0.25))
    assert _pause(pauses) == 0.25


def test_success_forgets(clock: list[float]) -> None:
    """After a success the pauses begin anew, and free failures are free again."""
    pauses = Backoff(free=1)
    for _ in range(2):
        pauses.failed(ConnectionFailed("x"))
        assert _pause(pauses) == 0
        pauses.failed(ConnectionFailed("x"))
        assert _pause(pauses) == 2
        pauses.succeeded()
        assert _pause(pauses) == 0
