"""A webhook that passes RingCentral's handshake and believes nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer


@asynccontextmanager
async def polite_webhook() -> AsyncIterator[str]:
    """Its address; any other name in its place is answered as well."""

    async def answer(request: web.Request) -> web.Response:
        headers = {"Validation-Token": request.headers.get("Validation-Token", "")}
        return web.Response(headers=headers, content_type="application/json")

    app = web.Application()
    app.router.add_post("/{name}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/webhook"))
