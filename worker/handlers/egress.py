"""HTTP calls of handlers: to public addresses only, bounded in time and size, never redirected.

An address inside is called only by a handler whose options name it.
"""

import asyncio
import ipaddress
import json as json_library
import socket
import ssl
from collections.abc import AsyncIterable, Collection, Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import AnyUrl
from yarl import URL

from worker.handlers.contract import IPNetwork, PermanentError, Reply, TransientError

MAX_REPLY = 1024 * 1024
CONNECT_SECONDS = 15
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=CONNECT_SECONDS, sock_read=30)
# A stream takes as long as its files are large.
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=600, connect=CONNECT_SECONDS, sock_read=60)
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
    """Resolves a name and refuses it if any of its addresses is internal and not allowed.

    aiohttp connects to the very addresses given here, so a second answer of the name server
    cannot change the destination after the check.
    """

    def __init__(self, resolver: AbstractResolver, allow: Collection[IPNetwork] = ()) -> None:
        self._resolver = resolver
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name; raises PermanentError if one of them is internal."""
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            _refuse_unless_public(host, result["host"], self._allow)
        return results

    async def close(self) -> None:
        """Close the resolver underneath."""
        await self._resolver.close()


class Egress:
    """The one HTTP client of a worker process for all its handlers; open it inside the loop."""

    def __init__(self, *, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver
        # One for each set of allowed addresses: names and connections are kept, and what one
        # handler may reach another may not.
        self._sessions: dict[frozenset[IPNetwork], aiohttp.ClientSession] = {}

    async def request(
        self,
        method: str,
        url: str | AnyUrl,
        *,
        json: Any = None,
        body: bytes | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        allow: Collection[IPNetwork] = (),
    ) -> Reply:
        """One call; see `Context.request`. Errors name the host only: paths may hold secrets."""
        target = _checked(str(url), allow)
        headers = dict(headers or {})
        if json is not None:
            body = json_library.dumps(json, ensure_ascii=True).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            async with self._session(frozenset(allow)).request(
                method,
                target,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=TIMEOUT if isinstance(body, bytes | None) else STREAM_TIMEOUT,
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

    async def reach(self, url: str | AnyUrl, *, allow: Collection[IPNetwork] = ()) -> None:
        """Connect, with TLS for https, and leave again: nothing is asked for.

        Raises as `request` does.
        """
        target = _checked(str(url), allow)
        host, port = target.host or "", target.port or 443
        context = ssl.create_default_context() if target.scheme == "https" else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await self._guarded(allow).resolve(host, port, socket.AF_UNSPEC)
                await _connect([each["host"] for each in found], host, port, context)
        except TimeoutError as error:
            raise TransientError(f"{host} did not answer in time") from error
        except ssl.SSLError as error:
            raise TransientError(f"no trusted TLS connection to {host}") from error
        except socket.gaierror as error:
            raise TransientError(f"the name {host} cannot be resolved") from error
        except UnicodeError as error:
            raise PermanentError(f"{host} is no host's name or address") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TransientError(f"{host} cannot be reached: {reason}") from error

    async def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()

    def _session(self, allow: frozenset[IPNetwork]) -> aiohttp.ClientSession:
        if allow not in self._sessions:
            self._sessions[allow] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=self._guarded(allow), limit=64, limit_per_host=16
                ),
                # One destination's cookies are no business of the next message.
                cookie_jar=aiohttp.DummyCookieJar(),
                # A proxy of the environment would connect to addresses unseen by the guard.
                trust_env=False,
                headers={"User-Agent": "Ringpost"},
            )
        return self._sessions[allow]

    def _guarded(self, allow: Collection[IPNetwork]) -> GuardedResolver:
        return GuardedResolver(self._resolver or aiohttp.DefaultResolver(), allow)


def _checked(text: str, allow: Collection[IPNetwork]) -> URL:
    try:
        url = URL(text)
    except ValueError:
        raise PermanentError("not an address of the web (expected https://host/path)") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise PermanentError("not an address of the web (expected https://host/path)")
    # aiohttp connects to a literal address without asking the resolver.
    if _is_literal(url.host):
        _refuse_unless_public(url.host, url.host, allow)
    return url


async def _connect(
    addresses: Collection[str], host: str, port: int, context: ssl.SSLContext | None
) -> None:
    """Connect to the first address that answers; raises the error of the last."""
    failed: OSError = OSError("no address")
    for address in addresses:
        try:
            _, writer = await asyncio.open_connection(
                address, port, ssl=context, server_hostname=host if context else None
            )
        except OSError as error:
            failed = error
            continue
        writer.close()
        return
    raise failed


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refuse_unless_public(host: str, address: str, allow: Collection[IPNetwork]) -> None:
    if is_public(address):
        return
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not any(ip in network for network in allow):
        raise PermanentError(
            f"refused to call {host}: {address} is not a public address; "
            "handlers reach internal addresses only where an option of theirs allows it"
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
