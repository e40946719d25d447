"""A running sandbox, a client that has signed in to it, and a receiver of its notifications."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import orjson
import pytest
from aiohttp import test_utils, web

from sandbox import RingCentral

MAILBOX = "/restapi/v1.0/account/~/extension/~"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Answer(NamedTuple):
    """What the sandbox answered; `body` is JSON read, or the raw bytes of anything else."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The error code."""
        # the gateway's own errors have an empty list
        first = (self.body["errors"] or [self.body])[0]
        return str(first["errorCode"])


class Client:
    """Speaks to one sandbox with a token of its own; paths are relative to the own mailbox."""

    def __init__(self, ringcentral: RingCentral, session: aiohttp.ClientSession) -> None:
        self._ringcentral = ringcentral
        self._session = session
        self.token = ""

    async def __call__(self, method: str, path: str, **options: Any) -> Answer:
        """Send one request."""
        if path.startswith("/restapi"):
            path = self._ringcentral.api_url + path
        elif not path.startswith("http"):
            path = self._ringcentral.api_url + MAILBOX + path
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        async with self._session.request(method, path, headers=headers, **options) as answer:
            raw = await answer.read()
            body = orjson.loads(raw) if raw and "json" in answer.content_type else raw
            return Answer(answer.status, body, answer.headers)

    async def sign_in(self, **changed: str) -> Answer:
        """Ask for a token with the right credentials, but for what is `changed`."""
        known = {"client_id": self._ringcentral.client_id, "assertion": self._ringcentral.jwt}
        known |= {"client_secret": self._ringcentral.client_secret, "grant_type": JWT_GRANT}
        known |= changed
        basic = aiohttp.encode_basic_auth(known.pop("client_id"), known.pop("client_secret"))
        headers = {"Authorization": basic}
        return await self("POST", "/restapi/oauth/token", data=known, headers=headers)


class Receiver:
    """A subscriber: keeps what it is told and answers as it is told."""

    def __init__(self) -> None:
        self.address = ""
        self.notifications: list[Any] = []
        self.headers: list[Any] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.willing

    async def willing(self, request: web.Request) -> web.StreamResponse:
        """The right answer to handshake and notification."""
        token = request.headers.get("Validation-Token")
        echo = {"Validation-Token": token} if token else {}
        return web.Response(headers={"Content-Type": "application/json", **echo})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take one request."""
        if body := await request.read():
            self.notifications.append(orjson.loads(body))
            self.headers.append(request.headers)
        return await self.answer(request)


@pytest.fixture
async def open_client() -> AsyncIterator[Callable[[RingCentral], Awaitable[Client]]]:
    """`await open_client(ringcentral)`: a client that has signed in."""
    async with aiohttp.ClientSession() as session:

        async def open_one(ringcentral: RingCentral) -> Client:
            client = Client(ringcentral, session)
            client.token = (await client.sign_in()).body["access_token"]
            return client

        yield open_one


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A sandbox of this test with short waits."""
    async with RingCentral(aggregation=0.05, webhook_timeout=60) as ringcentral:
        yield ringcentral


@pytest.fixture
async def ask(
    ringcentral: RingCentral, open_client: Callable[[RingCentral], Awaitable[Client]]
) -> Client:
    """A client of this test's sandbox."""
    return await open_client(ringcentral)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A subscriber on this machine."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/webhook", receiver.handle)
    async with test_utils.TestServer(app) as server:
        receiver.address = str(server.make_url("/webhook"))
        yield receiver


@pytest.fixture
def subscribe(ask: Client, receiver: Receiver) -> Callable[..., Awaitable[Answer]]:
    """`await subscribe(*filters)`: a subscription of the receiver, to message-store if not told."""

    async def create(*filters: str, **members: Any) -> Answer:
        mode = {"transportType": "WebHook", "address": receiver.address}
        mode |= members.pop("deliveryMode", {})
        body = {
            "eventFilters": [*filters] or [f"{MAILBOX}/message-store"],
            "deliveryMode": mode,
            **members,
        }
        return await ask("POST", "/restapi/v1.0/subscription", json=body)

    return create
