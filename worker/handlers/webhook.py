"""`webhook`: each message as a signed POST to an address on the web, whose answer is obeyed.

With it a handler can be written in any language: the answer says done, try again, or failed.
"""

import base64
import json
import math
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, IPvAnyNetwork, SecretStr

from message_store.message import Message
from worker.handlers.contract import (
    AttachmentFile,
    Context,
    Handler,
    PermanentError,
    Reply,
    TransientError,
)
from worker.handlers.egress import Egress
from worker.handlers.message_document import file_entry, files_of, message_document
from worker.handlers.multipart import FilePart, FormBody
from worker.handlers.plain_text import one_line
from worker.handlers.webhook_signature import read_secrets, signature_headers

MOST_INLINE = 4 * 1024 * 1024
# What asks for another attempt: too slow, too early, too many; all of 500 and above too.
_LATER = frozenset({408, 425, 429})
_OWN_HEADERS = ("content-", "webhook-", "idempotency-key", "host", "transfer-encoding")


def _checked_secret(secret: SecretStr) -> SecretStr:
    read_secrets(secret.get_secret_value())
    return secret


def _checked_headers(headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    for name, value in headers.items():
        if name.lower().startswith(_OWN_HEADERS):
            raise ValueError(f"{name} is set by Ringpost itself; leave it out")
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"{name!r} is no name of a header")
        if not value.get_secret_value().isprintable():
            raise ValueError(f"the value of {name} has characters that no header can hold")
    return headers


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Webhook(Handler):
    """POSTs each message as JSON, signed, to an address on the web; the answer is obeyed."""

    url: Annotated[HttpUrl, Field(examples=["https://example.com/hook"])]
    """Where to: https://example.com/hook."""
    secret: Annotated[SecretStr, AfterValidator(_checked_secret)] | None = None
    """The key for the signature, whsec_...; two with a comma between them while it changes."""
    files: Literal["none", "inline", "multipart"] = "none"
    """How files go along: not, in the JSON as base64 (4 MiB at most), or as parts of a form."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_checked_headers)] = Field(
        default_factory=dict
    )
    """Further headers, such as { Authorization = "Bearer ${TOKEN}" }."""
    allow: Annotated[
        tuple[IPvAnyNetwork, ...],
        BeforeValidator(_one_or_list, json_schema_input_type=str | tuple[str, ...]),
    ] = ()
    """Internal addresses or networks that may be called: ["10.0.0.5", "192.168.1.0/24"]."""

    async def handle(self, message: Message, context: Context) -> str:
        """Send it; the words are those of the answer, if it has any."""
        document = message_document(message, context)
        if self.files == "multipart" and files_of(context):
            form = await _form(document, context)
            size, content_type, pieces = form.size, form.content_type, form.pieces
        else:
            if self.files == "inline":
                await _add_inline(document, context)
            body = json.dumps(document).encode()
            size, content_type, pieces = len(body), "application/json", lambda: _in_one(body)
        headers = {
            **{name: value.get_secret_value() for name, value in self.headers.items()},
            **await self._signature(context.idempotency_key, pieces()),
            "Content-Type": content_type,
            "Content-Length": str(size),
            "Idempotency-Key": context.idempotency_key,
        }
        async with aclosing(pieces()) as sent:
            reply = await context.request(
                "POST", self.url, body=sent, headers=headers, allow=self.allow
            )
        return _outcome(reply)

    async def check(self) -> str:
        """Connect, with TLS, and leave again; nothing is posted."""
        egress = Egress()
        try:
            await egress.reach(self.url, allow=self.allow)
        finally:
            await egress.close()
        signed = "signed" if self.secret else "not signed, set `secret` for it"
        return f"{self.url.host} can be reached; messages are {signed}"

    async def _signature(self, id_: str, body: AsyncGenerator[bytes]) -> dict[str, str]:
        secrets = read_secrets(self.secret.get_secret_value()) if self.secret else []
        return await signature_headers(secrets, id_, int(time.time()), body)


async def _in_one(body: bytes) -> AsyncGenerator[bytes]:
    yield body


async def _form(document: dict[str, Any], context: Context) -> FormBody:
    parts = []
    for file in files_of(context):
        content = await file.content()
        part = FilePart(file.name, file.content_type, content, _size(content))
        parts.append(part)
        document["data"]["files"].append(file_entry(file, part.size))
    return FormBody(document, parts)


async def _add_inline(document: dict[str, Any], context: Context) -> None:
    room = MOST_INLINE
    for file in files_of(context):
        content = await file.content()
        size = _size(content)
        room -= size
        if room < 0:
            raise PermanentError(
                f"the files are larger than {MOST_INLINE // 2**20} MiB together; "
                'send them with files = "multipart"'
            )
        encoded = base64.b64encode(await _whole(file)).decode()
        document["data"]["files"].append({**file_entry(file, size), "content": encoded})


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


async def _whole(file: AttachmentFile) -> bytes:
    return b"".join([chunk async for chunk in file.open()])


def _outcome(reply: Reply) -> str:
    if 200 <= reply.status < 300:
        return _obeyed(reply)
    if reply.status in _LATER or reply.status >= 500:
        raise TransientError(f"it answered {reply.status}", after=reply.retry_after)
    if 300 <= reply.status < 400:
        raise PermanentError(
            f"it answered {reply.status}: redirects are not followed; "
            "put the address it leads to into `url`"
        )
    if reply.status == 410:
        raise PermanentError("it answered 410: the address is gone for good; correct `url`")
    raise PermanentError(f"it answered {reply.status}")


def _obeyed(reply: Reply) -> str:
    """What a JSON answer says: `status` done, retry or failed, `reason`, `after` in seconds."""
    posted = f"posted, answered {reply.status}"
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return posted
    if not isinstance(answer, dict):
        return posted
    reason = answer.get("reason")
    said = one_line(reason) if isinstance(reason, str) else ""
    if answer.get("status") == "retry":
        raise TransientError(said or "it asked to be called again", after=_seconds(answer))
    if answer.get("status") == "failed":
        raise PermanentError(said or "it answered that it failed")
    return said if said and answer.get("status") == "done" else posted


def _seconds(answer: Mapping[str, Any]) -> float | None:
    after = answer.get("after")
    if isinstance(after, bool) or not isinstance(after, int | float):
        return None
    try:
        seconds = float(after)
    except OverflowError:  # a whole number beyond all floats
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
