"""The other sides of bench/memory.py, each a process of its own: a content server, a mail sink.

`python bench/memory_peers.py content|sink` prints its port and serves until its input ends.
"""

import asyncio
import sys

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

CHUNK = bytes(range(256)) * 1024


async def token(_request: web.Request) -> web.Response:
    """Log anybody in."""
    return web.json_response(
        {"access_token": "t" * 32, "token_type": "bearer", "expires_in": 3600, "owner_id": "1"}
    )


async def content(request: web.Request) -> web.StreamResponse:
    """As many bytes as the attachment's id says."""
    size = int(request.match_info["attachment"])
    response = web.StreamResponse(headers={"Content-Type": "application/pdf"})
    response.content_length = size
    await response.prepare(request)
    for start in range(0, size, len(CHUNK)):
        await response.write(CHUNK[: size - start])
    return response


class Sink:
    """Takes every mail and keeps none; aiosmtpd holds one in its own memory meanwhile."""

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Say how long it was."""
        return f"250 {len(envelope.content or b'')} octets"


async def serve(kind: str) -> None:
    """Listen on a port of the system's choice until the parent closes our input."""
    if kind == "content":
        app = web.Application()
        app.router.add_post("/restapi/oauth/token", token)
        app.router.add_get("/{path:.*}/content/{attachment}", content)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Sink(), data_size_limit=None, loop=loop), "127.0.0.1", 0
        )
        print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
