"""A mail server for trying things out: it keeps what it is sent as files that mail clients open.

Run as `python -m ringpost.mail_sink --port 8025 --folder data/mail`. It listens on the loopback
interface only, sends nothing on, and keeps no message in memory.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from aiosmtpd.smtp import SMTP, Envelope

from ringpost.probes import LOOPBACK

_END = b".\r\n"


class MailSink(SMTP):
    """One SMTP conversation; each message becomes `<time>-<id>.eml` in `folder`."""

    line_length_limit = 64 * 1024  # more than the standard's 1000: it should show mails, not judge

    def __init__(self, folder: Path) -> None:
        super().__init__(
            None,
            data_size_limit=None,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Ringpost mail sink",
            loop=asyncio.get_running_loop(),
        )
        self._folder = folder

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802  # named by aiosmtpd
        """Write the message to its file while it arrives (aiosmtpd's own holds it whole)."""
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        path = self._folder / f"{moment}-{secrets.token_hex(4)}.eml"
        part = path.with_suffix(".part")
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        try:
            with part.open("xb") as file:
                file.write(_envelope_lines(envelope))
                await self._receive(file)
                size = file.tell()
            part.rename(path)
        except OSError as error:
            _tell(f"a mail could not be written: {error.strerror}")
            await self.push("452 Requested action not taken: insufficient system storage")
            return
        finally:
            part.unlink(missing_ok=True)
        self._set_post_data_state()  # type: ignore[no-untyped-call]  # aiosmtpd's own
        count = len(envelope.rcpt_tos)
        _tell(f"mail saved: {path} ({size} bytes, recipients: {count})")
        await self.push(f"250 OK saved as {path.stem}")

    async def _receive(self, file: BinaryIO) -> None:
        starts_line = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as long:
                piece = await self._reader.readexactly(long.consumed)
            if starts_line and piece.startswith(b"."):
                if piece == _END:
                    return
                piece = piece[1:]
            file.write(piece)
            starts_line = piece.endswith(b"\r\n")


def _envelope_lines(envelope: Envelope) -> bytes:
    sender = f"Return-Path: <{envelope.mail_from or ''}>"
    recipients = (f"Delivered-To: {recipient}" for recipient in envelope.rcpt_tos)
    return "".join(f"{line}\r\n" for line in (sender, *recipients)).encode()


async def serve(port: int, folder: Path) -> None:
    """Keep mails until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: MailSink(folder), LOOPBACK, port)
    async with server:
        await stop.wait()


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the options and serve."""
    options = argparse.ArgumentParser(prog="ringpost.mail_sink", description=__doc__)
    options.add_argument("--port", type=int, default=8025)
    options.add_argument("--folder", type=Path, required=True)
    chosen = options.parse_args()
    chosen.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        asyncio.run(serve(chosen.port, chosen.folder))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        sys.exit(f"port {chosen.port} of {LOOPBACK} cannot be listened on: {reason}")


if __name__ == "__main__":
    main()
