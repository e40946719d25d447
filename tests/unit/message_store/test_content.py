"""Downloads: whole, resumed, checked, and small in memory."""

import asyncio
import contextlib
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from message_store import content as module
from message_store.client import MessageStore
from message_store.errors import (
    BadAnswer,
    BadRequest,
    ConnectionFailed,
    NotFound,
    NotReady,
    RateLimited,
    RingCentralError,
    ServerError,
)
from message_store.mailbox import Mailbox
from message_store.message import Attachment

PATH = "/restapi/v1.0/account/7/extension/101/message-store/5/content/9"
PICTURE = Attachment(id="9", content_type="image/png", uri="https://evil.example/steal")
BODY = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(20_000))
RENDERING = {"errors": [{"errorCode": "MSG-368", "message": "in progress"}]}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def at_once(without_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between resumes pass at once."""
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.0)


def media(
    *lengths: int | None, ranges: bool = True, etag: str = "", kind: str = "image/png"
) -> Any:
    """A media host whose n-th answer breaks off after so many bytes (None: never, the last too)."""
    plan = list(lengths)

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked[1]) if asked and ranges else 0
        if start >= len(BODY):
            return web.json_response({"errors": [{"errorCode": "CMN-107"}]}, status=416)
        headers = {"Content-Type": kind, "Content-Length": str(len(BODY) - start)}
        if etag:
            headers["ETag"] = etag
        if asked and ranges:
            headers["Content-Range"] = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
        response = web.StreamResponse(status=206 if asked and ranges else 200, headers=headers)
        await response.prepare(request)
        sent = plan.pop(0) if plan else None
        await response.write(BODY[start:] if sent is None else BODY[start : start + sent])
        if sent is not None:
            assert request.transport is not None
            request.transport.close()
        return response

    return answer


async def download(store: MessageStore, mailbox: Mailbox, offset: int = 0) -> bytes:
    """What an attachment's stream yields, its chunks being of the promised size."""
    async with store.content(mailbox, "5", PICTURE, offset=offset) as content:
        chunks = [chunk async for chunk in content]
    assert all(64 * 1024 <= len(chunk) <= 1024 * 1024 for chunk in chunks[:-1])
    return b"".join(chunks)


async def test_the_whole_comes(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """Type and size are known on entering; the bytes are those of the server."""
    fake.on("GET", PATH, media())
    async with store.content(mailbox, "5", PICTURE) as content:
        assert (content.content_type, content.size) == ("image/png", len(BODY))
        assert b"".join([chunk async for chunk in content]) == BODY
    (call,) = fake.calls(PATH)
    assert call.headers["Accept-Encoding"] == "identity"
    assert "Range" not in call.headers


async def test_a_connection_is_used_again(
    fake: Any, store: MessageStore, mailbox: Mailbox, session: Any
) -> None:
    """Ten downloads one after the other need one connection."""
    fake.on("GET", PATH, media())
    for _ in range(10):
        await download(store, mailbox)
    assert sum(len(held) for held in session.connector._conns.values()) == 1


@pytest.mark.parametrize("etag", ["", '"v1"', 'W/"v1"'])
async def test_a_truncated_download_is_resumed(
    fake: Any, store: MessageStore, mailbox: Mailbox, etag: str
) -> None:
    """It goes on behind the last byte that came, and nothing is lost or doubled."""
    fake.on("GET", PATH, media(200_000, 0, 1, 150_000, etag=etag))
    assert await download(store, mailbox) == BODY
    ranges = [call.headers.get("Range") for call in fake.calls(PATH)]
    assert ranges[:4] == [None, "bytes=200000-", "bytes=200000-", "bytes=200001-"]
    assert len(ranges) == 5
    conditions = {call.headers.get("If-Range") for call in fake.calls(PATH)[1:]}
    assert conditions == {etag if etag.startswith('"') else None}


async def test_a_server_without_ranges_is_read_again(
    fake: Any, store: MessageStore, mailbox: Mailbox
) -> None:
    """A 200 to a Range begins at the beginning: what came already is skipped."""
    fake.on("GET", PATH, media(200_000, 100_000, 300_000, ranges=False))
    assert await download(store, mailbox) == BODY


async def test_begins_at_an_offset(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """The rest of a file that is there in part, with or without ranges."""
    fake.on("GET", PATH, media())
    assert await download(store, mailbox, offset=600_000) == BODY[600_000:]
    fake.on("GET", PATH, media(ranges=False))
    assert await download(store, mailbox, offset=600_000) == BODY[600_000:]


async def test_at_the_end_there_is_nothing_more(
    fake: Any, store: MessageStore, mailbox: Mailbox
) -> None:
    """An offset at the end yields nothing, one behind it is refused."""
    fake.on("GET", PATH, media())
    assert await download(store, mailbox, offset=len(BODY)) == b""
    with pytest.raises(BadRequest, match="end before byte"):
        await download(store, mailbox, offset=len(BODY) + 1)


async def test_what_is_complete_is_not_downloaded_again(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, never: Any
) -> None:
    """The size tells; the body, which here never comes, is not waited for."""

    async def head_only(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await never(request)
        return response

    fake.on("GET", PATH, reply(416, {"errorCode": "CMN-107"}), head_only)
    async with asyncio.timeout(60):
        assert await download(store, mailbox, offset=1000) == b""


async def test_resuming_has_an_end(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """A server that breaks off again and again without getting on is given up."""
    fake.on("GET", PATH, media(100_000, *[10] * 50))
    with pytest.raises(ConnectionFailed, match=r"broke off"):
        await download(store, mailbox)
    assert len(fake.calls(PATH)) <= 6


async def test_slow_progress_is_progress(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """Breaks are counted anew whenever 64 KiB have come."""
    fake.on("GET", PATH, media(*[70_000] * 50))
    assert await download(store, mailbox) == BODY
    assert len(fake.calls(PATH)) == 10


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, RENDERING, NotReady),
        (503, RENDERING, NotReady),
        (200, RENDERING, NotReady),
        (202, RENDERING, NotReady),
        (404, {"errorCode": "CMN-102"}, NotFound),
        (429, b"", RateLimited),
        (500, b"", ServerError),
        (204, b"", BadAnswer),
        (200, {"hello": "there"}, BadAnswer),
        (206, b"part of what?", BadAnswer),
    ],
)
async def test_an_error_is_raised_on_entering(
    fake: Any,
    store: MessageStore,
    mailbox: Mailbox,
    reply: Any,
    status: int,
    body: Any,
    kind: type[RingCentralError],
) -> None:
    """What cannot be downloaded says so before the first chunk, whatever its status."""
    fake.on("GET", PATH, reply(status, body))
    with pytest.raises(kind):
        async with store.content(mailbox, "5", PICTURE):
            pytest.fail("entered")


async def test_a_rate_limit_in_the_middle_is_told(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """A resume that meets a 429 is not tried again."""
    fake.on("GET", PATH, media(100_000), reply(429))
    with pytest.raises(RateLimited):
        await download(store, mailbox)
    assert len(fake.calls(PATH)) == 2


async def test_a_part_that_nobody_asked_for_is_completed(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """A server may answer 206 on its own; the rest is fetched."""
    part = {"Content-Range": f"bytes 0-99999/{len(BODY)}", "Content-Type": "image/png"}
    fake.on("GET", PATH, reply(206, BODY[:100_000], part), media())
    assert await download(store, mailbox) == BODY


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 200000-200009/200010"},
        {"Content-Range": f"bytes 200000-200009/{len(BODY)}", "ETag": '"v2"'},
        {"Content-Range": f"bytes 300000-300009/{len(BODY)}", "ETag": '"v1"'},
        {"Content-Range": "bytes */*"},
        {},
    ],
)
async def test_content_that_changes_meanwhile_is_refused(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any, headers: dict[str, str]
) -> None:
    """Parts of different things are never put together."""
    fake.on("GET", PATH, media(200_000, etag='"v1"'), reply(206, BODY[:10], headers))
    with pytest.raises(BadAnswer):
        await download(store, mailbox)


async def test_content_of_unknown_length(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """Without a length it ends where the stream does."""

    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(BODY)
        return response

    fake.on("GET", PATH, chunked)
    async with store.content(mailbox, "5", PICTURE) as content:
        assert content.size is None
        assert b"".join([chunk async for chunk in content]) == BODY


async def test_compressed_content_is_unpacked(
    fake: Any, store: MessageStore, mailbox: Mailbox, reply: Any
) -> None:
    """A server that compresses against our wish gives the same bytes, its length is not ours."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
    fake.on("GET", PATH, reply(body=gzip.compress(BODY), headers=headers))
    assert await download(store, mailbox) == BODY


async def test_the_address_in_the_message_is_not_followed(
    fake: Any, make_store: Any, mailbox: Mailbox
) -> None:
    """The request goes to the media host, wherever the attachment's uri points."""
    fake.on("GET", PATH, media())
    store = make_store(media=fake.url.replace("127.0.0.1", "localhost"))
    assert await download(store, mailbox) == BODY
    assert fake.calls(PATH)[0].headers["Host"].startswith("localhost:")


async def test_it_is_read_once_and_inside(fake: Any, store: MessageStore, mailbox: Mailbox) -> None:
    """Reading before entering or after leaving is a mistake that is said."""
    fake.on("GET", PATH, media())
    content = store.content(mailbox, "5", PICTURE)
    async with content as entered:
        pass
    with pytest.raises(RuntimeError, match="enter"):
        [chunk async for chunk in entered]


@pytest.mark.parametrize("message", ["5/../6", "*", ""])
def test_ids_cannot_lead_elsewhere(store: MessageStore, mailbox: Mailbox, message: str) -> None:
    """Ids from outside become part of a path only if they are ids."""
    with pytest.raises(ValueError, match="not a message id"):
        store.content(mailbox, message, PICTURE)


@pytest.mark.parametrize("odd", ["../9", "9?x", "9\t", "\udcff", "9" * 65])
def test_an_attachment_with_an_odd_id_is_one_messages_problem(
    fake: Any, store: MessageStore, mailbox: Mailbox, odd: str
) -> None:
    """It fails as RingCentral's own plain refusals do: for good, and for this message only."""
    with pytest.raises(BadRequest, match="the attachment's id is none"):
        store.content(mailbox, "5", Attachment(id=odd))
    assert fake.seen == []


async def test_content_without_end_is_cut_off(
    fake: Any, store: MessageStore, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that does not say how long it is ends at the limit."""

    async def long(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(10):
                await response.write(BODY)
        return response

    monkeypatch.setattr(module, "LARGEST_CONTENT", len(BODY))
    fake.on("GET", PATH, long)
    with pytest.raises(BadAnswer, match=f"more than {len(BODY)} bytes are not taken"):
        await download(store, mailbox)


async def test_content_that_says_it_is_huge_is_not_begun(
    fake: Any, store: MessageStore, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The declared length is enough to refuse it."""
    monkeypatch.setattr(module, "LARGEST_CONTENT", len(BODY) - 1)
    fake.on("GET", PATH, media())
    with pytest.raises(BadAnswer, match="bytes are not taken"):
        async with store.content(mailbox, "5", PICTURE):
            pytest.fail("it was begun")
