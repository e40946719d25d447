"""Destinations of handlers that answer in bad faith."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest
from aiohttp import web
from yarl import URL

from tests.support.hostile import at_most, bomb
from worker.handlers.contract import HandlerError
from worker.handlers.egress import MAX_REPLY, Egress


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server that answers as the query of a request says, with a bomb."""
    body = bomb()

    async def answer(request: web.Request) -> web.Response:
        name, value = request.query["name"], request.query["value"]
        return web.Response(body=body, headers={name: value})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "deflate"),
        ("Content-Encoding", "br"),
        ("Content-Encoding", "zstd"),
        ("Content-Encoding", "gzip, gzip"),
        ("Content-Encoding", "nonsense"),
        ("X-Odd", "\u00ff\u202e"),
        ("Retry-After", "9" * 4000),
        ("Content-Type", "text/html; charset=\u00ff"),
    ],
)
async def test_bombs_and_odd_headers(address: str, name: str, value: str) -> None:
    """A reply is cut at its bound whatever it is packed in, or is an error that tells the host."""
    egress = Egress()
    query = str(URL(address).with_query(name=name, value=value))
    with at_most(48):
        try:
            reply = await egress.request("GET", query, allow=[ip_network("127.0.0.0/8")])
        except HandlerError as error:
            said = error.reason
        else:
            assert len(reply.body) <= MAX_REPLY
            assert reply.retry_after is None
            said = "127.0.0.1"
    assert "127.0.0.1" in said
    assert "name=" not in said
    await egress.close()
