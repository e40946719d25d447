"""SMTP servers that misbehave in the middle of a mail."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from worker.handlers.contract import PermanentError, TransientError
from worker.handlers.mime import Mail, MailFile
from worker.handlers.smtp_pool import SmtpPool
from worker.handlers.smtp_server import SmtpServer

HEADERS = {"From": "a@example.com", "To": "b@example.com", "Subject": "x"}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


MakeMail = Callable[[int], Mail]


@pytest.fixture
def mail(tmp_path: Path) -> MakeMail:
    """`mail(size)`: a mail with a file of that size, taking no room on disk."""

    def make(size: int) -> Mail:
        path = tmp_path / "x"
        path.touch()
        os.truncate(path, size)
        return Mail(HEADERS, "", "", [MailFile("x", "application/octet-stream", path, size)])

    return make


@asynccontextmanager
async def server(after_data: Talk) -> AsyncIterator[SmtpPool]:
    """A pool for a server that says yes until DATA, and then does what the test wants."""

    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await after_data(reader, writer)
                break
            writer.write(b"250 yes\r\n")
        writer.close()
        over.set()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    pool = SmtpPool(SmtpServer("127.0.0.1", listening.sockets[0].getsockname()[1], "none"))
    async with listening:
        yield pool
        await pool.close()
        async with asyncio.timeout(60):
            await over.wait()


async def test_an_early_refusal_is_heard(mail: MakeMail) -> None:
    """A server that has enough before the end is believed, and no more is sent to it."""
    read = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal read
        read += len(await reader.read(1000))
        writer.write(b"552 5.3.4 too much\r\n")
        while chunk := await reader.read(65536):
            read += len(chunk)

    async with server(refuse) as pool:
        with pytest.raises(PermanentError, match=r"552 5\.3\.4 too much"):
            await pool.send(mail(50_000_000), "a@example.com", ["b@example.com"], hold=True)
    assert read < 68_000_000


async def test_a_connection_lost_in_the_middle_is_tried_again(mail: MakeMail) -> None:
    """Half a mail is no mail."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.transport.abort()

    async with server(hang_up) as pool:
        with pytest.raises(TransientError, match="broke the connection off"):
            await pool.send(mail(5_000_000), "a@example.com", ["b@example.com"], hold=True)


async def test_a_connection_lost_after_the_final_dot_is_tried_again(mail: MakeMail) -> None:
    """Whether it was taken nobody knows; the Message-ID will tell."""

    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n.\r\n")
        writer.transport.abort()

    async with server(vanish) as pool:
        with pytest.raises(TransientError, match="broke the connection off"):
            await pool.send(mail(100), "a@example.com", ["b@example.com"], hold=True)


async def test_a_cancelled_mail_is_not_finished(mail: MakeMail) -> None:
    """At its deadline the connection is dropped without the final dot."""
    begun, ended = asyncio.Event(), asyncio.Event()
    got = bytearray()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read(1000))
        begun.set()
        while chunk := await reader.read(65536):
            got.extend(chunk[-10:])
        ended.set()

    async with server(stall) as pool:
        sending = asyncio.create_task(
            pool.send(mail(500_000_000), "a@example.com", ["b@example.com"], hold=True)
        )
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        async with asyncio.timeout(60):
            await ended.wait()
    assert not got.endswith(b"\r\n.\r\n")
