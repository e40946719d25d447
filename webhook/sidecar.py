"""One thread beside the event loop for calls that block, one at a time."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue


class Sidecar:
    """Runs blocking calls in order in a daemon thread: a hanging one never holds up an exit."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], None], asyncio.Future[None]]] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, call: Callable[[], None]) -> None:
        """Wait for a call; raises what it raises. Given up waiting for, it goes on all the same."""
        done = asyncio.get_running_loop().create_future()
        self._calls.put((call, done))
        await done

    def _work(self) -> None:
        while True:
            call, done = self._calls.get()
            error: Exception | None = None
            try:
                call()
            except Exception as failure:  # noqa: BLE001  # whatever it is belongs to the one waiting
                error = failure
            try:
                done.get_loop().call_soon_threadsafe(_settle, done, error)
            except RuntimeError:
                return  # the loop is closed: the process is on its way out


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
