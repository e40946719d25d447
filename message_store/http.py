"""Calls to RingCentral's API: token, limits, repeats, and errors that say what to do."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Self, TypeVar

import aiohttp
import orjson
import stamina
from yarl import URL

from message_store.auth import Authenticator
from message_store.calls import JSON, Answer, Call
from message_store.errors import ConnectionFailed, LimitedMode, RingCentralError, ServerError
from message_store.faults import error_of, read_fault
from message_store.limits import NO_ANSWER, Limits, Permit
from message_store.parsing import parse_date
from message_store.server import Server
from message_store.transport import (
    CALL_TIMEOUT,
    STREAM_TIMEOUT,
    read_fault_body,
    read_whole,
    send,
)

LONGEST_WAIT = 5.0
# A longer answer is read in a thread: its records could keep everything else waiting.
LARGEST_AT_ONCE = 256 * 1024
_MAILBOX = re.compile(r"/restapi/v1\.0/account/([^/]+)/extension/([^/]+)/(?:message-|[sm]ms$)")

Read = TypeVar("Read")


def _worth_repeating(error: Exception) -> bool | float:
    # Long waits belong to the caller, who can do other work meanwhile; 429 is never repeated here.
    if isinstance(error, LimitedMode) or not isinstance(error, ConnectionFailed | ServerError):
        return False
    if error.retry_after is None:
        return True
    jitter = random.uniform(0, 0.3)  # noqa: S311  # spreads repeats, hides nothing
    return error.retry_after <= LONGEST_WAIT and error.retry_after + jitter


_repeated = stamina.AsyncRetryingCaller(
    attempts=3, timeout=12, wait_initial=0.2, wait_max=2, wait_jitter=0.3
).on(_worth_repeating)


class Http:
    """Sends calls over the one session: API calls read whole, content as a stream."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: Server,
        authenticator: Authenticator,
        limits: Limits,
        *,
        bulk: bool = False,
    ) -> None:
        self.server = server
        self._session = session
        self._authenticator = authenticator
        self._limits = limits
        self._bulk = bulk
        self._date: str | None = None
        self._date_seen = 0.0

    def in_bulk(self) -> Self:
        """The same for work that waits for live work."""
        return type(self)(self._session, self.server, self._authenticator, self._limits, bulk=True)

    @property
    def server_time(self) -> datetime | None:
        """What the server's clock shows now, by the Date header of its newest answer."""
        moment = parse_date(self._date)
        return moment and moment + timedelta(seconds=time.monotonic() - self._date_seen)

    async def call(self, call: Call) -> Answer:
        """The answer (2xx) to an API call; raises a RingCentralError for any other outcome."""
        url = URL(f"{self.server.api}{call.path}", encoded=True).with_query(list(call.query))
        headers = {"Accept": JSON, **call.headers}
        data = None
        if call.body is not None:
            headers.setdefault("Content-Type", JSON)
            data = call.body if isinstance(call.body, bytes) else orjson.dumps(call.body)

        async def once() -> Answer:
            response = await self._exchange(
                call.operation, call.method, url, headers, data, CALL_TIMEOUT
            )
            async with response:
                body = await read_whole(response)
            return Answer(call.operation, response.status, response.headers, body)

        return await (_repeated(once) if call.idempotent else once())

    async def read(self, call: Call, reader: Callable[[Answer], Read]) -> Read:
        """What the reader makes of the answer to a call; a long answer is read in a thread."""
        answer = await self.call(call)
        if len(answer.body) <= LARGEST_AT_ONCE:
            return reader(answer)
        return await asyncio.to_thread(reader, answer)

    async def stream(
        self, operation: str, path: str, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """A successful answer of the media host, its body still to be read and released."""
        url = URL(f"{self.server.media}{path}", encoded=True)

        async def once() -> aiohttp.ClientResponse:
            return await self._exchange(operation, "GET", url, headers, None, STREAM_TIMEOUT)

        return await _repeated(once)

    async def _exchange(
        self,
        operation: str,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        data: bytes | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # aiohttp keeps the time
    ) -> aiohttp.ClientResponse:
        rejected: str | None = None
        while True:
            token = await self._authenticator.token(rejected=rejected)
            permit = Permit(operation, _mailbox_of(url), self._bulk)
            await self._limits.before(permit)
            try:
                response = await send(
                    self._session,
                    self.server,
                    method,
                    url,
                    headers={**headers, "Authorization": f"Bearer {token}"},
                    data=data,
                    timeout=timeout,
                )
            except RingCentralError:
                await self._limits.after(permit, NO_ANSWER, {})
                raise
            try:
                await self._limits.after(permit, response.status, response.headers)
                if "Date" in response.headers:
                    self._date, self._date_seen = response.headers["Date"], time.monotonic()
                if 200 <= response.status < 300:
                    return response
                fault = read_fault(await read_fault_body(response))
            except BaseException:
                response.close()
                raise
            response.release()
            if response.status != 401 or rejected is not None:
                raise error_of(operation, response.status, response.headers, fault)
            rejected = token


def _mailbox_of(url: URL) -> str:
    found = _MAILBOX.match(url.raw_path)
    return f"{found[1]}/{found[2]}" if found else ""
