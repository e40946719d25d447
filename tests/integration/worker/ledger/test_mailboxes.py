"""Leases, hints and pages of mailboxes on a real Redis."""

import time

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Ledger, open_ledger
from worker.ledger.mailboxes import Changed, Happened, Missed, Page, Seen, SyncLease


def seen(id_: str, *routes: str) -> Seen:
    news = [Happened("created", routes)]
    return Seen(id_, 1000.0 + int(id_), "Alive|Unread||", f'{{"id": {id_}}}', news)


async def test_one_sync_at_a_time(ledger: Ledger, mailbox: Mailbox, lease: SyncLease) -> None:
    """A mailbox that is being synchronised cannot be claimed again."""
    assert await ledger.mailboxes.claim(mailbox) is None


async def test_unwatched_mailboxes_are_refused(ledger: Ledger, mailbox: Mailbox) -> None:
    """A hint for a mailbox that nobody watches is dropped."""
    assert await ledger.mailboxes.hint([str(mailbox)]) == []
    assert await ledger.mailboxes.claim(mailbox) is None


async def test_hint_during_a_sync_makes_it_due_again(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A hint that comes while its mailbox is synchronised is not lost."""
    assert await ledger.mailboxes.hint([str(mailbox)]) == []

    await ledger.mailboxes.finish(lease, next_in=900)

    overview = await ledger.overview()
    assert overview.mailboxes[0].next_sync is not None
    assert overview.mailboxes[0].next_sync.timestamp() < time.time() + 2


async def test_without_a_hint_the_next_sync_is_the_sweep(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A mailbox nobody hinted at is due when its interval is over."""
    await ledger.mailboxes.finish(lease, next_in=900)

    overview = await ledger.overview()
    assert overview.mailboxes[0].next_sync is not None
    assert overview.mailboxes[0].next_sync.timestamp() > time.time() + 800


async def test_a_burst_of_hints_costs_one_sync(ledger: Ledger, mailbox: Mailbox) -> None:
    """Of hints in quick succession only the first may synchronise now."""
    await ledger.mailboxes.watch([mailbox], 0)

    due = [await ledger.mailboxes.hint([str(mailbox)])]
    lease = await ledger.mailboxes.claim(mailbox)
    assert lease is not None
    await ledger.mailboxes.finish(lease, 900)
    due += [await ledger.mailboxes.hint([str(mailbox)]) for _ in range(50)]

    assert [mailbox] == due[0]
    assert [hinted for later in due[1:] for hinted in later] == []


async def test_star_hints_at_all_watched(ledger: Ledger) -> None:
    """The hint `*` stands for every watched mailbox."""
    boxes = [Mailbox("1", "1"), Mailbox("1", "2")]
    await ledger.mailboxes.watch(boxes, 0)

    assert sorted(await ledger.mailboxes.hint(["*"])) == boxes


async def test_a_page_is_remembered(ledger: Ledger, mailbox: Mailbox, lease: SyncLease) -> None:
    """After a commit its messages are known and its deliveries due."""
    page = Page(created=[seen("1", "a", "b"), seen("2")], token="t1")

    assert await ledger.mailboxes.commit(lease, page)

    assert set(await ledger.mailboxes.known(mailbox, ["1", "2", "3"])) == {"1", "2"}
    assert (await ledger.overview()).due == 2


async def test_a_page_committed_twice_delivers_once(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A repeated page causes no second delivery, even after the first was claimed."""
    page = Page(created=[seen("1", "a")], token="t")
    await ledger.mailboxes.commit(lease, page)
    await ledger.deliveries.claim(10)

    await ledger.mailboxes.commit(lease, page)

    assert (await ledger.overview()).due == 0


async def test_a_slow_sync_cannot_roll_the_token_back(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A sync that started from another token than the present one writes nothing."""
    await ledger.mailboxes.commit(lease, Page(token="t1"))

    assert not await ledger.mailboxes.commit(lease, Page(created=[seen("1", "a")], token="t0"))
    assert await ledger.mailboxes.known(mailbox, ["1"]) == {}


async def test_a_lost_lease_commits_nothing(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A sync whose lease another took over writes nothing."""
    other = SyncLease(mailbox, "another", "", None, 0)

    assert not await ledger.mailboxes.commit(other, Page(created=[seen("1", "a")], token="t"))


async def test_an_update_refreshes_an_open_message(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A changed message is delivered as it is now; one that is settled stays settled."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1", "a")], token="t"))

    before, now = "Alive|Unread||", "Alive|Read||"
    newer = Changed("1", before, now, '{"id": 1, "readStatus": "Read"}')
    settled = Changed("2", before, now, '{"id": 2}')
    await ledger.mailboxes.commit(lease, Page(updated=[newer, settled], token="t"))

    [claim] = await ledger.deliveries.claim(10)
    assert claim.snapshot == newer.snapshot


async def test_missed_messages_are_counted(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A message that was gone before it could be read shows in the overview."""
    await ledger.mailboxes.commit(lease, Page(missed=[Missed("9", "Purged|||", "gone")], token="t"))

    assert (await ledger.overview()).mailboxes[0].missed == 1


async def test_trimming_raises_the_floor(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When old ids are forgotten, what is as old as they were is no longer new."""
    monkeypatch.setattr("worker.ledger.mailboxes.SEEN_PER_MAILBOX", 2)
    page = Page(created=[seen(str(id_)) for id_ in (1, 2, 3)], token="t")
    await ledger.mailboxes.commit(lease, page)
    await ledger.mailboxes.finish(lease, 0)

    assert set(await ledger.mailboxes.known(mailbox, ["1", "2", "3"])) == {"2", "3"}
    floor = await ledger.connection.redis.hget(f"ringpost:ledger:mailbox:{mailbox}", "floor")
    assert 1001.0 < float(floor or 0) < 1002.0


async def test_a_renewed_lease_lasts(redis_url: str, mailbox: Mailbox) -> None:
    """A sync that takes long keeps its mailbox as long as it is renewed."""
    async with open_ledger(redis_url, lease_seconds=0.05) as brief:
        await brief.mailboxes.watch([mailbox], 0)
        lease = await brief.mailboxes.claim(mailbox)
        assert lease is not None
    async with open_ledger(redis_url, lease_seconds=30) as lasting:
        await lasting.mailboxes.renew([lease])

        assert await lasting.mailboxes.commit(lease, Page(token="t"))
        assert await lasting.mailboxes.claim(mailbox) is None


async def test_a_failed_mailbox_is_left_alone(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """Notifications do not cut the pause after a failed sync short."""
    await ledger.mailboxes.finish(lease, next_in=300, error="503")

    assert await ledger.mailboxes.hint([str(mailbox)]) == []
    assert await ledger.mailboxes.claim(mailbox) is None


async def test_the_start_is_kept(ledger: Ledger) -> None:
    """The moment of the very first start does not change with later starts."""
    assert await ledger.mailboxes.first_start(100.0) == 100.0
    assert await ledger.mailboxes.first_start(200.0) == 100.0


async def test_an_unwatched_mailbox_stays_out(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A sync that ends after its mailbox was dropped does not bring it back."""
    await ledger.mailboxes.watch([], 0)

    await ledger.mailboxes.finish(lease, next_in=0)

    assert (await ledger.due_work()).mailboxes == []


async def test_an_answer_that_was_lost(ledger: Ledger, mailbox: Mailbox, lease: SyncLease) -> None:
    """A last page that is written again, because the first answer was lost, is taken as written."""
    page = Page(created=[seen("1", "a")], token="t1")

    assert await ledger.mailboxes.commit(lease, page)
    assert await ledger.mailboxes.commit(lease, page)
    assert (await ledger.overview()).due == 1
