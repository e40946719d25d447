"""Attachment contents, on the media port: whole, in ranges, and broken off when told to.

Source: https://developers.ringcentral.com/guide/basics/media
"""

import mimetypes
import re
from urllib.parse import quote

from aiohttp import web

from sandbox.answers import ApiError, invalid, not_found
from sandbox.calls.batch import find
from sandbox.calls.messages import STORE
from sandbox.exchange import Exchange, Operation
from sandbox.samples.content import CHUNK, Content
from sandbox.state.messages import StoredMessage

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_DISPOSITIONS = {"inline": "inline", "attachment": "attachment"}


async def read_content(exchange: Exchange) -> web.StreamResponse:
    """The bytes of one attachment."""
    message = find(exchange, exchange.request.match_info["messageId"])
    attachment_id = exchange.request.match_info["attachmentId"]
    content = message.contents.get(int(attachment_id)) if attachment_id.isdecimal() else None
    if content is None:
        raise not_found("attachmentId")
    if message.rendering > 0:
        message.rendering -= 1
        status = exchange.emulator.settings.rendering_status
        raise ApiError(status, "MSG-368", "Fax message processing is in progress")
    if message.content_lost:
        raise ApiError(500, "MSG-352", "Message content is null")
    start, stop, partial = _range(exchange, content.size)
    headers = {
        "Content-Type": content.content_type or "application/octet-stream",
        "Content-Disposition": _disposition(exchange, message, content),
        "Accept-Ranges": "bytes",
    }
    if partial:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    status = 206 if partial else 200
    if exchange.half or exchange.emulator.faults.takes("truncated download"):
        return await _stream(exchange, content, status, headers, start, stop, broken=True)
    if stop - start <= CHUNK * 16:
        body = b"".join(content.chunks(start, stop))
        return web.Response(body=body, status=status, headers=headers)
    return await _stream(exchange, content, status, headers, start, stop)


async def _stream(
    exchange: Exchange,
    content: Content,
    status: int,
    headers: dict[str, str],
    start: int,
    stop: int,
    *,
    broken: bool = False,
) -> web.StreamResponse:
    answer = web.StreamResponse(status=status, headers=headers)
    answer.content_length = stop - start
    await answer.prepare(exchange.request)
    end = start + (stop - start) // 2 if broken else stop
    for chunk in content.chunks(start, end):
        await answer.write(chunk)
    if broken and exchange.request.transport is not None:
        exchange.request.transport.close()
    else:
        await answer.write_eof()
    return answer


def _range(exchange: Exchange, size: int) -> tuple[int, int, bool]:
    """First byte, one past the last, and whether a part was asked for; raises the 416 answer."""
    asked = _RANGE.fullmatch(exchange.request.headers.get("Range", "").replace(" ", ""))
    if asked is None or asked.groups() == ("", ""):
        return 0, size, False
    first, last = asked.groups()
    if first:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, stop = max(0, size - int(last)), size
    if start >= stop:
        raise ApiError(
            416,
            "CMN-107",
            "Requested range is not satisfiable",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, stop, True


def _disposition(exchange: Exchange, message: StoredMessage, content: Content) -> str:
    query = exchange.request.query
    kind = _DISPOSITIONS.get(query.get("contentDisposition", "attachment").lower())
    if kind is None:
        raise invalid("contentDisposition")
    suffix = mimetypes.guess_extension(content.content_type) or ""
    usual = content.name or f"{message.id}{suffix}"
    name = query.get("contentDispositionFilename") or usual
    return f"{kind};filename={quote(name, safe=' .,()_-')}"


OPERATIONS = (
    Operation(
        name="readMessageContent",
        method="GET",
        path=f"{STORE}/{{messageId}}/content/{{attachmentId}}",
        answer=read_content,
        group="medium",
        app_permission="ReadMessages",
        user_permission="ReadMessageContent",
    ),
)
