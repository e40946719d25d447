"""What the webhook is measured against: a bare aiohttp handler, and our own calling `.delay()`."""

import asyncio
import sys

import uvloop
from aiohttp import web
from celery import Celery

from webhook.app import create_app
from webhook.hints import Hints
from webhook.publisher import KEY_PREFIX, QUEUE, CeleryPublisher
from webhook.settings import Settings, load


def sync(mailboxes: list[str]) -> None:
    """The task as its sender sees it; a worker elsewhere does the work."""


class DelayingHints(Hints):
    """Hints as they are usually given: one Celery `.delay()` in the handler, on the event loop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(CeleryPublisher(settings.broker_url))
        app = Celery("naive", broker=settings.broker_url)
        app.conf.update(
            task_default_queue=QUEUE,
            task_ignore_result=True,
            broker_transport_options={"global_keyprefix": KEY_PREFIX},
        )
        self._delay = app.task(sync, name="worker.sync").delay

    async def give(self, mailbox: str) -> bool:
        """Publish at once, blocking the loop."""
        self._delay(mailboxes=[mailbox])
        return True


async def bare(_: web.Request) -> web.Response:
    """Answer without reading the body."""
    return web.Response()


async def serve(name: str, port: int) -> None:
    """Listen until killed."""
    if name == "bare":
        app = web.Application()
        app.router.add_post("/webhook", bare)
        runner: web.AppRunner | web.ServerRunner = web.AppRunner(app, access_log=None)
    else:
        settings = load()
        runner = web.ServerRunner(create_app(settings, DelayingHints(settings)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
