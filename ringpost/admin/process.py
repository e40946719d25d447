"""The admin process: listens until SIGTERM or Ctrl-C."""

import asyncio
import errno
import signal

import structlog
from aiohttp import web

from ringpost.admin.reading import Reader
from ringpost.admin.server import create_server
from ringpost.admin.settings import AdminSettings, open_to_others
from ringpost.refusal import Refusal
from worker.ledger import open_ledger

log = structlog.get_logger()


async def serve(settings: AdminSettings) -> None:
    """Answer until a signal comes; raises Refusal if it cannot listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_ledger(settings.redis()) as ledger:
        server = create_server(settings.admin_host, Reader(ledger))
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.admin_host, settings.admin_port)
            try:
                await site.start()
            except OSError as error:
                raise Refusal(_remedy(settings, error), exit_code=1) from None
            log.info("admin listens", host=settings.admin_host, port=site.port)
            if not settings.is_private:
                log.warning(open_to_others(settings))
            await stop.wait()
            log.info("admin stops")
        finally:
            await runner.cleanup()


def _remedy(settings: AdminSettings, error: OSError) -> str:
    host, port = settings.admin_host, settings.admin_port
    if error.errno == errno.EADDRINUSE:
        return f"ADMIN_PORT={port}: in use on {host}; stop what listens there or set ADMIN_PORT"
    reason = error.strerror or str(error)
    return f"ADMIN_HOST={host} ADMIN_PORT={port}: cannot listen there ({reason}); set others"
