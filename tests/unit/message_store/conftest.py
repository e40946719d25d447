"""A small RingCentral of these tests alone: scripted answers over real HTTP, requests recorded."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials, MemoryTokenStore
from message_store.client import MessageStore
from message_store.limits import Limits, NoLimits
from message_store.mailbox import Mailbox
from message_store.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN_PATH = "/restapi/oauth/token"


@dataclass
class Reply:
    """A scripted answer: `body` is JSON unless it is bytes."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if isinstance(self.body, bytes):
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        text = json.dumps(self.body)
        kind = {"Content-Type": "application/json"}
        return web.Response(status=self.status, text=text, headers=kind | self.headers)


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FakeServer:
    """Answers each method and path by its script; the last answer of a script goes on for ever."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.scripts: dict[tuple[str, str], list[Handler]] = {}
        self.tokens = 0
        self.url = ""
        self.on("POST", TOKEN_PATH, self._token)

    def on(self, method: str, path: str, *answers: Handler) -> None:
        """The answers to give to this call, one after the other."""
        self.scripts[method, path] = list(answers)

    def calls(self, path: str | None = None) -> list[Seen]:
        """The requests for this path; without one, all but those for tokens."""
        return [one for one in self.seen if (one.path == path if path else one.path != TOKEN_PATH)]

    @property
    def logins(self) -> list[Seen]:
        return self.calls(TOKEN_PATH)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.tokens += 1
        body = {"access_token": f"token-{self.tokens}", "expires_in": 3600, "owner_id": "101"}
        return web.json_response({**body, "token_type": "bearer", "scope": "ReadMessages"})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(
            Seen(
                request.method,
                request.path,
                list(request.query.items()),
                dict(request.headers),
                await request.read(),
            )
        )
        script = self.scripts.get((request.method, request.path))
        if script is None:
            return web.json_response({"errorCode": "CMN-120"}, status=404)
        return await (script.pop(0) if len(script) > 1 else script[0])(request)


@pytest.fixture
async def fake() -> AsyncIterator[FakeServer]:
    """A RingCentral that answers as it is told."""
    fake = FakeServer()
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{path:.*}", fake.answer)
    async with TestServer(application) as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("client-id", SecretStr("client-secret"), SecretStr("the.jwt.credential"))


MakeStore = Callable[..., MessageStore]


@pytest.fixture
def make_store(
    fake: FakeServer, session: aiohttp.ClientSession, credentials: Credentials
) -> MakeStore:
    """Makes clients of the fake server, with limits of the test's own."""

    def make(limits: Limits | None = None, media: str | None = None) -> MessageStore:
        server = Server.of(fake.url, media)
        limits = limits or NoLimits()
        authenticator = Authenticator(session, server, credentials, MemoryTokenStore(), limits)
        return MessageStore(session, server, authenticator, limits)

    return make


@pytest.fixture
def store(make_store: MakeStore) -> MessageStore:
    """A client of the fake server."""
    return make_store()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox("7", "101")


@pytest.fixture
def sample() -> Callable[[str], Any]:
    """Reads one of the samples beside these tests."""
    return lambda name: json.loads((Path(__file__).parent / "samples" / name).read_text())


@pytest.fixture
def without_waiting() -> Any:
    """Repeats happen at once, as many as in earnest."""
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
async def never() -> AsyncIterator[Handler]:
    """An answer that does not come before the test is over."""
    over = asyncio.Event()

    async def wait(request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    yield wait
    over.set()
