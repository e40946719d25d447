"""HTTP calls of handlers: to public addresses only, bounded in time and size, never redirected."""

import ipaddress
import json as json_library
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import AnyUrl
from yarl import URL

from worker.handlers.contract import PermanentError, Reply, TransientError

MAX_REPLY = 1024 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=15, sock_read=30)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# All that is handed out of IPv6; outside are wrappings, local translators and relics.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Not out on the internet by IANA's registries, though older Pythons say so.
_NOT_GLOBAL = [
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")
]


def is_public(address: str) -> bool:
    """Whether an IP address is out on the internet, seen through IPv6 wrappings of IPv4."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NOT_GLOBAL)


class GuardedResolver(AbstractResolver):
    """Resolves a name and refuses it if any of its addresses is an internal one.

    aiohttp connects to the very addresses given here, so a second answer of the name server
    cannot change the destination after the check.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name; raises PermanentError if one of them is internal."""
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            _refuse_unless_public(host, result["host"])
        return results

    async def close(self) -> None:
        """Close the resolver underneath."""
        await self._resolver.close()


class Egress:
    """The one HTTP client of a worker process for all its handlers; open it inside the loop.

    `allow_private` also lets addresses of the own network through, for destinations in-house.
    """

    def __init__(
        self, *, allow_private: bool = False, resolver: AbstractResolver | None = None
    ) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str | AnyUrl,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call; see `Context.request`. Errors name the host only: paths may hold secrets."""
        target = self._checked(str(url))
        headers = dict(headers or {})
        if json is not None:
            body = json_library.dumps(json, ensure_ascii=True).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            async with self._opened().request(
                method, target, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Reply(response.status, response.headers, await _bounded(response))
        except TimeoutError as error:
            raise TransientError(f"{target.host} did not answer in time") from error
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise PermanentError(f"{target.host} is no host's name or address") from error
        except aiohttp.ClientError as error:
            raise TransientError(_words(target, error)) from error
        except ValueError as error:
            raise PermanentError(f"the call to {target.host} has a bad header") from error

    async def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = self._resolver or aiohttp.DefaultResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=resolver if self._allow_private else GuardedResolver(resolver),
                    limit=64,
                    limit_per_host=16,
                ),
                timeout=TIMEOUT,
                # One destination's cookies are no business of the next message.
                cookie_jar=aiohttp.DummyCookieJar(),
                # A proxy of the environment would connect to addresses unseen by the guard.
                trust_env=False,
                headers={"User-Agent": "Ringpost"},
            )
        return self._session

    def _checked(self, text: str) -> URL:
        try:
            url = URL(text)
        except ValueError:
            raise PermanentError("not an address of the web (expected https://host/path)") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise PermanentError("not an address of the web (expected https://host/path)")
        # aiohttp connects to a literal address without asking the resolver.
        if not self._allow_private and _is_literal(url.host):
            _refuse_unless_public(url.host, url.host)
        return url


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refuse_unless_public(host: str, address: str) -> None:
    if not is_public(address):
        raise PermanentError(
            f"refused to call {host}: {address} is not a public address; "
            "handlers reach internal addresses only where that is allowed"
        )


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_REPLY:
            response.close()
            break
    return bytes(body[:MAX_REPLY])


def _words(target: URL, error: aiohttp.ClientError) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {target.host} cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return f"no trusted TLS connection to {target.host}"
    reason = (
        cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
    )
    return f"{target.host} cannot be reached: {reason}"
