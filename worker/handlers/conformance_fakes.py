"""Stand-ins for the conformance suite: a mailbox and a network that can be made to fail."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from pydantic import AnyUrl

from message_store.errors import ConnectionFailed, NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.outgoing import OutgoingSms
from message_store.protocol import ContentStream, Outcomes
from worker.handlers.conformance_cases import Case
from worker.handlers.contract import IPNetwork, Links, Reply, TransientError
from worker.handlers.egress import Egress


class FakeContent:
    """The bytes of one attachment in pieces; may break off or hang in the middle."""

    def __init__(self, content: bytes, content_type: str, *, breaks: bool, hangs: bool) -> None:
        self._pieces = [content[at : at + 65536] for at in range(0, len(content), 65536)]
        self._breaks = breaks
        self._hangs = hangs
        self.content_type = content_type
        self.size = len(content)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._breaks:
            raise ConnectionFailed("the connection broke off")
        if self._hangs:
            await asyncio.Event().wait()
        for piece in self._pieces:
            yield piece


class FakeStore:
    """A mailbox in memory that keeps to MessageStoreAccess."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.broken = False
        self.hanging = False
        self.downloads = 0
        self.asked = asyncio.Event()
        self.changed: list[str] = []
        self.deleted: set[str] = set()
        self.purged: set[str] = set()
        self.sent: list[OutgoingSms] = []
        self.sendings = 0
        self.answers_lost = False
        self.errors: dict[str, RingCentralError] = {}
        self.refusal: RingCentralError | None = None

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """The case's message."""
        message = self._case.message
        if message.id != message_id:
            raise NotFound("there is no such message")
        return message

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """A message for each id, like the case's; the ids in `deleted` are."""
        wire = self._case.wire
        return {
            id_: Message.model_validate(
                {**wire, "id": id_, "availability": "Deleted" if id_ in self.deleted else "Alive"}
            )
            for id_ in ids
        }

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[ContentStream]:
        """The attachment's bytes, or the break or silence that was set."""
        self.downloads += 1
        self.asked.set()
        return FakeContent(
            self._case.contents[attachment.id][offset:],
            attachment.content_type or "application/octet-stream",
            breaks=self.broken,
            hangs=self.hanging,
        )

    async def set_read_status(self, mailbox: Mailbox, ids: Sequence[str], status: str) -> Outcomes:
        """Note the ids; the errors that were set are answered."""
        return self._changed(ids)

    async def delete(
        self, mailbox: Mailbox, ids: Sequence[str], *, purge: bool = False
    ) -> Outcomes:
        """As `set_read_status`; to delete what is deleted purges it, as RingCentral does."""
        outcomes = self._changed(ids)
        gone = {id_ for id_, error in outcomes.items() if error is None}
        self.purged |= gone if purge else gone & self.deleted
        self.deleted |= gone
        return outcomes

    async def restore(self, mailbox: Mailbox, ids: Sequence[str]) -> Outcomes:
        """As `set_read_status`."""
        return self._changed(ids)

    async def send_sms(self, mailbox: Mailbox, sms: OutgoingSms) -> Message:
        """Note it; breaks off before that, or (`answers_lost`) after it."""
        self.sendings += 1
        if self.broken:
            raise ConnectionFailed("the connection broke off")
        self.sent.append(sms)
        if self.answers_lost:
            raise ConnectionFailed("the connection broke off")
        return Message.model_validate({"id": len(self.sent)})

    async def find_sent(
        self, mailbox: Mailbox, sms: OutgoingSms, since: datetime
    ) -> Message | None:
        """What was noted."""
        known = [(one.to, one.text) for one in self.sent]
        return Message.model_validate({"id": 1}) if (sms.to, sms.text) in known else None

    def _changed(self, ids: Sequence[str]) -> Outcomes:
        if not ids:
            raise ValueError("no ids: that would mean every message of the mailbox")
        if self.refusal is not None:
            raise self.refusal
        self.changed += ids
        return {message_id: self.errors.get(message_id) for message_id in ids}


class FakeNetwork(Egress):
    """A peer that answers 200 with an empty JSON object, or hangs up."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs_up = False
        self.calls: list[dict[str, Any]] = []

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
        """Note the call and answer it."""
        if body is not None and not isinstance(body, bytes):
            body = b"".join([piece async for piece in body])
        self.calls.append({"method": method, "url": str(url), "json": json, "body": body})
        if self.hangs_up:
            raise TransientError("the peer hung up")
        return Reply(200, {"Content-Type": "application/json"}, b"{}")


class FakeLinks(Links):
    """Addresses that lead to contents in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def keep(
        self,
        name: str,
        content_type: str,
        chunks: AsyncIterator[bytes],
        *,
        expires_in: timedelta,
        views: int,
    ) -> str:
        """Read the content, and make up an address."""
        content = b"".join([chunk async for chunk in chunks])
        address = f"https://links.example.com/{len(self.contents) + 1}"
        self.contents[address] = content
        return address

    async def withdraw(self, addresses: Sequence[str]) -> None:
        """Forget the contents."""
        for address in addresses:
            self.contents.pop(address, None)
