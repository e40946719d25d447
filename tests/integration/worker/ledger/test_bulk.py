"""Bulk deliveries on a real Redis: admitted once, claimed behind live ones and few at a time."""

from collections.abc import Awaitable, Callable

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Admitted, Ledger, open_ledger
from worker.ledger.deliveries import BULK_AT_ONCE
from worker.ledger.mailboxes import Happened, Page, Seen, SyncLease
from worker.ledger.records import Claim, Delivery

Arrive = Callable[..., Awaitable[None]]


def _old(*ids: int, only_unseen: bool = False) -> list[Admitted]:
    deliveries = {("route", "created"): Delivery()}
    return [
        Admitted(str(id_), float(id_), "Alive", f'{{"id": {id_}}}', deliveries, only_unseen)
        for id_ in ids
    ]


async def _end(ledger: Ledger, claim: Claim, state: str) -> None:
    claim.delivery.state = state  # type: ignore[assignment]  # a parameter, not a literal
    await ledger.deliveries.settle(claim)


async def test_live_work_comes_first(ledger: Ledger, arrive: Arrive, mailbox: Mailbox) -> None:
    """A live message is claimed before bulk ones that have been due for longer."""
    await ledger.deliveries.admit(Mailbox("1", "1"), _old(*range(1, 50)))
    await arrive(mailbox, "70")

    [claim] = await ledger.deliveries.claim(1)

    assert (claim.message_id, claim.delivery.bulk) == ("70", False)


async def test_bulk_leaves_places_to_live_work(ledger: Ledger, mailbox: Mailbox) -> None:
    """However many are due and however many workers claim, few bulk deliveries run at once."""
    await ledger.mailboxes.watch([mailbox], 0)
    assert await ledger.deliveries.admit(mailbox, _old(*range(1, 101))) == 100

    claims = await ledger.deliveries.claim(50)
    assert await ledger.deliveries.claim(50) == []
    await _end(ledger, claims[0], "done")

    assert len(claims) == BULK_AT_ONCE
    assert len(await ledger.deliveries.claim(50)) == 1
    overview = await ledger.overview()
    assert (overview.due, overview.bulk, overview.running) == (89, 89, BULK_AT_ONCE)


async def test_a_busy_mailbox_does_not_hold_up_another(ledger: Ledger) -> None:
    """A year of one mailbox leaves room for the single message of another."""
    await ledger.deliveries.admit(Mailbox("1", "1"), _old(*range(1, 101)))
    await ledger.deliveries.admit(Mailbox("1", "2"), _old(7))

    claimed = await ledger.deliveries.claim(50)

    assert Mailbox("1", "2") in {claim.mailbox for claim in claimed}


@pytest.mark.parametrize("back", ["retry", "release", "lapse"])
async def test_bulk_stays_bulk(redis_url: str, mailbox: Mailbox, back: str) -> None:
    """A retry, a stopping and a dying worker give a bulk delivery back as one."""
    async with open_ledger(redis_url, lease_seconds=0) as ledger:
        await ledger.mailboxes.watch([mailbox], 0)
        await ledger.deliveries.admit(mailbox, _old(1))
        [claim] = await ledger.deliveries.claim(10)

        if back == "retry":
            await ledger.deliveries.settle(claim, due_in=0)
        elif back == "release":
            await ledger.deliveries.release([claim])
        else:
            await ledger.deliveries.reclaim_lapsed()

        assert (await ledger.overview()).bulk == 1
        assert (await ledger.due_work()).deliveries
        [again] = await ledger.deliveries.claim(10)
        assert again.delivery.bulk


async def test_what_is_open_or_failed_is_not_admitted(ledger: Ledger, mailbox: Mailbox) -> None:
    """The same delivery is not made due beside one that is due, running or failed."""
    assert await ledger.deliveries.admit(mailbox, _old(1)) == 1
    assert await ledger.deliveries.admit(mailbox, _old(1)) == 0
    [claim] = await ledger.deliveries.claim(10)
    assert await ledger.deliveries.admit(mailbox, _old(1)) == 0
    await _end(ledger, claim, "failed")
    assert await ledger.deliveries.admit(mailbox, _old(1)) == 0
    assert len(await ledger.failures()) == 1


async def test_a_skipped_delivery_is_admitted_with_its_steps(
    ledger: Ledger, mailbox: Mailbox
) -> None:
    """A route that is back goes on after the steps that were done before it went."""
    await ledger.deliveries.admit(mailbox, _old(1))
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.done = {"vault": "archived"}
    await _end(ledger, claim, "skipped")

    assert await ledger.deliveries.admit(mailbox, _old(1)) == 1

    assert await ledger.failures() == []
    [again] = await ledger.deliveries.claim(10)
    assert again.delivery.done == {"vault": "archived"}


async def test_a_sync_does_not_find_admitted_messages_new(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """What was admitted and is done causes nothing when a sync tells of it."""
    await ledger.deliveries.admit(mailbox, _old(1))
    [claim] = await ledger.deliveries.claim(10)
    await _end(ledger, claim, "done")

    seen = Seen("1", 1.0, "Alive", '{"id": 1}', [Happened("created", ["route"])])
    assert await ledger.mailboxes.commit(lease, Page(created=[seen], token="t"))

    assert await ledger.deliveries.claim(10) == []


async def test_what_a_sync_has_seen_meanwhile_is_left_to_it(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """Between listing and admitting a sync may have delivered the message: not twice."""
    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(10)
    await _end(ledger, claim, "done")

    assert await ledger.deliveries.admit(mailbox, _old(1, 2, only_unseen=True)) == 1

    [claim] = await ledger.deliveries.claim(10)
    assert claim.message_id == "2"


async def test_old_messages_do_not_fill_the_memory_of_a_mailbox(
    ledger: Ledger, mailbox: Mailbox
) -> None:
    """What no sync would take for new, being older than the floor, need not be remembered."""
    await ledger.mailboxes.watch([mailbox], 100.0)

    await ledger.deliveries.admit(mailbox, _old(99, 100))

    assert await ledger.mailboxes.known(mailbox, ["99", "100"]) == {"100": "Alive"}
