"""The admin process: listens until SIGTERM or Ctrl-C."""

import asyncio
import signal

import structlog

from ringpost.admin.reading import Reader
from ringpost.admin.server import create_server
from ringpost.admin.settings import AdminSettings, open_to_others
from ringpost.links.process import serving_links
from ringpost.links.settings import LinkSettings
from ringpost.listening import listening
from worker.ledger import open_ledger

log = structlog.get_logger()


async def serve(settings: AdminSettings) -> None:
    """Answer until a signal comes; raises Refusal if it cannot listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        open_ledger(settings.redis()) as ledger,
        serving_links(LinkSettings(), ledger.links),
    ):
        server = create_server(settings.admin_host, Reader(ledger))
        async with listening(server, settings.admin_host, settings.admin_port, "ADMIN") as port:
            log.info("admin listens", host=settings.admin_host, port=port)
            if not settings.is_private:
                log.warning(open_to_others(settings))
            await stop.wait()
            log.info("admin stops")
