"""What a mailbox says becomes deliveries: each message once, none forgotten."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from message_store.client import MessageStore
from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.mailman import Mailman
from worker.ledger import Ledger
from worker.ledger.snapshots import read_snapshot

CONFIGURATION = """
mailboxes = ["~"]
[sync]
start = "{start}"
[handlers.vault]
use = "archive"
to = "file:///tmp/nowhere"
[[routes]]
name = "kept"
steps = ["vault"]
"""


@pytest.fixture
def mailman(store: MessageStore, ledger: Ledger, tmp_path: Path) -> Callable[[str], Mailman]:
    """`mailman(start)`: with this start of the very first sync."""

    def hire(start: str = "1h") -> Mailman:
        path = tmp_path / "ringpost.toml"
        path.write_text(CONFIGURATION.format(start=start))
        return Mailman(store, ledger, path)

    return hire


Hire = Callable[..., Mailman]


async def backlog(ringcentral: RingCentral, messages: int) -> list[dict[str, Any]]:
    """One message a second until now."""
    now = ringcentral.server.emulator.clock.time()
    return [
        await ringcentral.receives_sms(f"number {n}", created=now - messages + n)
        for n in range(messages)
    ]


async def test_a_backlog_comes_page_by_page(ringcentral: RingCentral, mailman: Hire) -> None:
    """A first sync that does not fit on a page brings every message once."""
    records = await backlog(ringcentral, 620)

    result = await mailman().synchronise()

    assert result.calls > 2
    assert result.created == 620
    assert await mailman().due() == {str(record["id"]) for record in records}


async def test_repeats_are_no_news(ringcentral: RingCentral, mailman: Hire) -> None:
    """RingCentral repeats the records of the last seconds; they are not delivered again."""
    await ringcentral.receives_sms("one")
    await mailman().synchronise()
    await ringcentral.receives_sms("two")

    second = await mailman().synchronise()
    third = await mailman().synchronise()

    assert (second.created, third.created) == (1, 0)
    assert len(await mailman().due()) == 2


async def test_a_change_is_no_new_message(ringcentral: RingCentral, mailman: Hire) -> None:
    """A message that is marked read elsewhere is an update, and only once."""
    record = await ringcentral.receives_sms("one")
    await mailman().synchronise()
    await ringcentral.changes(record["id"], readStatus="Read")

    results = [await mailman().synchronise() for _ in range(2)]

    assert [(result.created, result.updated) for result in results] == [(0, 1), (0, 0)]


async def test_a_dead_sync_token(ringcentral: RingCentral, mailman: Hire) -> None:
    """When RingCentral wants a full sync, what came meanwhile arrives and the rest not again."""
    await ringcentral.receives_sms("before")
    await mailman().synchronise()
    await ringcentral.forgets_sync_tokens()
    await ringcentral.receives_sms("after")

    result = await mailman().synchronise()

    assert result.created == 1
    assert len(await mailman().due()) == 2
    assert (await mailman().synchronise()).created == 0


async def test_start_now(ringcentral: RingCentral, mailman: Hire) -> None:
    """With `start = "now"` nothing old is delivered, and everything that comes after is."""
    await ringcentral.receives_sms("old", created=ringcentral.server.emulator.clock.time() - 60)
    assert (await mailman("now").synchronise()).created == 0

    await ringcentral.receives_sms("new")

    assert (await mailman("now").synchronise()).created == 1


async def test_old_messages_that_change_are_not_delivered(
    ringcentral: RingCentral, mailman: Hire
) -> None:
    """An unknown message from before the start is an update, whatever happens to it."""
    old = await ringcentral.receives_sms(
        "old", created=ringcentral.server.emulator.clock.time() - 7200
    )
    await mailman().synchronise()

    await ringcentral.changes(old["id"], readStatus="Read")

    assert (await mailman().synchronise()).created == 0
    assert await mailman().due() == set()


async def test_deleted_before_it_was_seen(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """A message that is deleted before the sync saw it is delivered while its content exists."""
    await mailman().synchronise()
    record = await ringcentral.receives_sms("quickly gone")
    mailbox = await store.signed_in()
    await store.delete(mailbox, [str(record["id"])])

    result = await mailman().synchronise()

    assert (result.created, result.missed) == (1, 0)


async def test_purged_before_it_was_seen(
    ringcentral: RingCentral,
    mailman: Hire,
    store: MessageStore,
    ledger: Ledger,
) -> None:
    """A message that is purged before the sync saw it is recorded as missed, once."""
    await mailman().synchronise()
    record = await ringcentral.receives_sms("never seen")
    mailbox = await store.signed_in()
    await store.delete(mailbox, [str(record["id"])], purge=True)

    results = [await mailman().synchronise() for _ in range(2)]

    assert [(result.created, result.missed) for result in results] == [(0, 1), (0, 0)]
    assert (await ledger.overview()).mailboxes[0].missed == 1


@pytest.mark.parametrize("date", ["yesterday", None, "0001-01-01T00:00:00+14:00"])
async def test_a_date_that_cannot_be_read_costs_no_message(
    ringcentral: RingCentral, mailman: Hire, ledger: Ledger, date: str | None
) -> None:
    """A message whose creation nobody can date is new: it is no deleted one."""
    await mailman().synchronise()
    record = await ringcentral.receives_sms("here I am")
    await ringcentral.changes(record["id"], creationTime=date)

    results = [await mailman().synchronise() for _ in range(2)]

    assert [(result.created, result.missed) for result in results] == [(1, 0), (0, 0)]
    [claim] = await ledger.deliveries.claim(10)
    message = read_snapshot(claim.snapshot)
    assert message is not None
    assert abs(message.created.timestamp() - time.time()) < 600


async def test_a_crash_between_pages(
    ringcentral: RingCentral, mailman: Hire, ledger: Ledger
) -> None:
    """A walk that dies after a page is walked again, and each message is delivered once."""
    await backlog(ringcentral, 300)
    dying = mailman()
    ringcentral.fails("dateTo=", status=400, code="CMN-101", times=1)
    with pytest.raises(Exception, match="CMN-101"):
        await dying.synchronise()
    partly = len(await dying.due())

    await dying.synchronise()

    assert 0 < partly < 300
    assert partly + len(await dying.due()) == 300


async def test_the_address_of_a_mailbox_is_real(store: MessageStore) -> None:
    """The signed-in mailbox is known by its ids, never as `~`."""
    mailbox = await store.signed_in()

    assert mailbox == Mailbox.parse(str(mailbox))
    assert "~" not in str(mailbox)


async def test_deleted_while_a_delivery_is_open(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """A message that is deleted before its delivery is done is delivered as it was."""
    record = await ringcentral.receives_sms("short-lived")
    await mailman().synchronise()
    await store.delete(await store.signed_in(), [str(record["id"])])

    result = await mailman().synchronise()

    assert (result.created, result.updated) == (0, 1)
    assert await mailman().due() == {str(record["id"])}


async def test_many_deleted_messages_cost_few_calls(
    ringcentral: RingCentral, mailman: Hire, store: MessageStore
) -> None:
    """Messages that were deleted before they were seen are read twenty at a time."""
    await mailman().synchronise()
    records = [await ringcentral.receives_sms(f"number {n}") for n in range(45)]
    await store.delete(await store.signed_in(), [str(record["id"]) for record in records])
    before = ringcentral.count("readMessage")

    result = await mailman().synchronise()

    assert result.created == 45
    assert ringcentral.count("readMessage") - before == 3


async def test_a_walk_goes_on_where_it_was_interrupted(
    ringcentral: RingCentral, mailman: Hire
) -> None:
    """A backlog beyond a rate window is walked to its end, no page asked for twice."""
    await backlog(ringcentral, 1400)
    ringcentral.limits_to(light=3, window=60)
    refusals = 0

    while True:
        try:
            await mailman().synchronise()
            break
        except RateLimited:
            refusals += 1
            await ringcentral.passes(60)

    pages = [entry.path for entry in ringcentral.requests.matching("syncMessages", status=200)]
    assert refusals > 0
    assert len(pages) == len(set(pages))
    assert len(await mailman().due()) == 1400


async def test_five_thousand_on_the_first_start(ringcentral: RingCentral, mailman: Hire) -> None:
    """Each of 5,000 old messages is delivered once, though hundreds share one second."""
    for second in range(5):
        created = time.time() - 3000 + 300 * second
        for _ in range(1000):
            await ringcentral.receives_sms("old", created=created)

    result = await mailman().synchronise()

    assert result.created == 5000
    assert result.calls <= 30
    assert len(await mailman().due()) == 5000
    assert (await mailman().synchronise()).created == 0


async def test_a_token_that_dies_in_the_middle(ringcentral: RingCentral, mailman: Hire) -> None:
    """When the token is refused while 600 messages wait, each of them is delivered once."""
    await ringcentral.receives_sms("before")
    await mailman().synchronise()
    for _ in range(600):
        await ringcentral.receives_sms("while it dies")
    await ringcentral.forgets_sync_tokens()

    assert (await mailman().synchronise()).created == 600

    assert (await mailman().synchronise()).created == 0
    assert len(await mailman().due()) == 601
