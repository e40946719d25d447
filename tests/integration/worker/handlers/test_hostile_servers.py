"""SMTP servers that are broken or in bad faith."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from worker.handlers.contract import HandlerError
from worker.handlers.mime import Mail
from worker.handlers.smtp_pool import SmtpPool
from worker.handlers.smtp_server import SmtpServer

Serve = Callable[[list[bytes]], Awaitable[SmtpPool]]
HELLO = b"220 hello\r\n"
LIMIT = b"250-hello\r\n250 SIZE " + b"9" * 5000 + b"\r\n"  # more digits than Python reads


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(replies)`: a pool for a server that says these, one to each line it hears."""
    servers: list[asyncio.Server] = []
    pools: list[SmtpPool] = []

    async def start(replies: list[bytes]) -> SmtpPool:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for reply in replies:
                writer.write(reply)
                if not await reader.readline():
                    break
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        pool = SmtpPool(SmtpServer.parse(f"smtp://127.0.0.1:{port}"))
        pools.append(pool)
        return pool

    yield start
    for pool in pools:
        await pool.close()
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    "replies",
    [
        [b"\xff\xfe\x00\r\n"],
        [b"220 " + b"x" * 100_000 + b"\r\n"],
        [b"hello world\r\n"],
        [b"000 hello\r\n"],
        [b"999 hello\r\n"],
        [HELLO, b"250-a\r\n550 b\r\n", b"550 no\r\n"],
        [HELLO, LIMIT, b"550 no\r\n"],
        [HELLO, "250-hello\r\n250 SIZE \u0663\r\n".encode(), b"550 no\r\n"],
        [HELLO, b"250 hello\r\n", b"550 <victim@example.com> \x1b[31m\xe2\x80\xae \xff\r\n"],
        [HELLO, b"250-hello\r\n250 STARTTLS\r\n", b"220 go\r\n", b"500 what\r\n"],
    ],
)
async def test_no_reply_is_an_accident(serve: Serve, replies: list[bytes]) -> None:
    """Whatever a server says is a HandlerError with words that are safe to show."""
    pool = await serve(replies)
    mail = Mail({"From": "a@example.com", "Subject": "x"}, "text", "<p>text</p>", [])
    async with asyncio.timeout(60):
        with pytest.raises(HandlerError) as caught:
            await pool.send(mail, "a@example.com", ["b@example.com"], hold=False)
    assert caught.value.reason.isprintable()
    assert "victim@" not in caught.value.reason
