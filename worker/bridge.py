"""The one bridge between Celery's threads and the event loop of a worker process.

Celery's threads pool ignores its own time limits and soft shutdown, so both are kept here:
a deadline per task, and on shutdown a grace period after which what still runs is cancelled.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import structlog

from .together import cancel_all

try:
    import uvloop

    _new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
except ImportError:  # not on every platform
    _new_loop = asyncio.new_event_loop

log = structlog.get_logger()

UNFORESEEN = 1

T = TypeVar("T")


class InterruptedWork(Exception):  # noqa: N818  # not an error: the process stops
    """The work was cancelled because the process stops; it belongs back in the queue."""


class LoopBridge:
    """An event loop in a thread of its own for the whole life of the process."""

    def __init__(self) -> None:
        self._loop = _new_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="event-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], deadline: float) -> T:
        """Run a coroutine on the loop and wait for it; TimeoutError after `deadline` seconds.

        Raises InterruptedWork when the process stops first.
        """
        if self._stopping:
            work.close()
            raise InterruptedWork
        future = asyncio.run_coroutine_threadsafe(self._guarded(work, deadline), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise InterruptedWork from None

    def drain(self, grace: float) -> None:
        """Let what runs finish for `grace` seconds, then cancel it; no new work is taken."""
        self._stopping = True
        asyncio.run_coroutine_threadsafe(self._drain(grace), self._loop).result()

    def call(self, work: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run a coroutine of the process itself, drained or not."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def stop(self) -> None:
        """End the loop and its thread."""
        self._ended = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        # An exit in any task ends the loop: nobody would renew claims or answer tasks any more.
        except BaseException as error:
            log.error("the event loop has ended, and the worker with it", exc_info=error)
        if not self._ended:
            os._exit(UNFORESEEN)
        self._loop.close()

    async def _guarded(self, work: Coroutine[Any, Any, T], deadline: float) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine always runs in a task
        self._tasks.add(task)
        try:
            async with asyncio.timeout(deadline):
                return await work
        finally:
            self._tasks.discard(task)

    async def _drain(self, grace: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        if self._tasks:
            log.info("work cancelled, back to the queue", tasks=len(self._tasks))
            await cancel_all(self._tasks)
