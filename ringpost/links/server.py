"""Serves links: a GET shows a button, a POST takes a view and gives the content.

Whatever is wrong with a link, the answer is the same page.
"""

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ringpost.links.guesses import Guesses, caller_of
from ringpost.links.pages import BUTTON, LATER, NOTHING
from webhook.connections import Connections
from webhook.outcomes import Outcomes
from webhook.server import Server
from worker.ledger import LedgerError
from worker.ledger.links import LinkLedger
from worker.links.sealed_file import LinkFacts, NotOpenedError, SealedReader
from worker.links.token import LinkToken

MOST_CONNECTIONS = 256
STRANGER_SECONDS = 20.0
STALL_SECONDS = 60.0
_HTML = "text/html; charset=utf-8"
_HEADERS = {
    "Server": "ringpost",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_OUR_PAGE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_PAGE_POLICY = f"{_OUR_PAGE}; form-action 'self'"
_SHOWN_POLICY = f"{_OUR_PAGE}; form-action 'none'; sandbox"
_FILE_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"


def create_server(folder: Path, ledger: LinkLedger) -> Server:
    """The HTTP of links, for `aiohttp.web.ServerRunner`; contents are in `folder`.

    A connection that has opened nothing is closed after 20 seconds.
    """
    outcomes = Outcomes(counted=None)
    connections = Connections(outcomes, most=MOST_CONNECTIONS, stranger_seconds=STRANGER_SECONDS)
    return Server(LinkDoor(folder, ledger, connections), connections, outcomes)


class LinkDoor:
    """Answers all requests; a link's token is the last part of the path."""

    def __init__(self, folder: Path, ledger: LinkLedger, connections: Connections) -> None:
        self._folder = folder
        self._ledger = ledger
        self._connections = connections
        self._guesses = Guesses()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        peer = request.transport.get_extra_info("peername") if request.transport else None
        caller = caller_of(str(peer[0]) if peer else "", request.headers.get("X-Forwarded-For", ""))
        if request.rel_url.raw_path == "/healthz":
            return _page(b'{"status":"ok"}', content_type="application/json")
        if not self._guesses.may_ask(caller):
            return _page(LATER, status=429)
        token = LinkToken.parse(request.rel_url.raw_path.rpartition("/")[2])
        answer: web.StreamResponse | None = None
        try:
            if token is not None and request.method == "POST":
                answer = await self._content(request, token)
            elif token is not None and request.method in {"GET", "HEAD"}:
                answer = _page(BUTTON) if await self._ledger.is_open(token.id) else None
        except (LedgerError, TimeoutError):
            return _page(LATER, status=503)
        if answer is None:
            self._guesses.was_wrong(caller)
            return _page(NOTHING, status=404)
        return answer

    async def _content(
        self, request: web.BaseRequest, token: LinkToken
    ) -> web.StreamResponse | None:
        path = self._folder / token.id
        try:
            reader = await asyncio.to_thread(SealedReader.open, path, token.key)
        except NotOpenedError:
            return None
        try:
            left = await self._ledger.spend(token.id)
            if left is None:
                return None
            if left == 0:
                # It is open here, and nobody opens it again; upkeep deletes it if we may not.
                await asyncio.to_thread(_delete, path)
            self._connections.trust(request.protocol)
            return await _stream(request, reader)
        finally:
            reader.close()


async def _stream(request: web.BaseRequest, reader: SealedReader) -> web.StreamResponse:
    response = web.StreamResponse(headers={**_HEADERS, **_describing(reader.facts)})
    response.content_length = reader.size
    response.force_close()
    await response.prepare(request)
    chunks = reader.chunks()
    try:
        while chunk := await asyncio.to_thread(next, chunks, b""):
            async with asyncio.timeout(STALL_SECONDS):
                await response.write(chunk)
    except (TimeoutError, NotOpenedError):
        # The caller stands still, or the file was changed: a broken-off answer says so.
        if request.transport is not None:
            request.transport.abort()
    return response


def _describing(facts: LinkFacts) -> dict[str, str]:
    if facts.content_type == "text/html":
        # Made by us; what strangers sent is never this type.
        return {"Content-Type": _HTML, "Content-Security-Policy": _SHOWN_POLICY}
    return {
        "Content-Type": facts.content_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(facts.name, safe='')}",
        "Content-Security-Policy": _FILE_POLICY,
    }


def _page(body: bytes, status: int = 200, content_type: str = _HTML) -> web.Response:
    policy = {"Content-Security-Policy": _PAGE_POLICY, "Content-Type": content_type}
    response = web.Response(body=body, status=status, headers={**_HEADERS, **policy})
    response.force_close()
    return response


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
