"""Callers who take their time, and callers in crowds."""

import asyncio
from typing import Any

import pytest


async def test_a_slow_body_has_a_limit(webhook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come in time is 408, and the connection is closed."""
    monkeypatch.setattr("webhook.app.BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nVerification-Token: {webhook.token}\r\n"
    writer.write(head.encode() + b"Content-Length: 100\r\n\r\n{")
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.split()[1] == b"408"
    await reader.read()
    assert webhook.outcomes.counts == {"too slow": 1}
    writer.close()


START = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"
OURS = START + b"Verification-Token: TOKEN\r\n"


@pytest.mark.parametrize(
    ("begin", "drop", "status"),
    [
        (START + b"X-Slow: ", b"a", b""),
        (START, b"X-Slow: a\r\n", b""),
        (OURS, b"X-Slow: a\r\n", b""),
        (OURS + b"Content-Length: 999\r\n\r\n", b"{", b"408"),
        (OURS + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n", b"408"),
    ],
)
async def test_drop_by_drop(
    start_webhook: Any, monkeypatch: pytest.MonkeyPatch, begin: bytes, drop: bytes, status: bytes
) -> None:
    """Who always sends a little more gets no more time than who sends nothing."""
    monkeypatch.setattr("webhook.app.BODY_SECONDS", 0.3)
    webhook = await start_webhook(stranger_seconds=60 if status else 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    writer.write(begin.replace(b"TOKEN", webhook.token.encode()))
    first_line = asyncio.ensure_future(reader.readline())
    while not first_line.done():
        writer.write(drop)
        await asyncio.wait({first_line}, timeout=0.05)
    [line] = await asyncio.gather(first_line, return_exceptions=True)
    assert isinstance(line, bytes | ConnectionError)
    assert status in (line if isinstance(line, bytes) else b"")
    assert bool(status) == (isinstance(line, bytes) and line != b"")
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def test_a_caller_who_hangs_up_within_the_body(webhook: Any) -> None:
    """Half a body and then nobody: counted at most, no trouble."""
    _, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nVerification-Token: {webhook.token}\r\n"
    writer.write(head.encode() + b"Content-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert (await webhook.post(webhook.notification("7/1"))).status == 200
    assert "internal error" not in webhook.outcomes.counts


async def test_a_crowd_of_slow_strangers_keeps_nobody_out(start_webhook: Any) -> None:
    """With every place taken by a stranger who drips his headers, RingCentral gets in at once."""
    webhook = await start_webhook(most_connections=50, stranger_seconds=600)
    crowd = []
    for _ in range(80):
        reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
        writer.write(b"POST /webhook HTTP/1.1\r\nX-Slow: ")
        await writer.drain()
        crowd.append((reader, writer))
    assert (await webhook.post(webhook.notification("7/1"))).status == 200
    assert webhook.outcomes.counts["connection dropped"] >= 30
    assert await crowd[0][0].read() == b""
    for _, writer in crowd:
        writer.close()


async def test_a_slow_stranger_is_shown_out(start_webhook: Any) -> None:
    """Headers that do not come in time end the connection."""
    webhook = await start_webhook(stranger_seconds=0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    writer.write(b"POST /webhook HTTP/1.1\r\nX-Slow: ")
    assert await reader.read() == b""
    writer.close()


async def test_ringcentral_may_stay(start_webhook: Any) -> None:
    """A connection that has shown our token is still good when the strangers' time is over."""
    webhook = await start_webhook(stranger_seconds=0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    body = webhook.notification("7/1")
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nVerification-Token: {webhook.token}\r\n"
    request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    writer.write(request)
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    stranger, strange_writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    assert await stranger.read() == b""
    writer.write(request)
    assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    for one in (writer, strange_writer):
        one.close()


async def test_those_who_have_gone_do_not_count(start_webhook: Any) -> None:
    """Many short connections, one after the other, never reach the bound."""
    webhook = await start_webhook(most_connections=5)
    for _ in range(20):
        assert (await webhook.post(webhook.notification("7/1"))).status == 200
    assert webhook.outcomes.counts == {"accepted": 20}
