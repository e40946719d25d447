"""Each call of the client against the sandbox, which was written from the reference alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials, MemoryTokenStore
from message_store.client import MessageStore
from message_store.errors import (
    ConnectionFailed,
    FullSyncRequired,
    LimitedMode,
    LoginRefused,
    NotFound,
    NotReady,
    PermissionMissing,
    RateLimited,
)
from message_store.limits import NoLimits
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.server import Server
from sandbox import RingCentral

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_once() -> Any:
    """Repeats do not wait."""
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """RingCentral on localhost."""
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def client(
    ringcentral: RingCentral, session: aiohttp.ClientSession, jwt: str | None = None
) -> MessageStore:
    """A client with a token store of its own."""
    server = Server.of(ringcentral.api_url, ringcentral.media_url)
    credentials = Credentials(
        ringcentral.client_id,
        SecretStr(ringcentral.client_secret),
        SecretStr(jwt or ringcentral.jwt),
    )
    limits = NoLimits()
    authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), limits)
    return MessageStore(session, server, authenticator, limits)


@pytest.fixture
def store(ringcentral: RingCentral, session: aiohttp.ClientSession) -> MessageStore:
    return client(ringcentral, session)


@pytest.fixture
def mailbox(ringcentral: RingCentral) -> Mailbox:
    return Mailbox(ringcentral.account_id, ringcentral.extension_id)


async def texts(ringcentral: RingCentral, count: int) -> list[str]:
    """The ids of so many text messages that have just arrived."""
    return [str((await ringcentral.receives_sms(f"no. {n}"))["id"]) for n in range(count)]


async def test_signs_in(ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox) -> None:
    """The caller's real ids, and a clock that is near ours."""
    assert await store.signed_in() == mailbox
    time = store.server_time()
    assert time is not None
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


