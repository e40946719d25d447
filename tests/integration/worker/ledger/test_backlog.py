"""Since when the oldest message waits, wherever in the ledger it does."""

import time

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Ledger
from worker.ledger.mailboxes import Happened, Page, Seen, SyncLease
from worker.ledger.records import Admitted, Delivery


@pytest.fixture
async def began(ledger: Ledger) -> float:
    """When Ringpost first started: a day ago."""
    return await ledger.mailboxes.first_start(time.time() - 86400)


async def _arrive(ledger: Ledger, lease: SyncLease, **created: float) -> None:
    happened = [Happened("created", ["route"])]
    seen = [Seen(id_[1:], at, "p", f'{{"id": {id_[1:]}}}', happened) for id_, at in created.items()]
    assert await ledger.mailboxes.commit(lease, Page(created=seen, token="t"))


async def test_nothing_waits(ledger: Ledger) -> None:
    """There is no oldest one in an empty ledger."""
    assert await ledger.oldest_undelivered() is None


async def test_it_is_found_wherever_it_waits(
    ledger: Ledger, lease: SyncLease, began: float
) -> None:
    """Due, running, waiting for a retry, and put off because a destination fails."""
    later = {f"_{id_}": began + 1000 for id_ in range(4, 9)}
    await _arrive(ledger, lease, _1=began + 100, _2=began + 200, _3=began + 300, **later)
    assert await ledger.oldest_undelivered() == began + 100
    first, second, third, *others = await ledger.deliveries.claim(8)
    assert await ledger.oldest_undelivered() == began + 100
    first.delivery.state = "done"
    await ledger.deliveries.settle(first)
    await ledger.deliveries.settle(second, due_in=3600)
    assert await ledger.oldest_undelivered() == began + 200
    for claim in others:
        claim.delivery.step, claim.delivery.reason = "mail", "no answer"
        await ledger.deliveries.settle(claim, due_in=3600, says="failing")
    third.delivery.step, third.delivery.until = "mail", time.time() + 3600
    assert not await ledger.deliveries.put_off(third)
    assert await ledger.connection.redis.zcard("ringpost:ledger:put-off:mail") == 1
    assert await ledger.connection.redis.zrem("ringpost:ledger:due:4001/5001", "2\troute") == 1
    assert await ledger.oldest_undelivered() == began + 300


async def test_what_does_not_count(
    ledger: Ledger, lease: SyncLease, mailbox: Mailbox, began: float
) -> None:
    """Failed and bulk deliveries, and a change of an older message, are no message that waits."""
    await _arrive(ledger, lease, _1=began + 100)
    (claim,) = await ledger.deliveries.claim(1)
    claim.delivery.state = "failed"
    await ledger.deliveries.settle(claim)
    old = Admitted("7", began + 50, "p", '{"id": 7}', {("route", "created"): Delivery()})
    assert await ledger.deliveries.admit(mailbox, [old]) == 1
    assert await ledger.oldest_undelivered() is None
    (claim,) = await ledger.deliveries.claim(1)  # the bulk one runs
    assert await ledger.oldest_undelivered() is None


async def test_what_was_there_before_us_waits_since_we_began(
    ledger: Ledger, lease: SyncLease, began: float
) -> None:
    """A first synchronisation that goes back a month is no month late."""
    await _arrive(ledger, lease, _1=began - 30 * 86400)
    assert await ledger.oldest_undelivered() == pytest.approx(began)
