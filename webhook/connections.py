"""A bound on open connections, and on the time that a caller may take to show who it is."""

import asyncio

from aiohttp import web

from webhook.outcomes import Outcomes

MOST_CONNECTIONS = 1000
STRANGER_SECONDS = 10.0


class Connections:
    """Keeps the door. A connection belongs to a stranger until a request on it shows our token.

    A stranger's is closed after some seconds, whatever it is doing then, and is the first to go
    (the oldest before all) when there are too many: so slow callers push out one another, not
    RingCentral.
    """

    def __init__(
        self,
        outcomes: Outcomes,
        *,
        most: int = MOST_CONNECTIONS,
        stranger_seconds: float = STRANGER_SECONDS,
    ) -> None:
        self._outcomes = outcomes
        self._most = most
        self._stranger_seconds = stranger_seconds
        self._open: set[web.RequestHandler] = set()
        self._strangers: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def opened(self, connection: web.RequestHandler) -> None:
        """Let a connection in, or close one: the oldest stranger's, else this one."""
        if len(self._open) >= self._most:
            self._drop(next(iter(self._strangers), connection))
        self._open.add(connection)
        self._strangers[connection] = asyncio.get_running_loop().call_later(
            self._stranger_seconds, self._drop, connection
        )

    def trust(self, connection: web.RequestHandler) -> None:
        """A request on this connection has shown our token."""
        timer = self._strangers.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def closed(self, connection: web.RequestHandler) -> None:
        """This connection is gone."""
        self.trust(connection)
        self._open.discard(connection)

    def _drop(self, connection: web.RequestHandler) -> None:
        self._outcomes.count("connection dropped")
        self.closed(connection)
        connection.force_close()
