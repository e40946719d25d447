"""Rate limits: the window slides, the penalty restarts."""

import pytest

from sandbox.answers import ApiError
from sandbox.clock import Clock
from sandbox.limits import Limits
from sandbox.settings import Settings


@pytest.fixture
def clock() -> Clock:
    """A clock that only moves when told to, as far as these tests can see."""
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    """Two light calls in ten seconds."""
    return Limits(clock, Settings(limits={"light": 2, "medium": 1}, window=10))


def test_users_and_groups_are_apart(limits: Limits) -> None:
    """Each user has its own bucket in each group."""
    for user, group in (("a", "light"), ("a", "light"), ("a", "medium"), ("b", "light")):
        limits.take(user, group)
    with pytest.raises(ApiError):
        limits.take("a", "light")
    assert limits.headers("b", "light")["X-Rate-Limit-Remaining"] == "1"


def test_the_window_slides(limits: Limits, clock: Clock) -> None:
    """A call is forgotten one window after it was made."""
    limits.take("a", "light")
    clock.advance(6)
    limits.take("a", "light")
    clock.advance(5)
    limits.take("a", "light")
    with pytest.raises(ApiError) as refused:
        limits.take("a", "light")
    assert refused.value.headers["Retry-After"] == "10"


def test_the_penalty_restarts(limits: Limits, clock: Clock) -> None:
    """A call within the penalty makes it last a whole window more."""
    for _ in range(2):
        limits.take("a", "light")
    for _ in range(3):
        with pytest.raises(ApiError):
            limits.take("a", "light")
        clock.advance(9)
        assert limits.in_penalty("a", "light")
        assert limits.headers("a", "light")["X-Rate-Limit-Remaining"] == "0"
    clock.advance(2)
    assert not limits.in_penalty("a", "light")
    limits.take("a", "light")


def test_a_group_without_a_limit(limits: Limits) -> None:
    """A group that no limit was given for is as good as unlimited."""
    for _ in range(100):
        limits.take("a", "heavy")
    assert int(limits.headers("a", "heavy")["X-Rate-Limit-Remaining"]) > 10_000
