"""The mail folder, filled through a real SMTP conversation."""

import asyncio
import email
import email.policy
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import psutil
import pytest

from ringpost.child import Program
from ringpost.probes import LOOPBACK, free_port, listens

Eventually = Callable[..., Awaitable[Any]]


@pytest.fixture
async def sink(staging: Any, eventually: Eventually, tmp_path: Path) -> AsyncIterator[Any]:
    """A mail server as its own process: its port, folder and process."""
    port, folder = free_port(0), tmp_path / "mail"
    command = (sys.executable, "-m", "ringpost.mail_sink", "--port", str(port))
    program = Program("mail", (*command, "--folder", str(folder)))
    async with staging.running([program]) as stage:
        await eventually(listens(port))
        yield port, folder, stage


def _mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(".a line that begins with a dot\n..\n.\nend\n")
    return mail


async def test_a_mail_becomes_a_file_that_a_parser_opens(sink: Any) -> None:
    """Headers, text with dots, and a binary attachment come out as they went in."""
    port, folder, _ = sink
    sent = _mail(From="a@example.com", To="b@example.com", Subject="Grüße")
    data = os.urandom(300_000)
    sent.add_attachment(data, maintype="application", subtype="pdf", filename="fax.pdf")
    await aiosmtplib.send(sent, hostname=LOOPBACK, port=port)
    (path,) = folder.iterdir()
    assert path.suffix == ".eml"
    got = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert got["Subject"] == "Grüße"
    assert got["Return-Path"] == "<a@example.com>"
    assert got["Delivered-To"] == "b@example.com"
    text = got.get_body()
    assert text is not None
    lines = text.get_content().splitlines()
    assert lines == [".a line that begins with a dot", "..", ".", "end"]
    (part,) = got.iter_attachments()
    assert part.get_filename() == "fax.pdf"
    assert part.get_payload(decode=True) == data


async def test_several_mails_of_one_connection_are_several_files(sink: Any) -> None:
    """The conversation goes on after a mail."""
    port, folder, _ = sink
    async with aiosmtplib.SMTP(hostname=LOOPBACK, port=port) as client:
        for number in range(3):
            await client.send_message(_mail(From="a@x.org", To="b@x.org", Subject=str(number)))
    subjects = [email.message_from_bytes(p.read_bytes())["Subject"] for p in folder.iterdir()]
    assert sorted(subjects) == ["0", "1", "2"]


async def test_a_broken_off_mail_leaves_nothing(sink: Any, eventually: Eventually) -> None:
    """A mail whose sender vanishes half-way is no file."""
    port, folder, _ = sink
    client = aiosmtplib.SMTP(hostname=LOOPBACK, port=port)
    await client.connect()
    await client.ehlo()
    await client.mail("a@x.org")
    await client.rcpt("b@x.org")
    await client.execute_command(b"DATA")
    assert isinstance(client.transport, asyncio.WriteTransport)
    client.transport.write(b"Subject: half\r\n\r\nsome")
    await eventually(lambda: list(folder.iterdir()))
    client.transport.abort()
    await eventually(lambda: not list(folder.iterdir()))


async def test_a_large_mail_does_not_fill_the_memory(sink: Any) -> None:
    """40 MB pass through a few MB of memory."""
    port, folder, stage = sink
    process = psutil.Process(stage.pid("mail"))
    before = process.memory_info().rss
    line = b"x" * 76 + b"\r\n"
    body = b"Subject: large\r\n\r\n" + line * (40_000_000 // len(line))
    async with aiosmtplib.SMTP(hostname=LOOPBACK, port=port, timeout=60) as client:
        await client.sendmail("a@x.org", ["b@x.org"], body)
    (path,) = folder.iterdir()
    assert path.stat().st_size >= len(body)
    assert process.memory_info().rss - before < 8 * 2**20


async def test_it_listens_on_the_loopback_interface_only(sink: Any) -> None:
    """Nobody else can put mails there."""
    _, _, stage = sink
    connections = psutil.Process(stage.pid("mail")).net_connections()
    assert {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN} == {LOOPBACK}


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """Somebody else listens there already: one line says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        options = ("--port", str(port), "--folder", str(tmp_path))
        ended = subprocess.run(
            [sys.executable, "-m", "ringpost.mail_sink", *options],
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line == f"port {port} of 127.0.0.1 cannot be listened on: Address already in use"
