"""What handlers may do with the mailbox a message came from."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.outgoing import OutgoingSms

Outcomes = dict[str, RingCentralError | None]


class ContentStream(Protocol):
    """An attachment's bytes, in chunks of 64 KiB to 1 MiB; `size` is that of the whole."""

    @property
    def content_type(self) -> str:
        """What the media host says it is."""

    @property
    def size(self) -> int | None:
        """The bytes of the whole, where they are known."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks."""


class MessageStoreAccess(Protocol):
    """The part of MessageStore that handlers see: read, mark, delete, restore and send messages."""

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """The message as it now is."""

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """Each id's message or error."""

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[ContentStream]:
        """An attachment's bytes as a stream, from `offset` on."""

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Mark messages `Read` or `Unread`; per id None or its error."""

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """Delete messages; per id None or its error."""

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """Take deleted messages back; per id None or its error."""

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Send a text message; after an error that is no refusal it may have been sent."""

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """The message that was sent with this text to this number since then, if it is seen."""
