"""The mailbox as handlers get it: what they change is noted as ours before it is changed.

RingCentral tells of our own read marks and deletions as of anybody's; by the notes the sync knows
that they are no news. Noted before the call, for the sync may see the change before it returns.
"""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from message_store.errors import BadRequest, NotFound, PermissionMissing, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.outgoing import OutgoingSms
from message_store.protocol import ContentStream, MessageStoreAccess, Outcomes

from .happenings import DELETED, READ, State
from .ledger import Ledger

# After any other failure it may have been changed, or is tried again.
_REFUSED = (BadRequest, NotFound, PermissionMissing)


class OwnChanges:
    """A MessageStoreAccess that notes read marks and deletions in the ledger."""

    def __init__(self, store: MessageStoreAccess, ledger: Ledger) -> None:
        self._store = store
        self._mailboxes = ledger.mailboxes
        self._notes = ledger.own_changes

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """The message as it now is."""
        return await self._store.get(mailbox, message_id)

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """Each id's message or error."""
        return await self._store.get_many(mailbox, ids)

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[ContentStream]:
        """An attachment's bytes as a stream, from `offset` on."""
        return self._store.content(mailbox, message_id, attachment, offset=offset)

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Mark messages `Read` or `Unread`; per id None or its error."""
        if status != "Read":
            return await self._store.set_read_status(mailbox, ids, status)
        await self._note(mailbox, READ, ids)
        marking = self._store.set_read_status(mailbox, ids, status)
        return await self._settled(mailbox, READ, ids, marking)

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """Delete messages; per id None or its error."""
        await self._note(mailbox, DELETED, ids)
        deleting = self._store.delete(mailbox, ids, purge=purge)
        return await self._settled(mailbox, DELETED, ids, deleting)

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """Take deleted messages back; per id None or its error."""
        return await self._store.restore(mailbox, ids)

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Send a text message; after an error that is no refusal it may have been sent."""
        return await self._store.send_sms(mailbox, sms)

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """The message that was sent with this text to this number since then, if it is seen."""
        return await self._store.find_sent(mailbox, sms, since)

    async def _note(self, mailbox: Mailbox, on: str, ids: Sequence[str]) -> None:
        """Note those that are not so already: what changes nothing does not come back."""
        prints = await self._mailboxes.known(mailbox, ids)
        changing = [i for i in ids if i not in prints or on not in State.parse(prints[i]).reached]
        await self._notes.note(mailbox, on, changing)

    async def _settled(
        self, mailbox: Mailbox, on: str, ids: Sequence[str], change: Awaitable[Outcomes]
    ) -> Outcomes:
        """Make the change; the notes of those that were refused for good are withdrawn."""
        try:
            outcomes = await change
        except _REFUSED:
            await self._notes.withdraw(mailbox, on, ids)
            raise
        refused = [id_ for id_, outcome in outcomes.items() if isinstance(outcome, _REFUSED)]
        await self._notes.withdraw(mailbox, on, refused)
        return outcomes
