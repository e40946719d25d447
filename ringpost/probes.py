"""Cheap looks at an address: does something listen, does Redis answer, does a page say 200."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from ringpost.refusal import Refusal

Probe = Callable[[], Awaitable[bool]]
LOOPBACK = "127.0.0.1"
_PATIENCE = 2.0


def listens(port: int) -> Probe:
    """Whether something accepts connections on this loopback port."""
    return _asks(lambda: asyncio.open_connection(LOOPBACK, port), b"", b"")


def answers_health(host: str, port: int) -> Probe:
    """Whether `GET /healthz` is answered with 200."""
    request = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    return _asks(lambda: asyncio.open_connection(host, port), request, b"HTTP/1.1 200")


def answers_ping(socket_path: Path) -> Probe:
    """Whether the Redis on this unix socket has read its file and answers."""
    return _asks(lambda: asyncio.open_unix_connection(socket_path), b"PING\r\n", b"+PONG")


def _asks(
    connect: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    question: bytes,
    answer: bytes,
) -> Probe:
    async def probe() -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await connect()
                try:
                    writer.write(question)
                    return await reader.readexactly(len(answer)) == answer
                finally:
                    writer.close()
        except (OSError, asyncio.IncompleteReadError):
            return False

    return probe


def insist_on_port(host: str, port: int, prefix: str = "") -> None:
    """Raise Refusal if nobody could listen there; the variables begin with `prefix`."""
    try:
        _bind(host, port)
    except OSError as error:
        name = f"{prefix}PORT"
        what = (
            f"{name}={port}: in use on {host}; stop what listens there or set {name} to another"
            if error.errno == errno.EADDRINUSE
            else f"{prefix}HOST={host} {name}={port}: cannot listen there ({_reason(error)}); "
            "set others"
        )
        raise Refusal(what) from None


def free_port(wanted: int) -> int:
    """`wanted` if it is free on the loopback interface, else a port that is."""
    try:
        return _bind(LOOPBACK, wanted)
    except OSError:
        return _bind(LOOPBACK, 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((host, port))
        trial.listen(1)
        return int(trial.getsockname()[1])


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
