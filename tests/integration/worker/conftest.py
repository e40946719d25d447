"""A ledger on an empty Redis, short ways to fill it, and a sandbox with a client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.limits import NoLimits
from message_store.mailbox import Mailbox
from message_store.server import Server
from message_store.token import MemoryTokenStore
from sandbox import RingCentral
from tests.support.in_process import ShortLine
from worker.ledger import Ledger, open_ledger
from worker.ledger.mailboxes import Happened, Page, Seen, SyncLease


@pytest.fixture
async def ledger(redis_url: str) -> AsyncIterator[Ledger]:
    async with open_ledger(redis_url, lease_seconds=30) as opened:
        yield opened


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox("4001", "5001")


@pytest.fixture
async def lease(ledger: Ledger, mailbox: Mailbox) -> SyncLease:
    """The lease of a watched mailbox."""
    await ledger.mailboxes.watch([mailbox], 0)
    lease = await ledger.mailboxes.claim(mailbox)
    assert lease is not None
    return lease


Arrive = Callable[..., Awaitable[None]]


@pytest.fixture
def arrive(ledger: Ledger) -> Arrive:
    """`await arrive(mailbox, "1", "2", routes=["r"])`: these messages came and are due."""

    async def put(mailbox: Mailbox, *ids: str, routes: tuple[str, ...] = ("route",)) -> None:
        watched = await ledger.mailboxes.watched()
        await ledger.mailboxes.watch([*watched, mailbox], 0)
        # as if some time had passed since it was synchronised
        await ledger.connection.redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started")
        lease = await ledger.mailboxes.claim(mailbox)
        assert lease is not None
        news = [Happened("created", routes)]
        created = [Seen(id_, float(id_), "print", f'{{"id": {id_}}}', news) for id_ in ids]
        assert await ledger.mailboxes.commit(lease, Page(created=created, token="t"))
        await ledger.mailboxes.finish(lease, 900)

    return put


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
async def store(ringcentral: RingCentral) -> AsyncIterator[MessageStore]:
    async with aiohttp.ClientSession() as session:
        server = Server.of(ringcentral.api_url, ringcentral.media_url)
        credentials = Credentials(
            ringcentral.client_id,
            SecretStr(ringcentral.client_secret),
            SecretStr(ringcentral.jwt),
        )
        limits = NoLimits()
        authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), limits)
        yield MessageStore(session, server, authenticator, limits)


@pytest.fixture
async def line(
    ringcentral: RingCentral, redis_url: str, tmp_path: Path
) -> AsyncIterator[ShortLine]:
    """A line whose webhook listens, without a worker yet."""
    line = ShortLine(ringcentral, redis_url, tmp_path)
    await line.start_webhook()
    yield line
    await line.stop()
