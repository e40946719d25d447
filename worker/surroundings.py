"""What routes may ask of a message beside its record: its extension's names, what was said.

Asked for only if some route wants to know.
"""

import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import structlog

from message_store.errors import LoginRefused, RateLimited, RingCentralError, TokenRejected
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.protocol import MessageStoreAccess

from .facts import Known
from .ledger.extensions import ExtensionLedger
from .routes import Route, asks_for

log = structlog.get_logger()

_NAMES_SECONDS = 60.0
# What says nothing of the one text that was asked for.
_NOT_ABOUT_IT = (LoginRefused, RateLimited, TokenRejected)
_LONGEST_TRANSCRIPTION = 64 * 1024
# A text that cannot be read must not keep the other messages of the mailbox for long.
_PATIENCE = timedelta(minutes=2)


class Surroundings:
    """Finds out what the routes of a configuration ask for."""

    def __init__(self, extensions: ExtensionLedger, routes: Iterable[Route]) -> None:
        routes = tuple(routes)
        self._extensions = extensions
        self._wants_names = asks_for(routes, "extension")
        self._transcribed_on = {
            word for route in routes if asks_for([route], "transcription") for word in route.on
        }
        self._names: dict[Mailbox, tuple[str | None, str | None]] = {}
        self._read_at = float("-inf")

    async def of(
        self,
        store: MessageStoreAccess,
        mailbox: Mailbox,
        message: Message,
        happened: Collection[str],
    ) -> Known:
        """What is known of a message to which this happened; raises RingCentralError."""
        number, name = await self._of_extension(mailbox) if self._wants_names else (None, None)
        if self._transcribed_on.isdisjoint(happened):
            return Known(number, name)
        return Known(number, name, await transcription(store, mailbox, message))

    async def _of_extension(self, mailbox: Mailbox) -> tuple[str | None, str | None]:
        if time.monotonic() > self._read_at + _NAMES_SECONDS or mailbox not in self._names:
            self._names = await self._extensions.load()
            self._names.setdefault(mailbox, (None, None))
            self._read_at = time.monotonic()
        return self._names[mailbox]


async def transcription(store: MessageStoreAccess, mailbox: Mailbox, message: Message) -> str:
    """The text of a voicemail's transcription, its first 64 KiB; empty if there is none.

    Raises RingCentralError if it is worth a new attempt. In some accounts it is the `subject` of
    the message as well.
    Source: https://developers.ringcentral.com/guide/messaging/message-store/messaging
    """
    if message.type != "VoiceMail":
        return ""
    part = next((one for one in message.attachments if one.type == "AudioTranscription"), None)
    if part is None:
        return message.subject or ""
    text = bytearray()
    try:
        async with store.content(mailbox, message.id, part) as content:
            async for chunk in content:
                text += chunk
                if len(text) >= _LONGEST_TRANSCRIPTION:
                    break
    except RingCentralError as error:
        changed = message.last_modified_time or message.created
        is_young = datetime.now(UTC) - changed < _PATIENCE
        if isinstance(error, _NOT_ABOUT_IT) or (error.transient and is_young):
            raise
        facts = {"mailbox": str(mailbox), "message": message.id, "reason": str(error)}
        log.warning("transcription cannot be read, so no route finds words in it", **facts)
        return ""
    return text[:_LONGEST_TRANSCRIPTION].decode("utf-8", "replace")
