"""The listener of links, beside the admin process's own."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from ringpost.links.server import create_server
from ringpost.links.settings import LinkSettings
from ringpost.refusal import Refusal
from worker.ledger.links import LinkLedger

log = structlog.get_logger()


@asynccontextmanager
async def serving_links(settings: LinkSettings, ledger: LinkLedger) -> AsyncIterator[None]:
    """Serve links while the block lasts, if LINKS_URL is set; raises Refusal."""
    if settings.links_url is None:
        yield
        return
    server = create_server(settings.data / "links", ledger)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.links_host, settings.links_port)
        try:
            await site.start()
        except OSError as error:
            raise Refusal(_remedy(settings, error), exit_code=1) from None
        log.info("links are served", host=settings.links_host, port=settings.links_port)
        yield
    finally:
        await runner.cleanup()


def _remedy(settings: LinkSettings, error: OSError) -> str:
    host, port = settings.links_host, settings.links_port
    if error.errno == errno.EADDRINUSE:
        return f"LINKS_PORT={port}: in use on {host}; stop what listens there or set LINKS_PORT"
    reason = error.strerror or str(error)
    return f"LINKS_HOST={host} LINKS_PORT={port}: cannot listen there ({reason}); set others"
