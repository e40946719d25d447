"""Sending text messages through the sandbox, which was written from the reference."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials, MemoryTokenStore
from message_store.client import MessageStore
from message_store.errors import BadRequest, ConnectionFailed, PermissionMissing
from message_store.limits import NoLimits
from message_store.mailbox import Mailbox
from message_store.outgoing import OutgoingSms, SmsFile
from message_store.server import Server
from sandbox import RingCentral

OWN = Mailbox("~", "~")
THEIRS = "+16505550199"


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    async with RingCentral() as ringcentral:
        yield ringcentral


@pytest.fixture
async def store(ringcentral: RingCentral) -> AsyncIterator[MessageStore]:
    async with aiohttp.ClientSession() as session:
        server = Server.of(ringcentral.api_url, ringcentral.media_url)
        secrets = (SecretStr(ringcentral.client_secret), SecretStr(ringcentral.jwt))
        credentials = Credentials(ringcentral.client_id, *secrets)
        limits = NoLimits()
        authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), limits)
        yield MessageStore(session, server, authenticator, limits)


@pytest.fixture
def ours(ringcentral: RingCentral) -> str:
    """The number of the signed-in extension."""
    return ringcentral.server.emulator.extension("~").phone


async def test_a_text(store: MessageStore, ringcentral: RingCentral, ours: str) -> None:
    """It is in the mailbox as sent from here, and found again by its words and its number."""
    since = datetime.now(UTC) - timedelta(seconds=2)
    sms = OutgoingSms(ours, THEIRS, "We are  closed.\n")
    assert await store.find_sent(OWN, sms, since) is None
    sent = await store.send_sms(OWN, sms)
    assert (sent.direction, sent.type, sent.from_ and sent.from_.phone_number) == (
        "Outbound",
        "SMS",
        ours,
    )
    found = await store.find_sent(OWN, sms, since)
    assert found is not None
    assert found.id == sent.id
    assert await store.find_sent(OWN, OutgoingSms(ours, THEIRS, "We are open."), since) is None
    assert await store.find_sent(OWN, OutgoingSms(ours, ours, "We are closed."), since) is None
    assert await store.find_sent(OWN, sms, since + timedelta(minutes=1)) is None


async def test_a_picture(store: MessageStore, ringcentral: RingCentral, ours: str) -> None:
    """With a file it is an MMS, and the file arrives whole."""
    picture = SmsFile("morning.png", "image/png", bytes(range(256)) * 100)
    sent = await store.send_sms(OWN, OutgoingSms(ours, THEIRS, "Look", (picture,)))
    assert sent.is_mms
    [part] = [part for part in sent.attachments if part.type == "MmsAttachment"]
    assert ringcentral.content(sent.id, part.id) == picture.content


async def test_it_is_never_repeated_blindly(
    store: MessageStore, ringcentral: RingCentral, ours: str
) -> None:
    """After an answer that never came it is not sent again by the client."""
    ringcentral.breaks_off("/sms")
    with pytest.raises(ConnectionFailed):
        await store.send_sms(OWN, OutgoingSms(ours, THEIRS, "Hello"))
    assert ringcentral.count("/sms") == 1


async def test_refusals(store: MessageStore, ringcentral: RingCentral, ours: str) -> None:
    """A number that is not ours, a text that is too long, a permission that is missing."""
    with pytest.raises(BadRequest, match="MSG-245"):
        await store.send_sms(OWN, OutgoingSms("+16505550000", THEIRS, "Hello"))
    with pytest.raises(BadRequest, match="CMN-101"):
        await store.send_sms(OWN, OutgoingSms(ours, THEIRS, "a" * 1001))
    ringcentral.denies("OutboundSMS")
    with pytest.raises(PermissionMissing, match="OutboundSMS"):
        await store.send_sms(OWN, OutgoingSms(ours, THEIRS, "Hello"))
