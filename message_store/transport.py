"""One HTTP request and its answer: time limits, redirects within our hosts, bounded reading."""

import contextlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import aiohttp
from yarl import URL

from message_store.errors import BadAnswer, ConnectionFailed
from message_store.server import Server

CALL_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
LARGEST_ANSWER = 16 * 1024 * 1024  # a page of 1000 records has about 2
LARGEST_FAULT = 256 * 1024
MOST_REDIRECTS = 5
# RingCentral asks for a stable name: https://developers.ringcentral.com/guide/basics/uris
USER_AGENT = f"Ringpost/{version('ringpost')}"


async def send(
    session: aiohttp.ClientSession,
    server: Server,
    method: str,
    url: URL,
    *,
    headers: Mapping[str, str],
    data: Any = None,
    timeout: aiohttp.ClientTimeout = CALL_TIMEOUT,  # noqa: ASYNC109  # aiohttp keeps the time
) -> aiohttp.ClientResponse:
    """The answer's head; its body is still to be read, and the answer to be released.

    Redirects are followed on the configured hosts only, whatever they carry: they have seen the
    token already. A changing call follows only those that keep its method (307, 308).
    Raises ConnectionFailed and BadAnswer.
    Source: https://developers.ringcentral.com/guide/basics/formats/responses
    """
    for _ in range(1 + MOST_REDIRECTS):
        _require_own_host(server, url)
        with connection_errors(url.host):
            response = await session.request(
                method,
                url,
                headers={"User-Agent": USER_AGENT, **headers},
                data=data,
                timeout=timeout,
                allow_redirects=False,
                middlewares=(_never_repeated,),
            )
        target = response.headers.get("Location")
        followed = {301, 302, 303, 307, 308} if method == "GET" else {307, 308}
        if response.status not in followed or target is None:
            return response
        response.release()
        try:
            url = url.join(URL(target))
        except ValueError as error:
            raise BadAnswer(f"{url.host} redirects to no valid address") from error
    raise BadAnswer(f"{url.host} redirects in a circle")


async def _never_repeated(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending again, on its own, what went out on a connection that broke off.

    A second delete would purge, and no budget would count it; it repeats only errors of its own.
    """
    with connection_errors(request.url.host):
        return await handler(request)


def _require_own_host(server: Server, url: URL) -> None:
    if not server.allows(url):
        raise BadAnswer(
            f"{url.host} is not a configured RingCentral host, nothing was sent to it; "
            "if it should be, set RC_SERVER_URL or RC_MEDIA_URL"
        )


async def read_whole(response: aiohttp.ClientResponse, most: int = LARGEST_ANSWER) -> bytes:
    """The whole body; more than `most` bytes is a BadAnswer, an end too early ConnectionFailed."""
    pieces: list[bytes] = []
    size = 0
    with connection_errors(response.url.host):
        while piece := await response.content.readany():
            size += len(piece)
            if size > most:
                response.close()
                raise BadAnswer(f"{response.url.host} answered more than {most} bytes")
            pieces.append(piece)
    return b"".join(pieces)


async def read_fault_body(response: aiohttp.ClientResponse) -> bytes:
    """The body of a failed answer as far as it is of use: empty if it is huge or broken off."""
    try:
        return await read_whole(response, LARGEST_FAULT)
    except (BadAnswer, ConnectionFailed):
        return b""


@contextlib.contextmanager
def connection_errors(host: str | None) -> Iterator[None]:
    """Turn what the network and aiohttp raise into ConnectionFailed, without any address."""
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectionFailed(f"{host}: {_words(error)}") from error


def _words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "this name is not found; is the network up, is RC_SERVER_URL right?"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "no secure connection; its certificate is not trusted here"
        case aiohttp.ClientConnectorError():
            return f"no connection ({error.os_error.strerror or 'refused'})"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "the connection broke off"
        case aiohttp.InvalidURL():
            return "not a valid address"
        case _:
            return f"the connection failed ({type(error).__name__})"
