"""One connection to an SMTP server, and mails streamed over it."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPServerDisconnected,
)
from aiosmtplib.response import SMTPResponse

from worker.handlers.contract import PermanentError, TransientError
from worker.handlers.mime import Mail
from worker.handlers.smtp_replies import reply_words
from worker.handlers.smtp_server import SmtpServer

COMMAND_SECONDS = 30.0
# RFC 5321 4.5.3.2: a server may take its time over a whole mail.
FINAL_SECONDS = 300.0
STALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many recipients the mail was accepted for, and the replies to those it was not."""

    accepted: int
    refused: Sequence[str] = ()


class SmtpConnection:
    """A connection with TLS and login done, for one mail at a time."""

    def __init__(
        self, server: SmtpServer, context: ssl.SSLContext, local_hostname: str | None = None
    ) -> None:
        self._server = server
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=local_hostname,
            timeout=COMMAND_SECONDS,
            use_tls=server.tls == "implicit",
            start_tls={"required": True, "offered": None}.get(server.tls, False),
            tls_context=context,
        )
        self._writer: asyncio.StreamWriter | None = None
        self.mails = 0

    @property
    def is_open(self) -> bool:
        """Whether the connection can take another mail."""
        return self._client.is_connected

    @property
    def is_encrypted(self) -> bool:
        """Whether what is said on it is protected by TLS."""
        return self.is_open and self._client.get_transport_info("sslcontext") is not None

    async def open(self) -> None:
        """Connect, with TLS and login as the server's address says."""
        client = self._client
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            try:
                await client.ehlo()
            except SMTPHeloError:
                await client.helo()

    async def probe(self) -> None:
        """Say something without effect."""
        await self._client.noop()

    async def begin(self, mail: Mail, sender: str) -> None:
        """Announce a mail; until this returns nothing has been handed over.

        Raises PermanentError if the server does not take mails of that size.
        """
        options = []
        if self._client.supports_extension("size"):
            limit = self._client.esmtp_extensions.get("size", "").strip()
            known = limit.isascii() and limit.isdigit() and len(limit) < 20
            if known and 0 < int(limit) < mail.size:
                raise PermanentError(
                    f"the mail has {_mib(mail.size)}, {self._server} takes {_mib(int(limit))} "
                    "at most; archive the message, or raise the server's limit"
                )
            options.append(f"SIZE={mail.size}")
        await self._client.mail(sender, options=options)

    async def deliver(self, mail: Mail, recipients: Sequence[str], *, hold: bool) -> Receipt:
        """Name the recipients and hand the mail over to those the server accepts.

        `hold`: while a recipient is refused for now, nobody gets it and TransientError is raised.
        """
        refused: list[SMTPRecipientRefused] = []
        for recipient in recipients:
            try:
                await self._client.rcpt(recipient)
            except SMTPRecipientRefused as error:
                refused.append(error)
        accepted = len(recipients) - len(refused)
        words = [reply_words(error.code, error.message) for error in refused]
        for_now = [word for word, error in zip(words, refused, strict=True) if error.code < 500]
        if for_now and (hold or not accepted):
            await self._forget()
            raise TransientError(
                f"{self._server} put a recipient off: {for_now[0]}", only_this=True
            )
        if not accepted:
            await self._forget()
            raise PermanentError(f"{self._server} refused every recipient: {words[0]}")
        await self._transfer(mail)
        self.mails += 1
        return Receipt(accepted, words)

    async def quit(self) -> None:
        """Take leave; never fails."""
        transport = self._client.transport
        with contextlib.suppress(Exception):
            async with asyncio.timeout(5):
                await self._client.quit()
        self._drop(transport)

    def close(self) -> None:
        """Drop the connection at once."""
        self._drop(self._client.transport)

    def _drop(self, transport: asyncio.BaseTransport | None) -> None:
        self._client.close()
        self._writer = None
        if transport is not None:
            # Else half a mail would still be flushed, and TLS wait for the other side's farewell.
            cast("asyncio.WriteTransport", transport).abort()

    async def _forget(self) -> None:
        # The connection stays good for the next mail.
        with contextlib.suppress(Exception):
            await self._client.rset()

    async def _transfer(self, mail: Mail) -> None:
        client = self._client
        start = await client.execute_command(b"DATA")
        if start.code != 354:
            await self._forget()
            raise SMTPDataError(start.code, start.message)
        if client.protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        # Listening from the first byte on, because a server may refuse long before the last.
        reply = asyncio.ensure_future(client.protocol.read_response())
        try:
            # aiosmtplib drops an answer that nobody waits for yet, and uvloop hands answers over
            # before it starts new tasks: a short mail's would be lost.
            await asyncio.sleep(0)
            await self._stream(mail, reply)
            async with asyncio.timeout(FINAL_SECONDS):
                response = await reply
        except BaseException:
            # Half a mail may have gone out: only an end of the connection says "never mind".
            self.close()
            await asyncio.gather(reply, return_exceptions=True)
            raise
        if response.code != 250:
            raise SMTPDataError(response.code, response.message)

    async def _stream(self, mail: Mail, reply: "asyncio.Future[SMTPResponse]") -> None:
        writer = self._stream_writer()
        async with contextlib.aclosing(mail.chunks()) as chunks:
            async for chunk in chunks:
                await self._heed(reply)
                writer.write(chunk)
                async with asyncio.timeout(STALL_SECONDS):
                    await writer.drain()
        await self._heed(reply)
        writer.write(b".\r\n")

    async def _heed(self, reply: "asyncio.Future[SMTPResponse]") -> None:
        # To write on a closed connection is no network error but a bug, says uvloop.
        if reply.done() or not self.is_open:
            async with asyncio.timeout(STALL_SECONDS):
                early = await reply
            self.close()
            raise SMTPDataError(early.code, early.message)

    def _stream_writer(self) -> asyncio.StreamWriter:
        # Kept as long as the connection: from Python 3.13 on its end closes the transport.
        if self._writer is None:
            transport, protocol = self._client.transport, self._client.protocol
            if transport is None or protocol is None:
                raise SMTPServerDisconnected("Connection lost")
            # uvloop's transports can write without being a WriteTransport.
            self._writer = asyncio.StreamWriter(
                cast("asyncio.WriteTransport", transport),
                protocol,
                None,
                asyncio.get_running_loop(),
            )
        return self._writer


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"
