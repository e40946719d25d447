"""The Message Stores of all logins as one, for those who have a mailbox and need no more."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.outgoing import OutgoingSms
from message_store.protocol import ContentStream, Outcomes

from .logins import Logins


class EveryStore:
    """Each mailbox is asked of the login that looks after it."""

    def __init__(self, logins: Logins, *, bulk: bool = False) -> None:
        self._logins = logins
        self._bulk = bulk

    def in_bulk(self) -> "EveryStore":
        """The same for work that can wait: it leaves a share of the rate limits to live work."""
        return EveryStore(self._logins, bulk=True)

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """The message as it now is."""
        return await (await self._of(mailbox)).get(mailbox, message_id)

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """Each id's message or error."""
        return await (await self._of(mailbox)).get_many(mailbox, ids)

    @asynccontextmanager
    async def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AsyncIterator[ContentStream]:
        """An attachment's bytes as a stream, from `offset` on."""
        store = await self._of(mailbox)
        async with store.content(mailbox, message_id, attachment, offset=offset) as stream:
            yield stream

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Mark messages `Read` or `Unread`; per id None or its error."""
        return await (await self._of(mailbox)).set_read_status(mailbox, ids, status)

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """Delete messages; per id None or its error."""
        return await (await self._of(mailbox)).delete(mailbox, ids, purge=purge)

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """Take deleted messages back; per id None or its error."""
        return await (await self._of(mailbox)).restore(mailbox, ids)

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Send a text message; after an error that is no refusal it may have been sent."""
        return await (await self._of(mailbox)).send_sms(mailbox, sms)

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """The message that was sent with this text to this number since then, if it is seen."""
        return await (await self._of(mailbox)).find_sent(mailbox, sms, since)

    async def _of(self, mailbox: Mailbox) -> MessageStore:
        await self._logins.know(mailbox)
        store = self._logins.of(mailbox).store
        return store.in_bulk() if self._bulk else store
