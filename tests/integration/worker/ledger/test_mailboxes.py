"""Leases, hints and pages of mailboxes on a real Redis."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Ledger, open_ledger
from worker.ledger.closing import ClosingOutcome
from worker.ledger.mailboxes import Changed, Happened, Missed, Page, Seen, SyncLease

Eventually = Callable[..., Awaitable[Any]]


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


UNREAD, READ = "Alive|Unread||", "Alive|Read||"


def read(id_: str, *routes: str, text: str = "now") -> Changed:
    snapshot = f'{{"id": {id_}, "subject": "{text}"}}'
    return Changed(id_, UNREAD, READ, snapshot, [Happened("read", routes, "2026-01-01T00:00:00Z")])


async def test_a_change_makes_deliveries_of_its_own_due(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """What happened to a message is delivered beside its creation, with the same snapshot."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1", "a")], token="t"))
    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a", "b")], token="t"))

    claims = await ledger.deliveries.claim(10)

    assert {(claim.route, claim.on) for claim in claims} == {
        ("a", "created"),
        ("a", "read"),
        ("b", "read"),
    }
    assert {claim.snapshot for claim in claims} == {'{"id": 1, "subject": "now"}'}
    assert {claim.delivery.at for claim in claims} == {None, "2026-01-01T00:00:00Z"}


async def test_a_change_committed_twice_delivers_once(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """A page whose first answer was lost makes nothing due again, even what is done by then."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
    page = Page(updated=[read("1", "a"), read("1", "a")], token="t")
    assert await ledger.mailboxes.commit(lease, page)
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.state = "done"
    await ledger.deliveries.settle(claim)

    assert await ledger.mailboxes.commit(lease, page)

    assert await ledger.deliveries.claim(10) == []


async def test_an_open_delivery_is_left_alone(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """What happens again while its delivery is under way does not begin it anew."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a")], token="t"))
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.done["vault"] = "archived"
    await ledger.deliveries.record_step(claim)
    unread = Changed("1", READ, UNREAD, '{"id": 1}')
    again = read("1", "a", text="later")
    await ledger.mailboxes.commit(lease, Page(updated=[unread, again], token="t"))

    assert await ledger.deliveries.claim(10) == []
    await ledger.deliveries.settle(claim, due_in=0)

    [later] = await ledger.deliveries.claim(10)
    assert later.delivery.done == {"vault": "archived"}
    assert later.snapshot == again.snapshot


@pytest.mark.parametrize("state", ["failed", "skipped", "done"])
async def test_a_delivery_that_is_over_begins_anew(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease, state: str
) -> None:
    """What happens again after its delivery has ended, well or not, is delivered again, whole."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1", "open")], token="t"))
    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a")], token="t"))
    for claim in await ledger.deliveries.claim(10):
        if claim.route == "a":
            claim.delivery.state = state  # type: ignore[assignment]  # one of the states
            claim.delivery.done["vault"] = "archived"
            await ledger.deliveries.settle(claim)
    unread = Changed("1", READ, UNREAD, '{"id": 1}')
    await ledger.mailboxes.commit(lease, Page(updated=[unread, read("1", "a")], token="t"))

    [anew] = await ledger.deliveries.claim(10)

    assert (anew.on, anew.delivery.state, anew.delivery.done) == ("read", "due", {})
    assert await ledger.failures() == []


async def test_a_lost_lease_tells_no_change(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """Fingerprint and deliveries are written together or not at all."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
    other = SyncLease(mailbox, "another", "", "t", 0)

    assert not await ledger.mailboxes.commit(other, Page(updated=[read("1", "a")], token="t2"))

    assert await ledger.deliveries.claim(10) == []
    assert await ledger.mailboxes.known(mailbox, ["1"]) == {"1": UNREAD}