async def test_full_and_incremental_sync(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """The first sync gives all, the next what is new, changed and deleted since."""
    first, second = await texts(ringcentral, 2)
    page = await store.sync(mailbox, date_from=LONG_AGO)
    assert {record.id for record in page.records} >= {first, second}
    assert page.time is not None
    await store.delete(mailbox, [first])
    (third,) = await texts(ringcentral, 1)
    page = await store.sync(mailbox, token=page.token)
    found = {record.id: record for record in page.records}
    assert found[first].is_deleted
    assert found[third].text == "no. 0"


async def test_a_full_sync_is_paged_by_its_end(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """`older_records_exist` says that the walk goes on before the oldest record."""
    ids = []
    for _ in range(5):
        ids += await texts(ringcentral, 1)
        await ringcentral.passes(60)
    found: set[str] = set()
    date_to = None
    for _ in range(10):
        page = await store.sync(mailbox, date_from=LONG_AGO, date_to=date_to, record_count=2)
        assert {record.id for record in page.records} != set(ids)
        found.update(record.id for record in page.records)
        if not page.older_records_exist:
            break
        date_to = page.records[-1].created
    assert found == set(ids)


async def test_a_forgotten_sync_token(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """It asks for a full sync."""
    page = await store.sync(mailbox, date_from=LONG_AGO)
    await ringcentral.forgets_sync_tokens()
    with pytest.raises(FullSyncRequired):
        await store.sync(mailbox, token=page.token)


async def test_list_and_walk(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Filters narrow the list; a walk sees every message once."""
    ids = await texts(ringcentral, 7)
    fax = str((await ringcentral.receives_fax())["id"])
    faxes = await store.list(mailbox, message_types=["Fax"], date_from=LONG_AGO)
    assert [record.id for record in faxes.records] == [fax]
    walked = [
        record.id
        async for page in store.walk(mailbox, date_from=LONG_AGO, per_page=3)
        for record in page.records
    ]
    assert sorted(walked) == sorted([*ids, fax])


async def test_get_one_and_many(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Each id has its message or its error; 25 ids cost two calls."""
    ids = await texts(ringcentral, 24)
    assert (await store.get(mailbox, ids[3])).text == "no. 3"
    with pytest.raises(NotFound):
        await store.get(mailbox, "1")
    before = len(ringcentral.requests)
    found = await store.get_many(mailbox, [*ids, "1"])
    assert len(ringcentral.requests) - before == 2
    assert isinstance(found["1"], NotFound)
    assert all(isinstance(found[one], Message) for one in ids)


@pytest.mark.parametrize("truncated", [0, 2])
async def test_contents(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox, truncated: int
) -> None:
    """Every attachment comes whole, even if downloads break off half way."""
    arrived = await ringcentral.receives_mms()
    message = await store.get(mailbox, str(arrived["id"]))
    ringcentral.truncates_downloads(truncated)
    assert len(message.files) == 2
    for part in message.files:
        async with store.content(mailbox, message.id, part) as content:
            body = b"".join([chunk async for chunk in content])
        assert body == ringcentral.content(message.id, part.id)
        assert content.content_type == part.content_type


async def test_a_fax_that_renders(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Its content is not ready at first."""
    arrived = await ringcentral.receives_fax(rendering=1)
    message = await store.get(mailbox, str(arrived["id"]))
    with pytest.raises(NotReady):
        async with store.content(mailbox, message.id, message.files[0]):
            pytest.fail("entered")
    async with store.content(mailbox, message.id, message.files[0]) as content:
        assert [chunk async for chunk in content]


@pytest.mark.parametrize("count", [1, 5, 60])
async def test_read_marks(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox, count: int
) -> None:
    """One, some and many messages are marked, each form in one call."""
    ids = await texts(ringcentral, count)
    await store.signed_in()
    before = len(ringcentral.requests)
    assert await store.set_read_status(mailbox, ids, "Read") == dict.fromkeys(ids)
    assert len(ringcentral.requests) - before == 1
    assert {ringcentral.message(one)["readStatus"] for one in ids} == {"Read"}


async def test_a_mark_for_an_unknown_message(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """The others are marked all the same."""
    (known,) = await texts(ringcentral, 1)
    outcomes = await store.set_read_status(mailbox, [known, "1"], "Read")
    assert outcomes[known] is None
    assert isinstance(outcomes["1"], NotFound)


async def test_delete_restore_purge(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Deleted messages come back, purged ones do not; the rest of the mailbox is untouched."""
    first, second, other = await texts(ringcentral, 3)
    both = [first, second]
    assert await store.delete(mailbox, both) == dict.fromkeys(both)
    assert ringcentral.message(first)["availability"] == "Deleted"
    assert await store.restore(mailbox, both) == dict.fromkeys(both)
    assert ringcentral.message(first)["availability"] == "Alive"
    assert await store.delete(mailbox, [first], purge=True) == {first: None}
    assert ringcentral.message(first)["availability"] == "Purged"
    assert ringcentral.message(other)["availability"] == "Alive"


@pytest.fixture
async def webhook() -> AsyncIterator[str]:
    """The address of a webhook that answers the handshake."""

    async def answer(request: web.Request) -> web.Response:
        token = request.headers.get("Validation-Token", "")
        return web.json_response(None, headers={"Validation-Token": token})

    application = web.Application()
    application.router.add_post("/hook", answer)
    async with TestServer(application) as server:
        yield str(server.make_url("/hook"))


async def test_subscriptions(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox, webhook: str
) -> None:
    """Made, found, renewed and ended."""
    wanted = f"/restapi/v1.0/account/~/extension/{mailbox.extension_id}/message-store"
    made = await store.create_subscription([wanted], webhook, "a1b2c3d4e5f6a7b8", 600)
    assert made.is_active
    assert made.delivery_mode.address == webhook
    assert made.event_filters == [wanted.replace("~", mailbox.account_id)]
    assert [one.id for one in await store.subscriptions()] == [made.id]
    assert (await store.subscription(made.id)).id == made.id
    assert (await store.renew_subscription(made.id)).is_active
    await store.delete_subscription(made.id)
    await store.delete_subscription(made.id)
    with pytest.raises(NotFound):
        await store.subscription(made.id)


async def test_extensions_and_permissions(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """The company's extensions, and what the user may do."""
    found = await store.extensions(statuses=["Enabled"])
    assert {one.id for one in found} >= set(ringcentral.extension_ids)
    assert await store.may("ReadMessages", mailbox.extension_id)
    ringcentral.denies("ReadMessages")
    assert not await store.may("ReadMessages", mailbox.extension_id)
    with pytest.raises(PermissionMissing) as caught:
        await store.list(mailbox)
    assert caught.value.permission == "ReadMessages"


async def test_a_revoked_token_is_replaced_unseen(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Twenty calls at once after a revocation cost one login."""
    await store.signed_in()
    await ringcentral.revokes_tokens()
    before = ringcentral.count("/oauth/token")
    await asyncio.gather(*(store.list(mailbox) for _ in range(20)))
    assert ringcentral.count("/oauth/token") - before == 1


async def test_a_wrong_jwt(ringcentral: RingCentral, session: aiohttp.ClientSession) -> None:
    """The remedy names the variable."""
    with pytest.raises(LoginRefused, match="RC_JWT"):
        await client(ringcentral, session, jwt="wrong").signed_in()


async def test_maintenance(ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox) -> None:
    """Reads work, writes say how long."""
    (one,) = await texts(ringcentral, 1)
    ringcentral.enters_limited_mode(retry_after=90)
    assert (await store.get(mailbox, one)).id == one
    with pytest.raises(LimitedMode) as caught:
        await store.set_read_status(mailbox, [one], "Read")
    assert caught.value.retry_after == 90


async def test_too_many_requests(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """The caller hears how long; nothing more is sent into the penalty by the client."""
    ringcentral.limits_to(light=2, window=30)
    await store.list(mailbox)
    await store.list(mailbox)
    with pytest.raises(RateLimited) as caught:
        await store.list(mailbox)
    assert 0 < caught.value.retry_after <= 30
    assert ringcentral.count("message-store") == 3


async def test_a_broken_connection_repeats_no_delete(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """Not even by the HTTP library, which holds a delete for harmless: a second one purges."""
    (message,) = await texts(ringcentral, 1)
    await store.list(mailbox)
    ringcentral.breaks_off("message-store")
    with pytest.raises(ConnectionFailed):
        await store.delete(mailbox, [message])
    assert ringcentral.count("deleteMessage") == 1


async def test_faults_pass_by(
    ringcentral: RingCentral, store: MessageStore, mailbox: Mailbox
) -> None:
    """A broken connection and a 503 cost a read nothing but a repeat."""
    ringcentral.breaks_off("message-store")
    ringcentral.fails("message-store", times=1)
    await store.list(mailbox)
