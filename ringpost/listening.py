"""Listening beside other parts: what cannot be had is a Refusal that names the variables."""

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ringpost.refusal import Refusal


@asynccontextmanager
async def listening(server: web.Server, host: str, port: int, prefix: str) -> AsyncIterator[int]:
    """Serve while the block lasts; the port. Raises Refusal, naming `<prefix>_HOST` and `_PORT`."""
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise Refusal(_remedy(host, port, prefix, error), exit_code=1) from None
        yield site.port
    finally:
        await runner.cleanup()


def _remedy(host: str, port: int, prefix: str, error: OSError) -> str:
    name = f"{prefix}_PORT"
    if error.errno == errno.EADDRINUSE:
        return f"{name}={port}: in use on {host}; stop what listens there or set {name}"
    reason = error.strerror or str(error)
    return f"{prefix}_HOST={host} {name}={port}: cannot listen there ({reason}); set others"