async def test_a_failed_change_is_listed_as_what_it_is(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """Failures, counts and replay know what had happened."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a")], token="t"))
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.state = "failed"
    await ledger.deliveries.settle(claim)

    [failure] = await ledger.failures()
    assert (failure.route, failure.on, failure.lane_in_words) == ("a", "read", "a (read)")
    assert (await ledger.overview()).counts == {"a (read)": {"failed": 1}}
    assert await ledger.replay([failure]) == 1

    [again] = await ledger.deliveries.claim(10)
    assert (again.on, again.delivery.at) == ("read", claim.delivery.at)


async def test_our_own_change_is_seen_once(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """What we noted is no news when it comes back; the next of its kind is."""
    await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
    await ledger.own_changes.note(mailbox, "read", ["1"])
    unread = Changed("1", READ, UNREAD, None)

    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a"), unread], token="t"))
    assert await ledger.deliveries.claim(10) == []

    await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a")], token="t"))
    assert len(await ledger.deliveries.claim(10)) == 1


@pytest.mark.parametrize(("seconds", "kept"), [(3600, {"1"}), (-60, set[str]())])
async def test_notes_of_what_changed_nothing_are_dropped(
    ledger: Ledger,
    mailbox: Mailbox,
    lease: SyncLease,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    kept: set[str],
) -> None:
    """A note stays until a sync that began long after it has seen nothing of it."""
    monkeypatch.setattr("worker.ledger.mailboxes.OWN_CHANGE_SECONDS", seconds)
    await ledger.own_changes.note(mailbox, "read", ["1"])

    await ledger.mailboxes.commit(lease, Page(walk_token="w", walk_to=1.0))
    assert await ledger.own_changes.among(mailbox, "read", ["1", "2"]) == {"1"}
    await ledger.mailboxes.commit(lease, Page(token="t"))

    assert await ledger.own_changes.among(mailbox, "read", ["1", "2"]) == kept


async def test_a_token_is_kept_with_its_owner(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """The next sync knows for whose messages its token, or its unfinished walk, was made."""
    assert (lease.owner, lease.walk_owner) == ("personal", "personal")
    await ledger.mailboxes.commit(lease, Page(token="t", owner="any"))
    await ledger.mailboxes.finish(lease, 0)
    redis = ledger.connection.redis
    await redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started")
    second = await ledger.mailboxes.claim(mailbox)
    assert second is not None
    assert second.owner == "any"

    page = Page(walk_token="w", walk_to=1.0, owner="shared")
    await ledger.mailboxes.commit(second, page)
    await ledger.mailboxes.finish(second, 0)
    await redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started")

    third = await ledger.mailboxes.claim(mailbox)
    assert third is not None
    assert (third.owner, third.walk_owner, third.walk_to) == ("any", "shared", 1.0)


async def test_a_change_goes_through_all_that_may_become_of_a_delivery(
    redis_url: str, mailbox: Mailbox, eventually: Eventually
) -> None:
    """Renewed, given back, left by a dead worker, and closed: the same for whatever happened."""
    async with open_ledger(redis_url, lease_seconds=30) as ledger:
        await ledger.mailboxes.watch([mailbox], 0)
        lease = await ledger.mailboxes.claim(mailbox)
        assert lease is not None
        await ledger.mailboxes.commit(lease, Page(created=[seen("1")], token="t"))
        await ledger.mailboxes.commit(lease, Page(updated=[read("1", "a")], token="t"))
        async with open_ledger(redis_url, lease_seconds=0) as brief:
            claims = await brief.deliveries.claim(10)
        await ledger.deliveries.renew(claims)
        assert await ledger.deliveries.reclaim_lapsed() == 0
        await ledger.deliveries.release(claims)
        async with open_ledger(redis_url, lease_seconds=0) as brief:
            assert len(await brief.deliveries.claim(10)) == 1
        assert await ledger.deliveries.reclaim_lapsed() == 1

        [claim] = await ledger.deliveries.claim(10)
        claim.delivery.state, claim.delivery.closing = "waiting", ["mark-read"]
        assert await ledger.deliveries.settle(claim)
        [work] = await eventually(ledger.closing.claim)
        await ledger.closing.finish(work, {"1": ClosingOutcome(True, "marked read")})

        assert (await ledger.overview()).counts == {"a (read)": {"done": 1}}
        assert await ledger.connection.redis.keys("*message*") == []
