"""What `ringpost messages` asks the Message Store: find, read, mark."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from message_store.client import MessageStore
from message_store.errors import NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.connection import message_store
from ringpost.refusal import Refusal
from worker.watching import find_mailboxes

_PAGE = 100
_MMS = "MMS"
_EXTENSION = "extensionId"
_NAME_ONE = "give ~, an extension's id or number, or account/extension"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; empty means any. Times carry their zone."""

    message_types: Sequence[str] = ()
    directions: Sequence[str] = ()
    read_statuses: Sequence[str] = ()
    date_from: datetime | None = None
    date_to: datetime | None = None

    def types_to_ask(self) -> tuple[str, ...]:
        """The types as RingCentral has them: it cannot tell an MMS from an SMS."""
        return tuple(dict.fromkeys("SMS" if t == _MMS else t for t in self.message_types))

    def meets(self, message: Message) -> bool:
        """Whether a message that RingCentral found is one of those that are meant."""
        if _MMS not in self.message_types or "SMS" in self.message_types:
            return True
        return message.is_mms or message.type != "SMS"


async def find(name: str, filters: Filters, limit: int) -> list[Message]:
    """At most `limit` messages of the mailbox, the newest first."""
    async with open_mailbox(name) as (store, mailbox):
        found: list[Message] = []
        pages = store.walk(
            mailbox,
            message_types=filters.types_to_ask(),
            directions=filters.directions,
            read_statuses=filters.read_statuses,
            date_from=filters.date_from,
            date_to=filters.date_to,
            per_page=min(limit, _PAGE),
        )
        async for page in pages:
            found += filter(filters.meets, page.records)
            if len(found) >= limit:
                break
        return found[:limit]


async def read(name: str, message_id: str) -> Message:
    """One message."""
    async with open_mailbox(name) as (store, mailbox):
        try:
            return await store.get(mailbox, message_id)
        except NotFound as error:
            if error.parameter == _EXTENSION:
                raise
            raise Refusal(f"message {message_id}: {in_words(error)}", exit_code=1) from None


async def mark(name: str, ids: Sequence[str], read_status: str) -> tuple[list[str], dict[str, str]]:
    """Set their read status; those that took it, and why the others did not."""
    async with open_mailbox(name) as (store, mailbox):
        results = await store.set_read_status(mailbox, list(dict.fromkeys(ids)), read_status)
    marked = [message_id for message_id, error in results.items() if error is None]
    return marked, {key: in_words(error) for key, error in results.items() if error is not None}


def in_words(error: RingCentralError) -> str:
    """Why nothing can be done with a message."""
    if isinstance(error, NotFound):
        return (
            f"RingCentral has no such message in this mailbox; it may have been deleted ({error})"
        )
    return str(error)


@asynccontextmanager
async def open_mailbox(name: str) -> AsyncIterator[tuple[MessageStore, Mailbox]]:
    """The mailbox of this name: `~`, an extension's id or number, or `account/extension`."""
    async with message_store() as connection:
        try:
            yield connection.store, await _mailbox(connection.store, name)
        except NotFound as error:
            if error.parameter not in {_EXTENSION, "accountId"}:
                raise
            raise _no_such_extension(name) from None


async def _mailbox(store: MessageStore, name: str) -> Mailbox:
    if name == "~":
        return Mailbox("~", "~")
    try:
        if "/" in name:
            return Mailbox.parse(name)
        Mailbox.parse(f"~/{name}")
        found = await find_mailboxes(store, [name])
    except ValueError:
        raise Refusal(f"--mailbox {name[:80]}: not one mailbox; {_NAME_ONE}") from None
    if not found:
        raise _no_such_extension(name)
    if len(found) > 1:
        raise Refusal(f"--mailbox {name[:80]}: not one mailbox; {_NAME_ONE}")
    return found[0]


def _no_such_extension(name: str) -> Refusal:
    return Refusal(f"--mailbox {name[:80]}: RingCentral has no such extension; {_NAME_ONE}")
