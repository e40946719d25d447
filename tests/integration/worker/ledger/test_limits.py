"""The whole fleet keeps RingCentral's limits: one budget per group, learned from the answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from message_store.errors import RateLimited
from message_store.limits import NO_ANSWER, Permit
from worker.ledger import Ledger, LedgerError, open_ledger
from worker.ledger.limits import RedisLimits

SCOPE = "user"


def headers(
    limit: int = 40, remaining: int = 39, window: float = 60, retry_after: str | None = None
) -> dict[str, str]:
    """What RingCentral says of its medium group."""
    told = {
        "X-Rate-Limit-Group": "medium",
        "X-Rate-Limit-Limit": str(limit),
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Window": f"{window:g}",
    }
    return told | ({"Retry-After": retry_after} if retry_after is not None else {})


def content(mailbox: str = "1/1", *, bulk: bool = False) -> Permit:
    """A download for a mailbox."""
    return Permit("message-content", mailbox, bulk)


@pytest.fixture
def limits(ledger: Ledger) -> RedisLimits:
    return ledger.limits(SCOPE)


@pytest.fixture
async def others(redis_url: str) -> AsyncIterator[RedisLimits]:
    """The limits as another process sees them."""
    async with open_ledger(redis_url) as ledger:
        yield ledger.limits(SCOPE)


async def learn(limits: RedisLimits, status: int = 200, **told: Any) -> None:
    """A request whose answer has these headers."""
    permit = content("0/0")
    await limits.before(permit)
    await limits.after(permit, status, headers(**told))


async def spend(limits: RedisLimits, permit: Permit) -> bool:
    """Whether the permit may be used now."""
    try:
        await limits.before(permit)
    except RateLimited:
        return False
    return True


async def wait_of(limits: RedisLimits, permit: Permit) -> float:
    """For how long the permit has to wait."""
    with pytest.raises(RateLimited) as caught:
        await limits.before(permit)
    return caught.value.retry_after


async def test_all_processes_spend_one_budget(limits: RedisLimits, others: RedisLimits) -> None:
    """Two processes together send one request less than the window allows, and not one more."""
    await learn(limits)

    permits = [content(f"1/{n}") for n in range(60)]
    spent = await asyncio.gather(
        *(spend((limits, others)[n % 2], permit) for n, permit in enumerate(permits))
    )

    assert sum(spent) == 40 - 1 - 1  # one was spent on learning, the last is never spent


async def test_the_window_slides(limits: RedisLimits) -> None:
    """A request may be sent as soon as an earlier one has left the window."""
    await learn(limits, limit=3, window=0.4)
    assert await spend(limits, content())

    await limits.before(content())  # waits for a moment in place


async def test_a_penalty_stops_the_whole_group_everywhere(
    limits: RedisLimits, others: RedisLimits
) -> None:
    """After one 429 no process sends another request of that group until it is over."""
    await learn(limits)
    sync = Permit("message-sync")
    await limits.before(sync)
    await limits.after(sync, 200, {**headers(), "X-Rate-Limit-Group": "light"})
    mark = Permit("message-mark")
    await limits.before(mark)
    await limits.after(mark, 429, headers(retry_after="60"))

    for each in (limits, others):
        assert 55 < await wait_of(each, content()) <= 61
        await each.before(Permit("message-sync"))
        # nobody knows which group this belongs to: it might restart the penalty
        assert 55 < await wait_of(each, Permit("never-seen")) <= 61


async def test_the_last_request_of_a_window_pauses_the_group(limits: RedisLimits) -> None:
    """When others have used up the window, we wait for a whole one."""
    await learn(limits, remaining=0)

    assert 55 < await wait_of(limits, content()) <= 60


async def test_what_others_use_is_not_ours(limits: RedisLimits) -> None:
    """Requests that a program beside us sent with the same credential are taken off the budget."""
    await learn(limits, remaining=10)

    spent = await asyncio.gather(*(spend(limits, content(f"1/{n}")) for n in range(40)))

    assert sum(spent) == 9


async def test_an_unknown_operation_goes_alone(limits: RedisLimits, others: RedisLimits) -> None:
    """Until its group is known, one request of an operation is under way at a time."""
    first = content()
    await limits.before(first)
    assert not await spend(others, content())

    await limits.after(first, 200, headers())

    assert await spend(limits, content())
    assert await spend(others, content())


async def test_an_answer_that_never_came(limits: RedisLimits) -> None:
    """A request that failed on its way lets the next one find out the group."""
    first = content()
    await limits.before(first)
    await limits.after(first, NO_ANSWER, {})

    assert await spend(limits, content())


async def test_bulk_work_leaves_a_share(limits: RedisLimits) -> None:
    """Bulk work stops at three quarters of the budget; live work goes on."""
    await learn(limits)

    bulk = [await spend(limits, content("1/1", bulk=True)) for _ in range(40)]
    live = [await spend(limits, content(f"2/{n}")) for n in range(40)]

    assert sum(bulk) == 28
    assert sum(live) == 10


async def test_a_busy_mailbox_leaves_a_share_to_the_others(limits: RedisLimits) -> None:
    """When one mailbox has used what it may, a request of a quiet one still goes at once."""
    await learn(limits)
    busy = [await spend(limits, content("1/1")) for _ in range(200)]

    assert sum(busy) == 34
    assert await spend(limits, content("1/2"))


async def test_each_that_waits_is_told_its_own_turn(limits: RedisLimits) -> None:
    """A backlog of three windows is spread over three windows, not sent back all at once."""
    await learn(limits, limit=11, remaining=10, window=60)
    waits = []
    for _ in range(30):
        try:
            await limits.before(content("1/1"))
        except RateLimited as limited:
            waits.append(limited.retry_after)

    assert len(waits) == 22
    assert max(waits) > 120
    for start in (0, 60, 120):
        assert sum(start < wait <= start + 60 for wait in waits) <= 10


async def test_a_backlog_after_a_penalty_waits_for_as_many_windows_as_it_needs(
    limits: RedisLimits,
) -> None:
    """Though hardly a request counts by then, nobody is put off for longer than all will take."""
    await learn(limits, 429, retry_after="30")

    waits = [await wait_of(limits, content(f"1/{n % 20}")) for n in range(200)]

    assert min(waits) == pytest.approx(31, abs=1.5)
    assert max(waits) <= 31.5 + 60 * (200 // 35 + 1)


async def test_a_lone_request_does_not_queue_behind_a_backlog(limits: RedisLimits) -> None:
    """However long the queue of a busy mailbox is, a quiet one is next."""
    await learn(limits, limit=11, remaining=10, window=60)
    backlog = [await spend(limits, content("1/1")) for _ in range(100)]
    assert sum(backlog) < 10
    while await spend(limits, content(f"2/{len(backlog)}")):
        backlog.append(True)  # what was left for others

    assert await wait_of(limits, content("3/1")) <= 62


@pytest.mark.parametrize(
    "told", [{}, {"Retry-After": "soon"}, {"Retry-After": "nan"}, {"Retry-After": "-5"}]
)
async def test_a_penalty_without_a_length(limits: RedisLimits, told: dict[str, str]) -> None:
    """A 429 that does not say how long is taken for a minute."""
    permit = content()
    await limits.before(permit)
    await limits.after(permit, 429, told)

    assert 55 < await wait_of(limits, content()) <= 61


@pytest.mark.parametrize("length", ["1e9", "86400"])
async def test_no_answer_silences_the_fleet_for_long(limits: RedisLimits, length: str) -> None:
    """Whatever the header says, a pause ends about within the hour."""
    await learn(limits, 429, retry_after=length)

    assert 0 < await wait_of(limits, content()) <= 3601


async def test_an_odd_group_name_is_ignored(limits: RedisLimits) -> None:
    """A group name that is none, or limits that are none, change nothing."""
    permit = content()
    await limits.before(permit)
    odd = {"X-Rate-Limit-Group": "\udcff light", "X-Rate-Limit-Limit": "many"}
    await limits.after(permit, 200, odd)

    assert all([await spend(limits, content()) for _ in range(20)])


async def test_an_absent_redis_is_told(redis_url: str) -> None:
    """While the budget cannot be asked, nothing is sent."""
    async with open_ledger("unix:///nowhere/at/all.sock") as ledger:
        with pytest.raises(LedgerError):
            await ledger.limits(SCOPE).before(content())


async def test_the_budgets_at_a_glance(ledger: Ledger, limits: RedisLimits) -> None:
    """Status tells each group's limit, what is left, the pause, and the queue with its end."""
    await ledger.budgets.keep({SCOPE: "clinic"})
    await learn(limits, limit=11, remaining=10, window=60)
    for n in range(30):
        await spend(limits, content("1/1", bulk=n % 2 == 0))

    [budget] = (await ledger.overview()).budgets

    assert (budget.account, budget.group, budget.limit, budget.window) == (
        "clinic",
        "medium",
        11,
        60,
    )
    assert budget.left == 2
    assert budget.waiting == 22
    assert 0 < budget.waiting_bulk < 22
    assert budget.waiting_until is not None
    assert budget.paused_until is None
