"""The Python face's sentences on messages: what arrives, what is sent and what changes."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

from sandbox.arrivals import arrive
from sandbox.face import Face
from sandbox.samples.compose import transcript, wish_of
from sandbox.samples.content import Content
from sandbox.state.messages import StoredMessage

Record = dict[str, Any]
"""A message as the REST API answers it."""


class Receiving(Face):
    """Makes messages arrive and change. Wishes are the members of `Wish`, by name."""

    async def receives(
        self, kind: str, *, extension: str = "~", owner: str | None = None, **wish: Any
    ) -> Record:
        """A message of any kind ("sms", "mms", ...) arrives; see `Wish` for the rest.

        `owner` is the queue or group whose shared voicemail or text it is.
        """
        shared_by = None if owner is None else self.server.emulator.extension(owner)
        wanted = wish_of({**wish, "shared_by": shared_by})
        message = arrive(self.server.emulator, kind, wanted, extension)
        return copy.deepcopy(message.record)

    async def receives_sms(self, text: str | None = None, **wish: Any) -> Record:
        """A text message arrives."""
        return await self.receives("sms", text=text, **wish)

    async def receives_mms(
        self, text: str | None = None, *, attachments: Sequence[Content] | None = None, **wish: Any
    ) -> Record:
        """A text message with pictures arrives, two if none are given."""
        return await self.receives("mms", text=text, attachments=attachments, **wish)

    async def receives_fax(
        self, *, attachments: Sequence[Content] | None = None, rendering: int = 0, **wish: Any
    ) -> Record:
        """A fax arrives; its content answers MSG-368 the first `rendering` times."""
        return await self.receives("fax", attachments=attachments, rendering=rendering, **wish)

    async def receives_voicemail(
        self, *, attachments: Sequence[Content] | None = None, seconds: int = 1, **wish: Any
    ) -> Record:
        """A voicemail arrives."""
        return await self.receives("voicemail", attachments=attachments, seconds=seconds, **wish)

    async def receives_pager(self, text: str | None = None, **wish: Any) -> Record:
        """A message from a colleague arrives; `sender` and `to` are extension numbers."""
        return await self.receives("pager", text=text, **wish)

    async def changes(self, message_id: int | str, **fields: Any) -> Record:
        """Members of a message change, by somebody else: `changes(id, readStatus="Read")`."""
        message = self._find(message_id)
        self.server.emulator.change(message, fields)
        return copy.deepcopy(message.record)

    async def sends(
        self,
        kind: str,
        *,
        extension: str = "~",
        statuses: Sequence[str] = ("Queued", "Sent", "Delivered"),
        every: float = 0.1,
        **wish: Any,
    ) -> Record:
        """A message goes out and passes through `statuses`, a step every so many seconds."""
        clock = self.server.emulator.clock
        first, *later = statuses
        chosen = {"direction": "Outbound", "read_status": "Read", "message_status": first, **wish}
        message = arrive(self.server.emulator, kind, wish_of(chosen), extension)
        for place, status in enumerate(later, 1):
            step = partial(self._reach, message, status)
            clock.call_at(clock.time() + place * every, step)
        return copy.deepcopy(message.record)

    async def sends_sms(self, text: str | None = None, **wish: Any) -> Record:
        """A text message goes out, see `sends`."""
        return await self.sends("sms", text=text, **wish)

    async def transcribes(self, message_id: int | str, text: str) -> Record:
        """A voicemail's transcription is ready."""
        message = self._find(message_id)
        changed = {"vmTranscriptionStatus": "Completed"}
        self.server.emulator.change(message, changed, transcript(text))
        if self.server.emulator.settings.transcription_event:
            self.server.outbox.tell_whole(message)
        return copy.deepcopy(message.record)

    async def loses_content(self, message_id: int | str) -> None:
        """A message's contents answer 500 MSG-352 for good."""
        self._find(message_id).content_lost = True

    def _reach(self, message: StoredMessage, status: str) -> None:
        fields: dict[str, Any] = {"messageStatus": status}
        if message.record["type"] == "Fax":
            fields["to"] = [{**to, "messageStatus": status} for to in message.record["to"]]
        elif status.endswith("Failed"):
            fields["deliveryErrorCode"] = "SMS-CAR-411"
        self.server.emulator.change(message, fields)
