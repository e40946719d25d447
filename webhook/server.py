"""The HTTP server: aiohttp's, with our limits on callers and our words for broken requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from webhook.answers import refusal
from webhook.connections import Connections
from webhook.outcomes import Outcomes

LIMITS: dict[str, Any] = {
    "keepalive_timeout": 75.0,  # longer than the proxies in front of us keep theirs
    "lingering_time": 3.0,  # for a caller who is still sending when the answer is out
    "max_line_size": 4096,
    "max_field_size": 4096,
    "max_headers": 64,
    "auto_decompress": False,  # RingCentral does not compress; a bomb would
    "access_log": None,
}


class _Connection(web.RequestHandler):
    """One caller's connection; what is no HTTP is answered and counted, not logged at length."""

    __slots__ = ("_outcomes",)

    def __init__(self, server: web.Server, outcomes: Outcomes) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **LIMITS)
        self._outcomes = outcomes

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.Response:
        """The answer to a request that could not be read, or that our own code failed on."""
        if isinstance(exc, ConnectionError):
            return refusal(400, "the connection broke off")  # nobody is there to read it
        if status < 500:
            self._outcomes.count("not HTTP")
            return refusal(400, "not a readable HTTP request")
        self._outcomes.count("internal error", exc_info=exc)
        return refusal(500, "internal error")


class Server(web.Server):
    """The factory of connections that a listener needs; it tells the door who comes and goes."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        connections: Connections,
        outcomes: Outcomes,
    ) -> None:
        super().__init__(handler)
        self._door = connections
        self._outcomes = outcomes

    def __call__(self) -> web.RequestHandler:
        """A connection, for the event loop's `create_server`."""
        return _Connection(self, self._outcomes)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """A caller has connected."""
        super().connection_made(handler, transport)
        self._door.opened(handler)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """A caller has gone."""
        self._door.closed(handler)
        super().connection_lost(handler, exc)
