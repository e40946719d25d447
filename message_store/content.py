"""An attachment's bytes as a stream that survives broken connections."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import aiohttp

from message_store.calls import JSON
from message_store.errors import BadAnswer, BadRequest, ConnectionFailed, ServerError
from message_store.faults import error_of, read_fault
from message_store.http import Http
from message_store.transport import connection_errors, read_fault_body

OPERATION = "message-content"
SMALLEST_CHUNK = 64 * 1024
LARGEST_CONTENT = 2 * 1024**3  # far above what a mailbox takes; an end has to be somewhere
MOST_BREAKS = 4
SHORTEST_PAUSE = 0.2
_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)")


class Content:
    """One download: enter it, read `content_type` and `size`, iterate over its chunks, leave it.

    Chunks are 64 KiB to 1 MiB (the last may be smaller). A connection that breaks, or a body that
    is too short, is resumed by Range; the length is checked against what the server declared, and
    never exceeds 2 GiB.
    Raises RingCentralError on entering (NotReady, NotFound, ...) and while reading.
    Source: https://developers.ringcentral.com/guide/basics/media
    """

    content_type: str
    size: int | None

    def __init__(self, http: Http, path: str, offset: int, expected_type: str | None) -> None:
        self._http = http
        self._path = path
        self._at = offset
        self._expected_type = expected_type or ""
        self._skip = 0
        self._etag = ""
        self._response: aiohttp.ClientResponse | None = None
        self.content_type = self._expected_type or "application/octet-stream"
        self.size = None

    async def __aenter__(self) -> Self:
        await self._open(first=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._response is None:
            raise RuntimeError("enter the content first, and read it once")
        if self._at == self.size:
            return
        breaks, reached = 0, self._at
        held: list[bytes] = []
        while True:
            error: ConnectionFailed | ServerError
            try:
                while piece := await self._piece():
                    held.append(piece)
                    if sum(map(len, held)) >= SMALLEST_CHUNK:
                        chunk, held = b"".join(held), []
                        yield chunk
                if self.size is None or self._at >= self.size:
                    break
                error = ConnectionFailed(
                    f"{OPERATION}: ended after {self._at} of {self.size} bytes"
                )
            except (ConnectionFailed, ServerError) as broken:
                error = broken
            finally:
                self._close()
            if self._at - reached >= SMALLEST_CHUNK:
                breaks, reached = 0, self._at
            breaks += 1
            if breaks >= MOST_BREAKS:
                if held:
                    yield b"".join(held)  # what came is good, and may be resumed from later
                raise error
            await asyncio.sleep(SHORTEST_PAUSE * 2 ** (breaks - 1) * random.uniform(0.5, 1.5))  # noqa: S311  # jitter
            await self._open(first=False)
        if held:
            yield b"".join(held)

    async def _piece(self) -> bytes:
        """The next bytes behind those that came already; none at the end of the body."""
        if self._response is None:
            return b""
        while True:
            with connection_errors(self._response.url.host):
                piece = await self._response.content.readany()
            if self._skip:
                if not piece:
                    raise ConnectionFailed(f"{OPERATION}: ended before byte {self._at}")
                dropped = min(self._skip, len(piece))
                self._skip -= dropped
                piece = piece[dropped:]
                if not piece:
                    continue
            self._at += len(piece)
            if self.size is not None and self._at > self.size:
                raise BadAnswer(f"{OPERATION}: more than the declared {self.size} bytes came")
            _check_limit(self._at)
            return piece

    async def _open(self, *, first: bool) -> None:
        # Ranges and lengths count encoded bytes, so nothing but identity would do.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if self._at:
            headers["Range"] = f"bytes={self._at}-"
            if self._etag:
                headers["If-Range"] = self._etag
        try:
            response = await self._http.stream(OPERATION, self._path, headers)
        except BadRequest as error:
            if error.status != 416 or not first:
                raise
            # Nothing lies behind `offset`: the whole will tell whether that is its end.
            headers.pop("Range", None)
            response = await self._http.stream(OPERATION, self._path, headers)
        self._response = response
        try:
            await self._understand(response, first=first)
        except BaseException:
            self._close()
            raise

    async def _understand(self, response: aiohttp.ClientResponse, *, first: bool) -> None:
        kind = response.content_type
        if response.status not in {200, 206} or (kind == JSON and self._expected_type != JSON):
            # An error may hide behind any status: MSG-368 is documented without one.
            fault = read_fault(await read_fault_body(response))
            raise error_of(OPERATION, response.status, response.headers, fault)
        start, size = _extent(response)
        etag = response.headers.get("ETag", "")
        etag = "" if etag.startswith("W/") else etag
        if first:
            self._etag = etag
            if "Content-Type" in response.headers:
                self.content_type = kind
        resized = self.size is not None and size is not None and self.size != size
        if resized or (self._etag and etag and self._etag != etag):
            raise BadAnswer(f"{OPERATION}: the content changed while it was read")
        self.size = size if self.size is None else self.size
        _check_limit(self.size or 0)
        if start > self._at:
            raise BadAnswer(f"{OPERATION}: another range came than was asked for")
        if self.size is not None and self._at > self.size:
            raise BadRequest(f"{OPERATION}: its {self.size} bytes end before byte {self._at}")
        self._skip = self._at - start

    def _close(self) -> None:
        # Releasing keeps a connection that was read to its end, and closes any other.
        if self._response is not None:
            self._response.release()
            self._response = None


def _check_limit(size: int) -> None:
    if size > LARGEST_CONTENT:
        raise BadAnswer(f"{OPERATION}: more than {LARGEST_CONTENT} bytes are not taken")


def _extent(response: aiohttp.ClientResponse) -> tuple[int, int | None]:
    """The first byte of an answer's body and the size of the whole, where it is known."""
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    if response.status == 200:
        return 0, None if encoded else response.content_length
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if encoded or found is None or found[1] is None:
        raise BadAnswer(f"{OPERATION}: part of the content came without saying which")
    return int(found[1]), None if found[3] == "*" else int(found[3])
