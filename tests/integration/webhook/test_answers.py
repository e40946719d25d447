"""What is answered to whom, over real HTTP; every answer is checked to be under 1024 bytes."""

import asyncio
import gzip
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

OTHER = b'{"uuid":"1","event":"/restapi/v1.0/account/~/extension/1/presence","body":{}}'
REMINDER = (
    b'{"uuid":"1","event":"/restapi/v1.0/subscription/~?threshold=60","body":{"expiresIn":60}}'
)
EXTENSIONS = b'{"uuid":"1","event":"/restapi/v1.0/account/~/extension","body":{"extensions":[]}}'


async def test_a_notification_is_answered_when_the_broker_has_it(
    webhook: Any, redis_url: str, tasks: Callable[[str], list[Any]]
) -> None:
    """200 means that the worker's queue names the mailbox."""
    reply = await webhook.post(webhook.notification("7/101"))
    assert (reply.status, reply.body) == (200, b"")
    assert tasks(redis_url) == [("worker.sync", [], {"mailboxes": ["7/101"]})]
    assert webhook.outcomes.counts == {"accepted": 1}


@pytest.mark.parametrize("length", ["0", ""])
async def test_handshake(webhook: Any, length: str) -> None:
    """RingCentral's own token and no body: the token comes back, as JSON by its type."""
    token = "7e4a7486-8df9-4195-8aef-b8d81d3345f6"
    headers = {"Validation-Token": token, "Content-Length": length}
    reply = await webhook.post(headers=headers, token=None)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["validation-token"] == token
    assert reply.headers["content-type"] == "application/json"
    assert webhook.outcomes.counts == {"handshake": 1}


async def test_handshake_with_an_empty_body_in_chunks(webhook: Any) -> None:
    """A proxy may turn an empty body into an empty series of chunks."""
    headers = {"Validation-Token": "t", "Transfer-Encoding": "chunked", "Content-Length": ""}
    reply = await webhook.post(b"0\r\n\r\n", headers, token=None)
    assert (reply.status, reply.headers["validation-token"]) == (200, "t")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Validation-Token": "x" * 257}, b"", 400),
        ({"Validation-Token": "a<b>"}, b"", 400),
        ({"Validation-Token": "caf\xe9"}, b"", 400),
        ({"Validation-Token": "t"}, b"{}", 401),
        ({"Validation-Token": "t", "Transfer-Encoding": "chunked", "Content-Length": ""},
         b"2\r\n{}\r\n0\r\n\r\n", 401),
        ({}, b"", 401),
    ],
)  # fmt: skip
async def test_no_handshake(
    webhook: Any, headers: dict[str, str], body: bytes, status: int
) -> None:
    """A token that is long or odd is not sent back; with a body it is no handshake."""
    reply = await webhook.post(body, headers, token=None)
    assert reply.status == status
    assert "validation-token" not in reply.headers


@pytest.mark.parametrize("presented", [None, "wrong", "A1b2C3d4E5f6G7h", "ü", "a" * 3000])
async def test_wrong_token(webhook: Any, presented: str | None) -> None:
    """Without our token a notification is refused, and leaves nothing but a count."""
    reply = await webhook.post(webhook.notification("7/101"), token=presented)
    assert reply.status == 401
    assert webhook.outcomes.counts == {"wrong token": 1}


async def test_our_token_as_validation_token(webhook: Any) -> None:
    """If the guide is right after all, notifications carry our token in that header."""
    headers = {"Validation-Token": webhook.token}
    assert (await webhook.post(webhook.notification("7/101"), headers, token=None)).status == 200


async def test_rotation(start_webhook: Any) -> None:
    """With two tokens set both are good, with one only that one."""
    both = await start_webhook(tokens="A1b2C3d4E5f6G7h8,old0old0old0old0")
    one = await start_webhook()
    body = both.notification("7/101")
    assert (await both.post(body, token=both.token)).status == 200
    assert (await both.post(body, token=both.old_token)).status == 200
    assert (await one.post(body, token=both.old_token)).status == 401


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "not a notification"),
        (b"junk", "not a notification"),
        (b"\x00\xff" * 1000, "not a notification"),
        (b"{}", "not a notification"),
        (b"[" * 900_000, "not a notification"),
        (b'{"event":"/x","body":' + b'[' * 100_000 + b"]" * 100_000 + b"}", "not a notification"),
        (b" " * (1024 * 1024), "not a notification"),
        (b" " * (1024 * 1024 + 1), "too large"),
        (b"x" * 2_000_000, "too large"),
    ],
    ids=["empty", "words", "bytes", "object", "open", "deep", "1 MiB", "over 1 MiB", "2 MB"],
)  # fmt: skip
async def test_bad_bodies_are_answered_at_once(webhook: Any, body: bytes, outcome: str) -> None:
    """Junk is 400 and too much is 413, at once and counted, and the service is unmoved."""
    begin = time.process_time()
    reply = await webhook.post(body)
    assert reply.status == {"not a notification": 400, "too large": 413}[outcome]
    assert time.process_time() - begin < 3
    assert webhook.outcomes.counts == {outcome: 1}
    assert (await webhook.post(webhook.notification("7/101"))).status == 200


