"""The whole fleet keeps RingCentral's pauses."""

from collections.abc import AsyncIterator

import pytest

from message_store.errors import RateLimited
from worker.ledger import Ledger, open_ledger
from worker.ledger.limits import RedisLimits

HEADERS = {"X-Rate-Limit-Group": "medium", "X-Rate-Limit-Remaining": "5"}


@pytest.fixture
async def others(redis_url: str) -> AsyncIterator[RedisLimits]:
    """The limits as another process sees them."""
    async with open_ledger(redis_url) as ledger:
        yield ledger.limits


async def test_a_penalty_stops_the_whole_group_everywhere(
    ledger: Ledger, others: RedisLimits
) -> None:
    """After one 429 no process sends another request of that group until it is over."""
    await ledger.limits.after("message-content", 200, HEADERS)
    await ledger.limits.after("message-mark", 200, HEADERS)
    await ledger.limits.after("message-mark", 429, {**HEADERS, "Retry-After": "60"})

    for limits in (ledger.limits, others):
        with pytest.raises(RateLimited) as caught:
            await limits.before("message-content")
        assert 55 < (caught.value.retry_after or 0) <= 60
        await limits.before("message-sync")
    assert set(await others.paused()) == {"medium"}


async def test_the_last_request_of_a_window_pauses_the_group(ledger: Ledger) -> None:
    """When nothing remains of the window the next request waits for the next window."""
    used_up = {**HEADERS, "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Window": "60"}
    await ledger.limits.after("message-content", 200, used_up)

    with pytest.raises(RateLimited):
        await ledger.limits.before("message-content")


async def test_a_short_pause_is_waited_for(ledger: Ledger) -> None:
    """A pause of a moment is waited out in place."""
    await ledger.limits.after("message-content", 429, {**HEADERS, "Retry-After": "0.2"})

    await ledger.limits.before("message-content")

    assert await ledger.limits.paused() == {}


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}])
async def test_a_penalty_without_a_length(ledger: Ledger, headers: dict[str, str]) -> None:
    """A 429 that does not say how long is taken for a minute."""
    await ledger.limits.after("message-content", 429, headers)

    with pytest.raises(RateLimited) as caught:
        await ledger.limits.before("message-content")
    assert 55 < (caught.value.retry_after or 0) <= 60


@pytest.mark.parametrize("length", ["inf", "1e9", "nan", "-5"])
async def test_no_answer_silences_the_fleet_for_long(ledger: Ledger, length: str) -> None:
    """Whatever the header says, a pause ends within the hour."""
    await ledger.limits.after("message-content", 429, {**HEADERS, "Retry-After": length})

    with pytest.raises(RateLimited) as caught:
        await ledger.limits.before("message-content")
    assert 0 < (caught.value.retry_after or 0) <= 3600
    assert set(await ledger.limits.paused()) == {"medium"}


async def test_an_odd_group_name_is_ignored(ledger: Ledger) -> None:
    """A group name that is none changes nothing."""
    odd = {"X-Rate-Limit-Group": "\udcff light", "X-Rate-Limit-Remaining": "0"}

    await ledger.limits.after("message-content", 200, odd)

    await ledger.limits.before("message-content")
    assert await ledger.limits.paused() == {}
