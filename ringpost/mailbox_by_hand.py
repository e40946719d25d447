"""What `ringpost messages` asks the Message Store: find, read, mark."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from message_store.message import Message
from ringpost.connection import message_store
from ringpost.refusal import Refusal
from worker.watching import find_mailboxes

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; empty means any. Times carry their zone."""

    message_types: Sequence[str] = ()
    directions: Sequence[str] = ()
    read_statuses: Sequence[str] = ()
    date_from: datetime | None = None
    date_to: datetime | None = None


async def find(name: str, filters: Filters, limit: int) -> list[Message]:
    """At most `limit` messages of the mailbox, the newest first."""
    async with open_mailbox(name) as (store, mailbox):
        found: list[Message] = []
        pages = store.walk(
            mailbox,
            message_types=filters.message_types,
            directions=filters.directions,
            read_statuses=filters.read_statuses,
            date_from=filters.date_from,
            date_to=filters.date_to,
            per_page=min(limit, _PAGE),
        )
        async for page in pages:
            found += page.records
            if len(found) >= limit:
                break
        return found[:limit]


async def read(name: str, message_id: str) -> Message:
    """One message."""
    async with open_mailbox(name) as (store, mailbox):
        return await store.get(mailbox, message_id)


async def mark(name: str, ids: Sequence[str], read_status: str) -> tuple[list[str], dict[str, str]]:
    """Set their read status; those that took it, and why the others did not."""
    async with open_mailbox(name) as (store, mailbox):
        results = await store.set_read_status(mailbox, list(dict.fromkeys(ids)), read_status)
    marked = [message_id for message_id, error in results.items() if error is None]
    return marked, {key: str(error) for key, error in results.items() if error is not None}


@asynccontextmanager
async def open_mailbox(name: str) -> AsyncIterator[tuple[MessageStore, Mailbox]]:
    """The mailbox of this name: `~`, an extension's id or number, or `account/extension`."""
    async with message_store() as connection:
        yield connection.store, await _mailbox(connection.store, name)


async def _mailbox(store: MessageStore, name: str) -> Mailbox:
    if name == "~":
        return Mailbox("~", "~")
    try:
        if "/" in name:
            return Mailbox.parse(name)
        Mailbox.parse(f"~/{name}")
        (found,) = await find_mailboxes(store, [name])
    except ValueError:
        raise Refusal(
            f"--mailbox {name[:80]}: not one mailbox; give ~, an extension's id or number, or "
            "account/extension"
        ) from None
    return found