async def test_too_large_in_chunks(webhook: Any) -> None:
    """A body that does not say its length is counted as it comes."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    headers = {"Transfer-Encoding": "chunked", "Content-Length": ""}
    reply = await webhook.post(chunk * 20 + b"0\r\n\r\n", headers)
    assert reply.status == 413


@pytest.mark.parametrize("token", ["A1b2C3d4E5f6G7h8", None])
async def test_the_answer_does_not_wait_for_the_body(webhook: Any, token: str | None) -> None:
    """What can be told from the headers is told while the body is still coming."""
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    verification = f"Verification-Token: {token}\r\n" if token else ""
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\n{verification}Content-Length: 2000000\r\n\r\n"
    writer.write(head.encode() + b"only a part")
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.split()[1] == (b"413" if token else b"401")
    writer.close()


async def test_bombs_are_not_unpacked(webhook: Any) -> None:
    """A compressed body is no JSON: nothing unpacks it."""
    body = gzip.compress(webhook.notification("7/101"))
    reply = await webhook.post(body, {"Content-Encoding": "gzip"})
    assert reply.status == 400


async def test_invites_the_body_of_a_cautious_caller(webhook: Any) -> None:
    """A caller who asks first is told to go on if he has shown our token."""
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.port)
    body = webhook.notification("7/101")
    writer.write(
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        + f"Verification-Token: {webhook.token}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_other_kinds_are_counted(
    webhook: Any, redis_url: str, tasks: Callable[[str], list[Any]]
) -> None:
    """A valid notification of a kind that is not handled is 200, counted, and no hint."""
    assert (await webhook.post(OTHER)).status == 200
    assert webhook.outcomes.counts == {"other kind": 1}
    assert tasks(redis_url) == []


@pytest.mark.parametrize("body", [REMINDER, EXTENSIONS])
async def test_what_concerns_subscriptions_is_handed_on(
    webhook: Any, redis_url: str, tasks: Callable[[str], list[Any]], body: bytes
) -> None:
    """A reminder or a change of extensions asks the worker for a check, and names no mailbox."""
    assert (await webhook.post(body)).status == 200
    assert webhook.outcomes.counts == {"accepted": 1}
    assert tasks(redis_url) == [("worker.sync", [], {"mailboxes": ["?"]})]


async def test_a_notification_without_a_mailbox_hints_at_all(
    webhook: Any, redis_url: str, tasks: Callable[[str], list[Any]]
) -> None:
    """If neither filter nor body tells the extension, every mailbox may have changed."""
    assert (await webhook.post(webhook.notification("~/~"))).status == 200
    assert tasks(redis_url) == [("worker.sync", [], {"mailboxes": ["*"]})]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("POST", "/healthz", 405),
        ("GET", "/webhook", 405),
        ("PUT", "/webhook", 405),
        ("OPTIONS", "/webhook", 405),
        ("POST", "/webhook/", 404),
        ("POST", "/webhook2", 404),
        ("POST", "//webhook", 404),
        ("GET", "/", 404),
        ("GET", "/metrics", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/webhook?auth_token=x", 200),
    ],
)
async def test_nothing_else_is_public(webhook: Any, method: str, path: str, status: int) -> None:
    """Only the webhook's own path and its health are there."""
    body = webhook.notification("7/101") if method == "POST" else b""
    assert (await webhook.post(body, path=path, method=method)).status == status


async def test_the_path_is_that_of_the_public_address(start_webhook: Any) -> None:
    """With WEBHOOK_URL set its path is the one that answers."""
    webhook = await start_webhook(webhook_url="https://example.com/hooks/a%20b?auth_token=x")
    body = webhook.notification("7/101")
    assert (await webhook.post(body, path="/hooks/a%20b?auth_token=x")).status == 200
    assert (await webhook.post(body)).status == 404


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 300 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /webhook HTTP/9.9\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhook HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"<script>" * 4000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
    ],
    ids=["tls", "short", "version", "negative", "smuggling", "long line", "long field", "many"],
)
async def test_what_is_no_http(webhook: Any, request_bytes: bytes) -> None:
    """A request that cannot be read gets a small 400 that quotes nothing of it."""
    reply = await webhook.send(request_bytes)
    assert reply.status == 400
    assert b"script" not in reply.raw
    assert webhook.outcomes.counts == {"not HTTP": 1}


async def test_connections_are_kept_for_ringcentral(webhook: Any) -> None:
    """Many notifications may come over one connection; only a refusal ends it."""
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        url = f"http://127.0.0.1:{webhook.port}/webhook"
        good, bad = {"Verification-Token": webhook.token}, {"Verification-Token": "x"}
        for _ in range(3):
            async with session.post(url, data=OTHER, headers=good) as reply:
                assert "Connection" not in reply.headers
        async with session.post(url, data=OTHER, headers=bad) as reply:
            assert reply.headers["Connection"] == "close"
