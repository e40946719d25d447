"""The bridge keeps the deadlines and the soft shutdown that Celery's threads pool ignores."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from worker.bridge import InterruptedWork, LoopBridge


@pytest.fixture
def bridge() -> Iterator[LoopBridge]:
    bridge = LoopBridge()
    yield bridge
    bridge.stop()


async def answer() -> int:
    return 42


async def hang() -> None:
    await asyncio.Event().wait()


def test_runs_on_one_loop(bridge: LoopBridge) -> None:
    """Work of many threads runs on the same loop and gives its result back."""

    async def loop() -> int:
        return id(asyncio.get_running_loop())

    assert bridge.run(answer(), 5) == 42
    assert bridge.run(loop(), 5) == bridge.run(loop(), 5)


def test_keeps_the_deadline(bridge: LoopBridge) -> None:
    """Work that takes too long ends with a TimeoutError."""
    with pytest.raises(TimeoutError):
        bridge.run(hang(), 0.05)


def test_errors_come_through(bridge: LoopBridge) -> None:
    """What the work raises, its caller sees."""

    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        bridge.run(fail(), 5)


def test_drain_lets_work_finish(bridge: LoopBridge) -> None:
    """Within the grace period running work ends by itself."""
    release = asyncio.Event()
    results: list[str] = []

    async def work() -> None:
        await release.wait()
        results.append("finished")

    worker = threading.Thread(target=lambda: bridge.run(work(), 30))
    worker.start()
    bridge.call(asyncio.sleep(0), 5)
    stopping = threading.Thread(target=bridge.drain, args=(20.0,))
    stopping.start()

    async def let_go() -> None:
        release.set()

    bridge.call(let_go(), 5)
    stopping.join(60)
    worker.join(60)
    assert results == ["finished"]


def test_drain_cancels_what_hangs(bridge: LoopBridge) -> None:
    """After the grace period work is cancelled, and its caller knows that it was interrupted."""
    caught: list[BaseException] = []

    def work() -> None:
        try:
            bridge.run(hang(), 30)
        except InterruptedWork as interrupted:
            caught.append(interrupted)

    started = threading.Event()

    async def mark() -> None:
        started.set()

    worker = threading.Thread(target=work)
    worker.start()
    bridge.run(mark(), 5)
    bridge.drain(0.05)
    worker.join(60)
    assert len(caught) == 1


def test_takes_nothing_new_while_stopping(bridge: LoopBridge) -> None:
    """After the drain began new work goes back to the queue."""
    bridge.drain(0)
    with pytest.raises(InterruptedWork):
        bridge.run(answer(), 5)


EXITS = """
import asyncio
from worker.bridge import LoopBridge

async def leave():
    raise SystemExit(0)

async def begin():
    asyncio.get_running_loop().create_task(leave())

bridge = LoopBridge()
bridge.run(begin(), 5)
bridge.run(asyncio.sleep(3600), 3600)
"""


def test_a_loop_that_ends_takes_the_process_along() -> None:
    """A task that exits ends the worker, to be started again: else it would hang without a word."""
    ended = subprocess.run(
        [sys.executable, "-c", EXITS], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "the event loop has ended, and the worker with it" in ended.stdout
