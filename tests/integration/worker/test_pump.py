"""The pump takes work from the dead, and from nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from message_store.mailbox import Mailbox
from tests.support.waiting import Eventually
from worker.ledger import DueWork, Ledger, open_ledger
from worker.ledger.mailboxes import Happened, Page, Seen
from worker.ledger.records import Claim
from worker.pump import Pump
from worker.together import cancel_all

LEASE = 0.3
MAILBOX = Mailbox("1", "2")


async def claimed(ledger: Ledger) -> Claim:
    """A delivery that somebody has claimed."""
    await ledger.mailboxes.watch([MAILBOX], 0)
    lease = await ledger.mailboxes.claim(MAILBOX)
    assert lease is not None
    seen = Seen("7", 1.0, "print", "{}", [Happened("created", ["kept"])])
    assert await ledger.mailboxes.commit(lease, Page([seen], token="one"))
    [claim] = await ledger.deliveries.claim(10)
    return claim


@asynccontextmanager
async def pumping(ledger: Ledger, lease_seconds: float) -> AsyncIterator[None]:
    """A worker that has just started."""

    async def nothing(*_: object) -> None:
        """Neither publish nor renew."""

    pump = asyncio.create_task(Pump(ledger, nothing, nothing, lease_seconds).run())
    try:
        yield
    finally:
        await cancel_all([pump])


async def test_the_living_come_first(
    redis_url: str, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts just when Redis is back leaves the others' claims to them."""
    turns, due_work = [], Ledger.due_work

    async def turn(ledger: Ledger) -> DueWork:
        turns.append(1)
        return await due_work(ledger)

    monkeypatch.setattr(Ledger, "due_work", turn)
    # Redis was away, and nobody could renew
    async with open_ledger(redis_url, lease_seconds=0) as ledger:
        claim = await claimed(ledger)

        async with pumping(ledger, lease_seconds=1000):
            await eventually(lambda: len(turns) > 3)

            assert await ledger.deliveries.record_step(claim)


async def test_the_dead_are_not_waited_for(redis_url: str, eventually: Eventually) -> None:
    """What nobody renews is due again soon."""
    async with open_ledger(redis_url, lease_seconds=LEASE) as ledger:
        claim = await claimed(ledger)
        async with pumping(ledger, lease_seconds=LEASE):
            [again] = await eventually(lambda: ledger.deliveries.claim(10))
        assert again.message_id == claim.message_id
        assert not await ledger.deliveries.record_step(claim)
