"""Messages in Redis: unreadable without the key, and gone when the last delivery is done."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Admitted, Ledger, open_ledger
from worker.ledger.mailboxes import Changed, Happened, Page, Seen
from worker.ledger.records import Delivery

FIRST = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
SECOND = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
CANARIES = ("meet me at the old mill", "+16505550177", "Jane Canary")
CREATED = "2026-11-23T14:32:00.000Z"
SNAPSHOT = json.dumps(
    {
        "id": 1,
        "type": "SMS",
        "creationTime": CREATED,
        "subject": CANARIES[0],
        "from": {"phoneNumber": CANARIES[1], "name": CANARIES[2]},
    }
)

Open = Callable[..., AbstractAsyncContextManager[Ledger]]


@pytest.fixture
def opened(redis_url: str) -> Open:
    """`async with opened(KEY, OLDER_KEY) as ledger`: the same Redis with these keys."""

    @asynccontextmanager
    async def open_(*keys: str) -> AsyncIterator[Ledger]:
        async with open_ledger(redis_url, keys=keys) as ledger:
            yield ledger

    return open_


async def _arrive(ledger: Ledger, mailbox: Mailbox, *routes: str) -> None:
    await ledger.mailboxes.watch([mailbox], 0)
    lease = await ledger.mailboxes.claim(mailbox)
    assert lease is not None
    seen = Seen("1", 1.0, "Alive", SNAPSHOT, [Happened("created", routes or ("route",))])
    assert await ledger.mailboxes.commit(lease, Page(created=[seen], walk_token="w", walk_to=1))
    changed = Changed("1", "Alive", "Alive|Read", SNAPSHOT)
    assert await ledger.mailboxes.commit(lease, Page(updated=[changed], token="t"))


async def _dump(ledger: Ledger) -> str:
    """All that stands in Redis, keys too."""
    redis = ledger.connection.redis
    found: list[Any] = []
    async for key in redis.scan_iter(count=1000):
        found.append(key)
        match await redis.type(key):
            case "string":
                found.append(await redis.get(key))
            case "hash":
                found.append(await redis.hgetall(key))
            case "set":
                found.append(await redis.smembers(key))
            case "zset":
                found.append(await redis.zrange(key, 0, -1))
            case other:
                raise AssertionError(f"{key} is a {other}")
    return repr(found)


async def test_no_message_is_readable_in_redis(opened: Open, mailbox: Mailbox) -> None:
    """With a key no text, number or name stands there while deliveries are due, run or failed."""
    async with opened(FIRST) as ledger:
        await _arrive(ledger, mailbox)
        old = Admitted("2", 1.0, "Alive", SNAPSHOT, {("route", "created"): Delivery()})
        await ledger.deliveries.admit(mailbox, [old])
        dumps = [await _dump(ledger)]
        claims = await ledger.deliveries.claim(10)
        dumps.append(await _dump(ledger))
        for claim in claims:
            assert claim.snapshot == SNAPSHOT
            claim.delivery.state, claim.delivery.reason = "failed", "no such user"
            await ledger.deliveries.settle(claim)
        dumps.append(await _dump(ledger))

        assert len(claims) == 2
        for dump in dumps:
            assert "sealed" in dump
            assert not [canary for canary in CANARIES if canary in dump]


async def test_lists_need_no_key(opened: Open, mailbox: Mailbox) -> None:
    """Type and creation time of a failed delivery are shown to whoever has no key."""
    async with opened(FIRST) as ledger:
        await _arrive(ledger, mailbox)
        [claim] = await ledger.deliveries.claim(10)
        claim.delivery.state = "failed"
        await ledger.deliveries.settle(claim)
    async with opened() as ledger:
        [failure] = await ledger.failures()

    assert failure.type == "SMS"
    assert failure.created
    assert failure.created.isoformat() == "2026-11-23T14:32:00+00:00"


@pytest.mark.parametrize(
    ("sealed_with", "opened_with", "readable"),
    [
        ([FIRST], [FIRST], True),
        ([FIRST], [SECOND, FIRST], True),
        ([SECOND, FIRST], [SECOND], True),
        ([], [FIRST], True),
        ([FIRST], [SECOND], False),
        ([FIRST], [], False),
    ],
)
async def test_keys_rotate(
    opened: Open,
    mailbox: Mailbox,
    sealed_with: list[str],
    opened_with: list[str],
    readable: bool,
) -> None:
    """The newest key seals, any of ours opens, and so does none what was written without one."""
    async with opened(*sealed_with) as ledger:
        await _arrive(ledger, mailbox)
    async with opened(*opened_with) as ledger:
        kept = await ledger.mailboxes.snapshots(mailbox, ["1"])
        [claim] = await ledger.deliveries.claim(10)

    assert kept == ({"1": SNAPSHOT} if readable else {})
    assert claim.snapshot == (SNAPSHOT if readable else None)


async def test_nothing_of_a_message_outlives_its_last_delivery(
    opened: Open, mailbox: Mailbox
) -> None:
    """With or without a key: when all is done the message is not in Redis any more."""
    async with opened() as ledger:
        await _arrive(ledger, mailbox, "one", "two")
        first, second = await ledger.deliveries.claim(10)
        first.delivery.state = "done"
        await ledger.deliveries.settle(first)
        assert CANARIES[0] in await _dump(ledger)

        second.delivery.state = "done"
        await ledger.deliveries.settle(second)

        dump = await _dump(ledger)
        assert not [canary for canary in CANARIES if canary in dump]
        assert "message:" not in dump
