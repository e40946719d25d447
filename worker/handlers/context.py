"""The context a delivery gives to its handlers: spooled files, guarded network, templates, log."""

import asyncio
import copy
import hashlib
import json as json_library
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import structlog
from pydantic import AnyUrl

from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.protocol import MessageStoreAccess
from worker.handlers.contract import (
    AttachmentFile,
    Context,
    IPNetwork,
    Links,
    Reply,
    SendTogether,
)
from worker.handlers.egress import Egress
from worker.handlers.filenames import attachment_names
from worker.handlers.media_types import safe_media_type
from worker.handlers.notes import MemoryNotes, Notes
from worker.handlers.rendering import render
from worker.happenings import CREATED
from worker.spool import Spool

if TYPE_CHECKING:
    from worker.gathering import Gathering

CHUNK = 256 * 1024
# The archive keeps these beside the attachments.
_TAKEN = ("message.json", "message.eml", "manifest.json", "revisions")


def idempotency_key(
    mailbox: Mailbox,
    message_id: str,
    route: str,
    step: str,
    happened: tuple[str, str | None] | None = None,
) -> str:
    """The identity of one effect: the same for every attempt at it, 64 hexadecimal digits.

    `happened` is what the message's delivery is on and when it was, None for its creation.
    """
    identity = json_library.dumps([*mailbox, message_id, route, step, *(happened or ())])
    return hashlib.sha256(identity.encode()).hexdigest()


class SpooledAttachment(AttachmentFile):
    """An attachment that is downloaded into the spool when somebody first wants it."""

    def __init__(
        self, spool: Spool, mailbox: Mailbox, message: Message, part: Attachment, name: str
    ) -> None:
        self._spool = spool
        self._mailbox = mailbox
        self._message = message
        self._part = part
        self.id = part.id
        self.type = part.type
        self.name = name
        self.content_type = safe_media_type(part.content_type, name)
        self.size = part.size

    async def path(self) -> Path:
        """The spooled file, whole and length-checked."""
        return (await self._spool.fetch(self._mailbox, self._message, self._part)).path

    async def content(self) -> Path | bytes:
        """See `AttachmentFile`."""
        found = await self._spool.content(self._mailbox, self._message, self._part)
        return found if isinstance(found, bytes) else found.path

    async def open(self) -> AsyncIterator[bytes]:
        """The content in chunks of 256 KiB."""
        content = await self.content()
        if isinstance(content, bytes):
            yield content
            return
        with await asyncio.to_thread(content.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk


class DeliveryContext(Context):
    """One attempt at one step of a delivery; built by the worker, used by one handler call."""

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        message: Message,
        route: str,
        step: str,
        attempt: int,
        store: MessageStoreAccess,
        spool: Spool,
        http: Egress,
        notes: Notes | None = None,
        on: str = CREATED,
        at: str | None = None,
        links: Links | None = None,
        amends: bool = False,
        gathering: "Gathering | None" = None,
    ) -> None:
        self.links = links
        self._gathering = gathering
        self._message = message
        self._spool = spool
        self.mailbox = mailbox
        self.route = route
        self.on = on
        self.at = datetime.fromisoformat(at) if at else message.created
        self.step = step
        self.attempt = attempt
        self.message_store = store
        self._http = http
        self._notes = notes or MemoryNotes()
        self._happened = None if on == CREATED else (on, at)
        self.idempotency_key = self._key(message)
        self.attachments = self._files(message)
        self.first_key = idempotency_key(mailbox, message.id, route, step) if amends else None
        self.log = structlog.get_logger().bind(
            mailbox=str(mailbox), message=message.id, route=route, on=on, step=step
        )

    def of(self, message: Message) -> Self:
        """See `Context`."""
        twin = copy.copy(self)
        twin._message = message
        twin.attachments = self._files(message)
        twin.idempotency_key = self._key(message)
        if self.on == CREATED:
            twin.at = message.created
        twin.log = self.log.bind(message=message.id)
        return twin

    async def together(self, name: str, due: datetime, send: SendTogether) -> str:
        """See `Context`; where nothing is gathered the message goes out alone."""
        if self._gathering is None:
            return await send([(self._message, self)], self.idempotency_key)
        return await self._gathering.together(self._message, self, name, due, send)

    def _key(self, message: Message) -> str:
        return idempotency_key(self.mailbox, message.id, self.route, self.step, self._happened)

    def _files(self, message: Message) -> Sequence[AttachmentFile]:
        # The text part of an SMS or pager message is no file.
        names = attachment_names(message.files, _TAKEN)
        return [
            SpooledAttachment(self._spool, self.mailbox, message, part, name)
            for part, name in zip(message.files, names, strict=True)
        ]

    def render(self, template: str, message: Message) -> str:
        """See `Context`."""
        values = {"message": message, "mailbox": self.mailbox, "route": self.route, "on": self.on}
        return render(template, values)

    async def take(self, name: str, period: timedelta, taker: str | None = None) -> bool:
        """See `Context`."""
        return await self._notes.take(name, taker or self.idempotency_key, period)

    async def may_text(self, number: str) -> bool:
        """See `Context`."""
        return await self._notes.may_text(self.mailbox.account_id, number)

    async def request(
        self,
        method: str,
        url: str | AnyUrl,
        *,
        json: Any = None,
        body: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        allow: Collection[IPNetwork] = (),
    ) -> Reply:
        """See `Context`."""
        return await self._http.request(
            method, url, json=json, body=body, headers=headers, allow=allow
        )
