"""Webhook and worker in the test's own loop, joined without a broker: a line for fast tests."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from sandbox import RingCentral
from webhook.app import create_app
from webhook.hints import Hints
from webhook.settings import Settings as WebhookSettings
from worker.handlers.loading import load_all
from worker.process import WorkerProcess
from worker.settings import Settings
from worker.together import cancel_all

TOKEN = "first0verification0token"
CONFIGURATION = """
mailboxes = "all"
[sync]
start = "1h"
sweep_interval = "1h"
[subscriptions]
check_interval = "1s"
[handlers.vault]
use = "archive"
to = "{archive}"
[[routes]]
name = "kept"
steps = ["vault"]
"""


class ShortLine:
    """The line between a sandbox and its own mailboxes: what is delivered is archived."""

    def __init__(self, ringcentral: RingCentral, redis_url: str, folder: Path) -> None:
        self.ringcentral = ringcentral
        self.path = "/webhook"
        self.port = 0
        self._redis_url = redis_url
        self._folder = folder
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._runner: web.ServerRunner | None = None
        self._hints: Hints | None = None
        self.worker: WorkerProcess | None = None

    @property
    def address(self) -> str:
        """Where RingCentral calls."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    async def start_webhook(self, *tokens: str) -> None:
        """Listen, where it listened before if it did."""
        secrets = tuple(SecretStr(token) for token in tokens or (TOKEN,))
        settings = WebhookSettings(redis_url=self._redis_url, webhook_verification_token=secrets)
        self._hints = Hints(self)
        await self._hints.start()
        self._runner = web.ServerRunner(create_app(settings, self._hints), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site.port

    async def stop_webhook(self) -> None:
        """Nobody listens any more."""
        if self._runner is not None and self._hints is not None:
            await self._runner.cleanup()
            await self._hints.close()
            self._runner = None

    async def start_worker(self, *tokens: str, configuration: str = CONFIGURATION) -> None:
        """Start a worker that knows these tokens, the first for new subscriptions."""
        path = self._folder / "ringpost.toml"
        path.write_text(configuration.replace("{archive}", str(self._folder / "archive")))
        read, handlers = load_all(path, {})
        settings = Settings(
            rc_server_url=self.ringcentral.api_url,
            rc_media_url=self.ringcentral.media_url,
            rc_client_id=self.ringcentral.client_id,
            rc_client_secret=SecretStr(self.ringcentral.client_secret),
            rc_jwt=SecretStr(self.ringcentral.jwt),
            webhook_url=self.address,
            webhook_verification_token=tuple(SecretStr(token) for token in tokens or (TOKEN,)),
            redis_url=self._redis_url,
            data=self._folder,
            lease_seconds=3,
        )
        session = aiohttp.ClientSession()
        self.worker = WorkerProcess(settings, read, handlers, self._publish, session)
        await self.worker.start()

    async def stop_worker(self) -> None:
        """End in good order: nothing is taken up any more, then what is under way ends."""
        worker, self.worker = self.worker, None
        if worker is not None:
            await worker.drain(5)
            await cancel_all(list(self._tasks))
            await worker.stop()

    async def stop(self) -> None:
        """End everything."""
        await self.stop_worker()
        await self.stop_webhook()

    def is_delivered(self, message: dict[str, Any]) -> bool:
        """Whether the message has come to its end, which is the archive."""
        return any(self._folder.glob(f"archive/*/*/*/*/*/*-{message['id']}/manifest.json"))

    async def is_covered(self) -> bool:
        """Whether no mailbox is dark."""
        assert self.worker is not None
        overview = await self.worker.ledger.overview()
        return bool(overview.mailboxes) and not overview.polling

    async def is_quiet(self) -> bool:
        """Whether no mailbox will be synchronised for a while unless it is hinted at."""
        assert self.worker is not None
        overview = await self.worker.ledger.overview()
        soon = datetime.now(UTC) + timedelta(minutes=5)
        return all(one.next_sync and one.next_sync > soon for one in overview.mailboxes)

    async def is_idle(self) -> bool:
        """Whether no delivery is due or running."""
        assert self.worker is not None
        overview = await self.worker.ledger.overview()
        return not (overview.due or overview.running)

    # what the webhook's hints want of a publisher; called in a thread

    def connect(self) -> None:
        """There is nothing to connect to."""

    def publish(self, mailboxes: Sequence[str]) -> None:
        """Hand hints on as the broker would."""
        self._loop.call_soon_threadsafe(self._take_up, "sync", {"mailboxes": list(mailboxes)})

    def close(self) -> None:
        """There is nothing to close."""

    async def _publish(self, task: str, arguments: dict[str, list[str]]) -> None:
        self._take_up(task.removeprefix("worker."), arguments)

    def _take_up(self, name: str, arguments: dict[str, list[str]]) -> None:
        if self.worker is not None:
            task = self._loop.create_task(getattr(self.worker, name)(**arguments))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
