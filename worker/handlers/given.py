"""What a handler is given with a message: its files, the network, the mailbox, the log."""

import json
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import AnyUrl
from structlog.typing import FilteringBoundLogger

from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.parsing import retry_after
from worker.handlers.outcomes import PermanentError

if TYPE_CHECKING:
    from message_store.protocol import MessageStoreAccess

IPNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end; `body` holds at most the first MiB of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises PermanentError if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise PermanentError(f"the answer ({self.status}) is not JSON") from error

    @property
    def retry_after(self) -> float | None:
        """Seconds asked for by `Retry-After`, a number or a date; None without one."""
        return retry_after({name.title(): value for name, value in self.headers.items()})


class AttachmentFile(ABC):
    """One file of the message, downloaded once for all handlers that want it.

    `name` is a safe file name, unique within the message whatever the case; `content_type` a
    media type without parameters; `size` what RingCentral declared in bytes, if it did.
    """

    id: str
    type: str | None
    name: str
    content_type: str
    size: int | None

    @abstractmethod
    def open(self) -> AsyncIterator[bytes]:
        """The content in chunks of at most 1 MiB: `async for chunk in file.open()`."""

    @abstractmethod
    async def path(self) -> Path:
        """A local file with the whole content, its length checked; read it, do not change it."""

    async def content(self) -> Path | bytes:
        """The whole content: as bytes if it is small (256 KiB), else as a file, see `path`."""
        return await self.path()


class Links(ABC):
    """Keeps contents, encrypted, behind addresses that open for a while and a few times."""

    @abstractmethod
    async def keep(
        self,
        name: str,
        content_type: str,
        chunks: AsyncIterator[bytes],
        *,
        expires_in: timedelta,
        views: int,
    ) -> str:
        """The address at which the content can be had so many times; it is nowhere else.

        A page of ours ("text/html") is shown, anything else is a download. Raises OSError if the
        disk does not take it.
        """

    @abstractmethod
    async def withdraw(self, addresses: Sequence[str]) -> None:
        """Close addresses that nobody has been told of."""


class Context(ABC):
    """What surrounds one attempt at one step: the message's files, the network, the log."""

    mailbox: Mailbox
    route: str
    on: str
    """What happened to the message: `created`, or another word of the route's `on`."""
    at: datetime
    """When that was as far as RingCentral says, in UTC."""
    step: str
    attempt: int
    """1 for the first attempt."""
    idempotency_key: str
    """64 hexadecimal digits, the same in every attempt at this step of this message and route.

    Another one for each other thing that happens to the message.
    """
    first_key: str | None
    """In `amend`, the `idempotency_key` that this step had when the message came; else None."""
    attachments: Sequence[AttachmentFile]
    message_store: "MessageStoreAccess"
    links: Links | None
    """None if LINKS_URL is not set."""
    log: FilteringBoundLogger

    @abstractmethod
    def render(self, template: str, message: Message) -> str:
        """Fill in a Jinja template; knows `message`, `mailbox`, `route` and `on`.

        At most 256 Ki letters.

        Raises PermanentError if the template is wrong or its result too long.
        """

    @abstractmethod
    async def take(self, name: str, period: timedelta, taker: str | None = None) -> bool:
        """Take an occasion of this name for a while, in all processes; False if another has it.

        The taker is this attempt's `idempotency_key` unless another is given; whoever has it may
        take it again.
        """

    @abstractmethod
    async def may_text(self, number: str) -> bool:
        """Whether a phone number (E.164) has not said STOP to this account, or START since."""

    @abstractmethod
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
        """One HTTP call: guarded against internal addresses, timed, no redirect followed.

        `allow`: internal addresses and networks that may be called all the same. A body that comes
        in pieces needs its `Content-Length` among the headers, or goes out chunked.

        Raises TransientError if the other side cannot be reached, PermanentError if the address
        is refused. Any status is an answer.
        """

    async def post_json(
        self, url: str | AnyUrl, json: Any, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """POST a JSON document; see `request`."""
        return await self.request("POST", url, json=json, headers=headers)

    @abstractmethod
    async def together(self, name: str, due: datetime, send: "SendTogether") -> str:
        """Have this message sent with all others of its mailbox, route and step of that name.

        They are gathered until `due`; one that was gathered before keeps its time. When it has
        come, one of them calls `send` for all, with their contexts, the oldest first, and an
        identity of 64 hexadecimal digits that is the same in every attempt at them. Raises
        NotYetError before that.
        """

    @abstractmethod
    def of(self, message: Message) -> "Context":
        """The context of another message of the mailbox that is sent with this one."""


SendTogether = Callable[[Sequence[tuple[Message, Context]], str], Awaitable[str]]
"""Sends several messages; answers in a few words."""
