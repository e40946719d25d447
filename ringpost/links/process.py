"""The listener of links, beside the admin process's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from ringpost.links.server import create_server
from ringpost.links.settings import LinkSettings
from ringpost.listening import listening
from worker.ledger.links import LinkLedger

log = structlog.get_logger()


@asynccontextmanager
async def serving_links(settings: LinkSettings, ledger: LinkLedger) -> AsyncIterator[None]:
    """Serve links while the block lasts, if LINKS_URL is set; raises Refusal."""
    if settings.links_url is None:
        yield
        return
    server = create_server(settings.data / "links", ledger)
    async with listening(server, settings.links_host, settings.links_port, "LINKS"):
        log.info("links are served", host=settings.links_host, port=settings.links_port)
        yield
