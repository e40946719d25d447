"""What the webhook answers: the handshake, notifications, its health, and nothing else.

Every answer stays below 1024 bytes, headers included, and comes far within three seconds.
Source: https://developers.ringcentral.com/guide/notifications/webhooks/creating-webhooks
"""

import asyncio
import time

from aiohttp import StreamReader, web

from message_store.notification import NotANotification, Notification, parse
from metrics.catalogue import ANSWER_SECONDS
from webhook.answers import ok, refusal
from webhook.connections import MOST_CONNECTIONS, STRANGER_SECONDS, Connections
from webhook.hints import CHECK_SUBSCRIPTIONS, EVERY_MAILBOX, Hints
from webhook.outcomes import Outcomes
from webhook.server import Server
from webhook.settings import Settings
from webhook.verification import Verifier, may_be_echoed

LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 5.0
HEALTH_PATH = "/healthz"


def create_app(
    settings: Settings,
    hints: Hints,
    *,
    outcomes: Outcomes | None = None,
    most_connections: int = MOST_CONNECTIONS,
    stranger_seconds: float = STRANGER_SECONDS,
) -> Server:
    """The webhook, for `aiohttp.web.ServerRunner`; `hints` must be started on the same loop."""
    outcomes = outcomes or Outcomes()
    connections = Connections(outcomes, most=most_connections, stranger_seconds=stranger_seconds)
    answer = Webhook(settings.path, Verifier(settings.tokens), hints, outcomes, connections)
    return Server(answer, connections, outcomes)


class _TooLargeError(Exception):
    """The body is larger than any notification."""


class Webhook:
    """Answers all requests. No body is read before its sender has shown our token."""

    def __init__(
        self,
        path: str,
        verifier: Verifier,
        hints: Hints,
        outcomes: Outcomes,
        connections: Connections,
    ) -> None:
        self._path = path
        self._verifier = verifier
        self._hints = hints
        self._outcomes = outcomes
        self._connections = connections

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.rel_url.raw_path != self._path:
            return self._elsewhere(request)
        if request.method != "POST":
            self._outcomes.count("not found")
            return refusal(405, "only POST is answered here", Allow="POST")
        if not self._verifier.accepts(request.headers):
            return await self._stranger(request)
        self._connections.trust(request.protocol)
        began = time.perf_counter()
        answer = await self._trusted(request)
        ANSWER_SECONDS.observe(time.perf_counter() - began)
        return answer

    async def _trusted(self, request: web.BaseRequest) -> web.Response:
        try:
            return await self._notification(await _body(request))
        except _TooLargeError:
            self._outcomes.count("too large")
            return refusal(413, "larger than 1 MiB")
        except TimeoutError:
            self._outcomes.count("too slow")
            return refusal(408, "the body took too long")
        except (NotANotification, web.RequestPayloadError):
            self._outcomes.count("not a notification")
            return refusal(400, "not a notification")

    async def _notification(self, body: bytes) -> web.Response:
        notification = parse(body)
        if notification.kind == "other":
            self._outcomes.count("other kind")
            return ok()
        handed_on = await self._hints.give(_hint(notification))
        self._outcomes.count("accepted" if handed_on else "hint kept")
        return ok()

    async def _stranger(self, request: web.BaseRequest) -> web.Response:
        token = request.headers.get("Validation-Token")
        if token is None or not await _is_empty(request):
            self._outcomes.count("wrong token")
            return refusal(401, "wrong or missing verification token")
        if not may_be_echoed(token):
            self._outcomes.count("wrong token")
            return refusal(400, "not a validation token")
        self._outcomes.count("handshake")
        return ok(echo=token)

    def _elsewhere(self, request: web.BaseRequest) -> web.Response:
        if request.rel_url.raw_path != HEALTH_PATH:
            self._outcomes.count("not found")
            return refusal(404, "nothing here")
        if request.method not in {"GET", "HEAD"}:
            self._outcomes.count("not found")
            return refusal(405, "only GET is answered here", Allow="GET, HEAD")
        return ok(body=b'{"status":"ok"}')


def _hint(notification: Notification) -> str:
    if notification.kind != "message-store":
        return CHECK_SUBSCRIPTIONS
    return str(notification.mailbox) if notification.mailbox else EVERY_MAILBOX


async def _body(request: web.BaseRequest) -> bytes:
    content = request.content
    if content.is_eof() and content.total_bytes <= LARGEST_BODY:
        return content.read_nowait()  # nearly always: it came along with the headers
    if (request.content_length or 0) > LARGEST_BODY:
        raise _TooLargeError
    async with asyncio.timeout(BODY_SECONDS):
        await _invite(request)
        return await _read(content)


async def _read(content: StreamReader) -> bytes:
    body = bytearray()
    while chunk := await content.readany():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _TooLargeError
    return bytes(body)


async def _is_empty(request: web.BaseRequest) -> bool:
    # A proxy may send an empty body on in chunks: then its end has to be awaited, not a byte of it.
    if request.content_length is None and not request.content.is_eof():
        try:
            async with asyncio.timeout(1.0):
                return not await request.content.readany()
        except (TimeoutError, web.RequestPayloadError):
            return False
    return request.content.is_eof() and not request.content.total_bytes


async def _invite(request: web.BaseRequest) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # aiohttp counts from here whether the answer has begun
