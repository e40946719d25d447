"""What the admin process answers: its health, the status, the metrics; to GET, and to nobody else.

It is for this machine. There is no login yet, so a page in somebody's browser must not get at it
under a name of its own that leads here (DNS rebinding): a name with a dot in it is not ours.
"""

import ipaddress
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from ringpost.admin.exposition import CONTENT_TYPE, REDIS_AWAY, exposition
from ringpost.admin.reading import Reader, RedisAwayError
from ringpost.status_facts import for_programs
from webhook.answers import refusal
from webhook.connections import Connections
from webhook.outcomes import Outcomes
from webhook.server import Server

MOST_CONNECTIONS = 64
CONNECTION_SECONDS = 60.0
_HEADERS = {
    "Server": "ringpost",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_JSON = "application/json"


def create_server(host: str, reader: Reader) -> Server:
    """The admin process's HTTP, for `aiohttp.web.ServerRunner`; it listens on `host`.

    A connection is closed after a minute, whatever it is doing then.
    """
    outcomes = Outcomes(counted=None)
    connections = Connections(outcomes, most=MOST_CONNECTIONS, stranger_seconds=CONNECTION_SECONDS)
    return Server(Admin(host, reader), connections, outcomes)


class Admin:
    """Answers all requests."""

    def __init__(self, host: str, reader: Reader) -> None:
        self._host = host.lower()
        self._reader = reader
        self._pages = {
            "/healthz": self._health,
            "/status": self._status,
            "/metrics": self._metrics,
        }

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if not self._is_our_name(request.headers.get("Host", "")):
            return refusal(421, "not a name of this server", **_HEADERS)
        page = self._pages.get(request.rel_url.raw_path)
        if page is None:
            return refusal(404, "nothing here", **_HEADERS)
        if request.method != "GET":
            return refusal(405, "only GET is answered here", Allow="GET", **_HEADERS)
        return await page()

    def _is_our_name(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == self._host or (bool(name) and "." not in name) or _is_address(name)

    async def _health(self) -> web.Response:
        return _answer(b'{"status":"ok"}', _JSON)

    async def _status(self) -> web.Response:
        try:
            facts = await self._reader.read()
        except RedisAwayError:
            return _answer(b'{"error":"Redis does not answer"}', _JSON, status=503)
        return _answer(orjson.dumps(for_programs(facts.overview, facts.completeness)), _JSON)

    async def _metrics(self) -> web.Response:
        try:
            text = exposition(await self._reader.read())
        except RedisAwayError:
            text = REDIS_AWAY
        return _answer(text, CONTENT_TYPE)


def _answer(body: bytes, content_type: str, status: int = 200) -> web.Response:
    response = web.Response(
        body=body, status=status, headers={**_HEADERS, "Content-Type": content_type}
    )
    response.force_close()  # who asks four times a minute need not keep a place
    return response


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
