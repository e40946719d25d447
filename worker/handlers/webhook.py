"""`webhook`: each message as a signed POST to an address on the web, whose answer is obeyed.

With it a handler can be written in any language: the answer says done, try again, or failed.
"""

import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    SecretStr,
    field_validator,
)

from message_store.message import Message
from message_store.parsing import parse_seconds
from worker.durations import Duration
from worker.handlers.contract import (
    Context,
    Handler,
    PermanentError,
    Reply,
    TransientError,
)
from worker.handlers.egress import Egress
from worker.handlers.mail_links import insist_on_links
from worker.handlers.message_document import files_of, message_document
from worker.handlers.multipart import FormBody, JsonBody
from worker.handlers.plain_text import one_line
from worker.handlers.webhook_files import add_inline, add_links, form
from worker.handlers.webhook_signature import read_secrets, signature_headers

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
    files: Literal["none", "inline", "link", "multipart"] = "none"
    """How files go along: not, as base64 (4 MiB at most), as links, or as parts of a form."""
    link_expires: Duration = timedelta(days=7)
    """How long a link can be opened."""
    link_views: Annotated[int, Field(ge=1, le=1000)] = 10
    """How often a link can be opened: a download that breaks off has used one up."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_checked_headers)] = Field(
        default_factory=dict
    )
    """Further headers, such as { Authorization = "Bearer ${TOKEN}" }."""
    allow: Annotated[
        tuple[IPvAnyNetwork, ...],
        BeforeValidator(_one_or_list, json_schema_input_type=str | tuple[str, ...]),
    ] = ()
    """Internal addresses or networks that may be called: ["10.0.0.5", "192.168.1.0/24"]."""

    @field_validator("files")
    @classmethod
    def _links_can_be_made(cls, value: str) -> str:
        if value == "link":
            insist_on_links()
        return value

    async def handle(self, message: Message, context: Context) -> str:
        """Send it; the words are those of the answer, if it has any."""
        document, files = message_document(message, context), files_of(context)
        links: list[str] = []
        if self.files == "multipart" and files:
            body: FormBody | JsonBody = await form(document, files)
        else:
            if self.files == "inline":
                await add_inline(document, files)
            elif self.files == "link":
                links = await add_links(
                    document, files, context.links, self.link_expires, self.link_views
                )
            body = JsonBody(document)
        try:
            return _outcome(await self._post(body, context))
        except PermanentError:
            if context.links is not None:
                await context.links.withdraw(links)
            raise

    async def _post(self, body: FormBody | JsonBody, context: Context) -> Reply:
        headers = {
            **{name: value.get_secret_value() for name, value in self.headers.items()},
            **await self._signature(context.idempotency_key, body.pieces()),
            "Content-Type": body.content_type,
            "Content-Length": str(body.size),
            "Idempotency-Key": context.idempotency_key,
        }
        async with aclosing(body.pieces()) as sent:
            return await context.request(
                "POST", self.url, body=sent, headers=headers, allow=self.allow
            )

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
    status = str(answer.get("status")).strip().casefold()
    if status == "retry":
        words = said or "it asked to be called again"
        # it works: only this message is put off, and nothing holds the others up
        raise TransientError(words, after=_seconds(answer), only_this=True)
    if status == "failed":
        raise PermanentError(said or "it answered that it failed")
    return said if said and status == "done" else posted


def _seconds(answer: Mapping[str, Any]) -> float | None:
    after = answer.get("after")
    if isinstance(after, bool) or not isinstance(after, int | float | str):
        return None
    return parse_seconds(str(after))
