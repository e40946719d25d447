"""What an error means for the delivery it ended."""

import time

import aiohttp
import pytest
import redis

from message_store.errors import (
    BadRequest,
    ConnectionFailed,
    LoginRefused,
    NotFound,
    NotReady,
    PermissionMissing,
    RateLimited,
    ServerError,
)
from worker.failures import judge, reason, says
from worker.handlers.contract import NotYetError, PermanentError, TransientError

SCHEDULE = (10.0, 100.0)


@pytest.mark.parametrize(
    "error",
    [
        PermanentError("no such room"),
        BadRequest("bad"),
        KeyError("bug"),
        NotFound("gone"),
    ],
)
def test_final(error: Exception) -> None:
    """A plain no, a bug, or something gone for long is final at once."""
    assert judge(error, age=3600, attempts=0, schedule=SCHEDULE).wait is None


@pytest.mark.parametrize(
    "error",
    [
        TransientError("busy"),
        ServerError("503"),
        ConnectionFailed("refused"),
        PermissionMissing("ReadMessages"),
        OSError("disk"),
        TimeoutError(),
        aiohttp.ClientError(),
    ],
)
def test_worth_a_retry(error: Exception) -> None:
    """What may be cured is tried again by the schedule, and given up at its end."""
    first = judge(error, age=0, attempts=0, schedule=SCHEDULE)
    assert first.counts
    assert 9 <= (first.wait or 0) <= 11
    assert judge(error, age=0, attempts=2, schedule=SCHEDULE).wait is None


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("slow", retry_after=7),
        LoginRefused("wrong"),
        NotFound("not yet"),
        NotReady("renders"),
        redis.exceptions.ConnectionError("away"),
    ],
)
def test_no_attempt(error: Exception) -> None:
    """What the destination cannot help is waited for without counting, however often."""
    verdict = judge(error, age=10, attempts=99, schedule=SCHEDULE)

    assert verdict.wait
    assert not verdict.counts


def test_the_longer_wait_wins() -> None:
    """A destination may ask for more than the schedule, not for less, and not for ever."""
    asked = [
        judge(TransientError("busy", after=after), age=0, attempts=0, schedule=SCHEDULE).wait
        for after in (0, 60, 1e12, float("inf"), float("nan"))
    ]

    assert [round(wait or 0, -1) for wait in asked] == [10, 60, 86400, 10, 10]


def test_a_bug_says_where() -> None:
    """An unforeseen error is named with its type and place, one of ours by its words."""
    with pytest.raises(KeyError) as caught:
        dict[str, str]()["boom"]

    assert reason(caught.value).startswith("KeyError (test_failures.py:")
    assert reason(PermanentError("no such room")) == "no such room"
    assert reason(TimeoutError()) == "TimeoutError"
    assert reason(ConnectionRefusedError(111, "Connection refused")).endswith("Connection refused")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("cannot parse 'Meet me at noon'"),
        KeyError("Meet me at noon"),
        RuntimeError("https://hooks.example.com/T0/Meet me at noon"),
        OSError(2, "No such file or directory", "Meet me at noon.pdf"),
        aiohttp.InvalidURL("https://example.com/Meet me at noon"),
        aiohttp.ClientError("Meet me at noon"),
        ExceptionGroup("Meet me at noon", [ValueError("Meet me at noon")]),
    ],
)
def test_words_of_others_are_left_out(error: Exception) -> None:
    """What Python, a library or a plug-in says may quote anything: its type must do."""
    assert "noon" not in reason(error)
    assert type(error).__name__ in reason(error)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TransientError("busy"), "failing"),
        (ConnectionRefusedError("refused"), "failing"),
        (TimeoutError(), "failing"),
        (aiohttp.ClientError(), "failing"),
        (TransientError("greylisted", only_this=True), "answered"),
        (PermanentError("no such room"), "answered"),
        (RateLimited("slow"), "nothing"),
        (ConnectionFailed("RingCentral is away"), "nothing"),
        (NotReady("the fax renders"), "nothing"),
        (redis.ConnectionError("away"), "nothing"),
        (KeyError("bug"), "nothing"),
    ],
)
def test_what_an_error_says_of_the_destination(error: Exception, said: str) -> None:
    """Only what keeps every message from a destination counts against it."""
    assert says(error) == said


def test_what_is_early_is_no_failure() -> None:
    """It waits for its time, a day at most before it looks again, counts nothing, blames nobody."""
    for seconds, wait in ((-5, 0), (3600, 3600), (90_000, 86_400)):
        error = NotYetError("goes out at 18:00", time.time() + seconds)
        verdict = judge(error, age=1e6, attempts=99, schedule=SCHEDULE)
        assert verdict.wait == pytest.approx(wait, abs=1)
        assert not verdict.counts
        assert says(error) == "nothing"
