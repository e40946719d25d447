"""A few SMTP connections kept while a burst of mails lasts."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiosmtplib import SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError

from worker.handlers.contract import HandlerError, PermanentError
from worker.handlers.mime import Mail
from worker.handlers.smtp import Receipt, SmtpConnection
from worker.handlers.smtp_replies import handler_error
from worker.handlers.smtp_server import SmtpServer

MAX_CONNECTIONS = 4
IDLE_SECONDS = 5.0
MAILS_PER_CONNECTION = 100


class SmtpPool:
    """Sends mails over at most four connections; an idle one is closed after five seconds."""

    def __init__(self, server: SmtpServer, ca: Path | None = None) -> None:
        self._server = server
        self._ca = ca
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[tuple[SmtpConnection, asyncio.TimerHandle]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._setup: asyncio.Task[tuple[ssl.SSLContext, str]] | None = None

    async def send(
        self, mail: Mail, sender: str, recipients: Sequence[str], *, hold: bool
    ) -> Receipt:
        """Hand one mail over; raises HandlerError. See `SmtpConnection.deliver`."""
        async with self._places:
            try:
                connection = await self._begun(mail, sender)
                async with self._kept(connection):
                    return await connection.deliver(mail, recipients, hold=hold)
            except Exception as error:
                raise handler_error(error, self._server) from error

    async def probe(self) -> bool:
        """Connect, log in, say NOOP and leave; says whether TLS is on. Raises HandlerError."""
        try:
            connection = await self._new()
            try:
                await connection.open()
                await connection.probe()
                return connection.is_encrypted
            finally:
                await connection.quit()
        except Exception as error:
            raise handler_error(error, self._server) from error

    async def close(self) -> None:
        """Take leave on every idle connection."""
        for connection, timer in self._idle:
            timer.cancel()
            self._leave(connection)
        self._idle.clear()
        await asyncio.gather(*self._leaving)

    async def _begun(self, mail: Mail, sender: str) -> SmtpConnection:
        while self._idle:
            connection, timer = self._idle.pop()
            timer.cancel()
            try:
                async with self._kept(connection, only_after_failure=True):
                    await connection.begin(mail, sender)
            except (SMTPServerDisconnected, SMTPTimeoutError):
                continue  # the server tired of it first; nothing was handed over
            except SMTPResponseException as error:
                if error.code != 421:
                    raise
            else:
                return connection
        connection = await self._new()
        try:
            await connection.open()
            async with self._kept(connection, only_after_failure=True):
                await connection.begin(mail, sender)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.asynccontextmanager
    async def _kept(
        self, connection: SmtpConnection, *, only_after_failure: bool = False
    ) -> AsyncIterator[None]:
        """Keep the connection afterwards, unless it may stand in the middle of something."""
        try:
            yield
        except (HandlerError, SMTPResponseException):
            self._put_back(connection)
            raise
        except BaseException:
            connection.close()
            raise
        if not only_after_failure:
            self._put_back(connection)

    async def _new(self) -> SmtpConnection:
        if self._setup is None:
            self._setup = asyncio.create_task(asyncio.to_thread(_set_up, self._ca))
            self._setup.add_done_callback(self._forget_failure)
        context, hostname = await asyncio.shield(self._setup)
        return SmtpConnection(self._server, context, hostname)

    def _forget_failure(self, setup: asyncio.Task[tuple[ssl.SSLContext, str]]) -> None:
        # A file that was missing may be there for the next mail.
        if setup.cancelled() or setup.exception() is not None:
            self._setup = None

    def _put_back(self, connection: SmtpConnection) -> None:
        if not connection.is_open:
            connection.close()
        elif connection.mails >= MAILS_PER_CONNECTION:
            self._leave(connection)
        else:
            timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, connection)
            self._idle.append((connection, timer))

    def _expire(self, connection: SmtpConnection) -> None:
        self._idle = [(other, timer) for other, timer in self._idle if other is not connection]
        self._leave(connection)

    def _leave(self, connection: SmtpConnection) -> None:
        task = asyncio.create_task(connection.quit())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


def _set_up(ca: Path | None) -> tuple[ssl.SSLContext, str]:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except OSError as error:
            raise PermanentError(f"no certificates in {ca}, the file of the option ca") from error
    # Servers want a name they can parse; the full one may take a look at the network.
    name = socket.getfqdn()
    return context, name if name.isascii() and " " not in name else "localhost"
