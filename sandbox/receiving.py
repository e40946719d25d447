"""The Python face's sentences on messages: what arrives and what changes."""

import copy
from collections.abc import Sequence
from typing import Any

from sandbox.arrivals import arrive
from sandbox.face import Face
from sandbox.samples.compose import Wish, transcript
from sandbox.samples.content import Content

Record = dict[str, Any]
"""A message as the REST API answers it."""


class Receiving(Face):
    """Makes messages arrive and change. Wishes are the members of `Wish`, by name."""

    async def receives(self, kind: str, *, extension: str = "~", **wish: Any) -> Record:
        """A message of any kind ("sms", "mms", ...) arrives; see `Wish` for the rest."""
        message = arrive(self.server.emulator, kind, Wish(**wish), extension)
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

    async def transcribes(self, message_id: int | str, text: str) -> Record:
        """A voicemail's transcription is ready."""
        message = self._find(message_id)
        changed = {"vmTranscriptionStatus": "Completed"}
        self.server.emulator.change(message, changed, transcript(text))
        return copy.deepcopy(message.record)
