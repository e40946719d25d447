"""When subscriptions are checked, and what the ledger keeps of them for each credential."""

import asyncio
import contextlib
import time

import pytest

from tests.support.waiting import Eventually
from worker.ledger import Ledger, LedgerError
from worker.ledger.account import AccountLedger
from worker.ledger.leases import Lease
from worker.ledger.subscription import SubscriptionRecord


@pytest.fixture
def other(ledger: Ledger) -> AccountLedger:
    """What is kept for another credential."""
    return ledger.account("other")


async def due_at(ledger: Ledger, scope: str = "") -> float:
    """In how many seconds the next check is due."""
    at = await ledger.connection.redis.zscore("ringpost:ledger:check-at", scope)
    return float(at) - time.time()


async def handed_on(ledger: Ledger) -> bool:
    await ledger.connection.redis.delete("ringpost:ledger:handed:check")
    return (await ledger.due_work()).check


async def test_a_check_is_due_until_it_ends(ledger: Ledger) -> None:
    """At first and after a restart at once; then when the interval is over."""
    assert await handed_on(ledger)
    generation = await ledger.account("").subscription.begin_check()
    assert generation is not None
    assert await handed_on(ledger)  # whoever began may have died

    await ledger.account("").subscription.end_check(generation, 300)

    assert await ledger.account("").subscription.begin_check() is None
    assert not await handed_on(ledger)
    assert 290 < await due_at(ledger) <= 300
    await ledger.account("").subscription.check_now()
    assert await handed_on(ledger)
    assert await ledger.account("").subscription.begin_check() is not None


async def test_a_burst_of_hints_is_one_check(ledger: Ledger) -> None:
    """The first makes it due at once, the others a few seconds after that check began."""
    generation = await ledger.account("").subscription.begin_check() or ""
    await ledger.account("").subscription.end_check(generation, 300)
    await ledger.connection.redis.hset("ringpost:ledger:check:", "started", time.time() - 60)
    await ledger.check_soon()
    assert await due_at(ledger) <= 0.1
    generation = await ledger.account("").subscription.begin_check() or ""

    await asyncio.gather(*(ledger.check_soon() for _ in range(20)))
    # it may not have seen what they tell of
    await ledger.account("").subscription.end_check(generation, 300)

    assert 3 < await due_at(ledger) <= 5
    await ledger.check_soon()
    assert 3 < await due_at(ledger) <= 5
    assert not await handed_on(ledger)


async def test_a_worker_that_starts_during_a_check(ledger: Ledger) -> None:
    """Its token may be another: that check's end does not put the next one off."""
    generation = await ledger.account("").subscription.begin_check() or ""
    await ledger.account("").subscription.check_now()
    await ledger.account("").subscription.end_check(generation, 300)
    assert await ledger.account("").subscription.begin_check() is not None


async def test_one_at_a_time(ledger: Ledger) -> None:
    """The lease is held for the length of the block, and for no longer."""
    one, other = ledger.lease("heal", 60), ledger.lease("heal", 60)
    async with one.while_held() as first, other.while_held() as second:
        assert (first, second) == (True, False)
    async with ledger.lease("heal", 60).while_held() as third:
        assert third


async def test_a_lease_is_renewed_until_the_block_ends(
    ledger: Ledger, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than it lasts by itself, and also after Redis was away for a moment."""
    answers = iter([None, LedgerError("away"), LedgerError("away"), None, None])
    asked, hold = [], Lease.hold

    async def held(lease: Lease) -> bool:
        asked.append(lease)
        error = next(answers, None)
        if error is not None:
            raise error
        return await hold(lease)

    monkeypatch.setattr(Lease, "hold", held)
    async with ledger.lease("heal", 0.3).while_held() as first:
        assert first
        await eventually(lambda: len(asked) > 5)


async def test_a_block_ends_though_its_renewal_does_not_hear_of_it(
    ledger: Ledger, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal whose cancellation is swallowed on its way ends all the same, and so the lease."""
    asked, hold = [], Lease.hold

    async def held(lease: Lease) -> bool:
        asked.append(lease)
        if len(asked) == 2:  # `asyncio.wait_for` of Python 3.11 does so at the wrong moment
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return True
        return await hold(lease)

    monkeypatch.setattr(Lease, "hold", held)
    async with asyncio.timeout(60):
        async with ledger.lease("heal", 0.3).while_held():
            await eventually(lambda: len(asked) == 2)
        async with ledger.lease("heal", 60).while_held() as again:
            assert again


async def test_failures_come_soon_and_then_less_so(ledger: Ledger) -> None:
    """A failed check is tried again soon; the interval and what RingCentral asks for bound it."""
    waits = [await ledger.account("").subscription.check_failed("0", 300, 0) for _ in range(8)]
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert await ledger.account("").subscription.failures() == 8
    assert await ledger.account("").subscription.check_failed("0", 10, 0) == 10
    assert await ledger.account("").subscription.check_failed("0", 10, 120) == 120
    await ledger.account("").subscription.end_check("0", 300)
    assert await ledger.account("").subscription.failures() == 0


async def test_credentials_are_kept_apart(ledger: Ledger, other: AccountLedger) -> None:
    """Each has its own subscriptions, problem and check; a hint is for all of them."""
    record = SubscriptionRecord(id="s", address="a", token_digest="d", filters=[])
    await other.subscription.save(record)
    await other.coverage.cover({"1/1": time.time() + 60})
    for one in (ledger.account(""), other):
        await one.subscription.end_check("0", 300)
    assert await ledger.account("").subscription.records() == []
    assert not await ledger.account("").coverage.is_covered("1/1")
    assert [one.id for one in (await ledger.overview()).subscriptions] == ["s"]

    await ledger.check_soon()

    assert await due_at(ledger) <= 5
    assert await due_at(ledger, "other") <= 5


async def test_a_credential_that_nobody_serves(ledger: Ledger, other: AccountLedger) -> None:
    """A check that nobody has taken up for long is not handed on for ever."""
    await ledger.account("").subscription.end_check("0", 300)
    await other.subscription.end_check("0", -700)
    assert not await handed_on(ledger)


async def test_refusals_are_remembered_for_a_while(ledger: Ledger) -> None:
    """Until then, or until a worker starts, what is refused is not asked for."""
    await ledger.account("").subscription.refuse({"/a": "no\tway"})
    assert await ledger.account("").subscription.refused(["/a", "/b"]) == {"/a": "no\tway"}
    assert await ledger.account("").subscription.refused([]) == {}
    await ledger.account("").subscription.forget_refusals()
    assert await ledger.account("").subscription.refused(["/a"]) == {}
