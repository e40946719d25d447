"""Watches the worker's event loop from a thread beside it, for handlers that block.

All that a worker does runs on one loop. While a handler blocks it (a library that knows no
`await`), nothing else goes on, and leases lapse: another worker would do everything again.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import structlog

from .attempts import STEP_DEADLINE
from .ledger import LedgerError

log = structlog.get_logger()

_TELL_SECONDS = 5.0
_CALLERS = frozenset({"attempts.py", "closing.py", "postponed.py", "started.py"})
_OURS = Path(__file__).parent


class Standstill:
    """Tells where the running loop stands still, and holds meanwhile what the process holds.

    `hold` is called in the thread, about three times in a lease. A loop that stands still for
    longer than a step may take ends the process, so that another can take its place.
    """

    def __init__(
        self,
        hold: Callable[[], None],
        lease_seconds: float,
        *,
        tell_seconds: float = _TELL_SECONDS,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._hold = hold
        self._tell_seconds = tell_seconds
        self._end = end
        self._tick = min(1.0, lease_seconds / 6)
        self._loop = asyncio.get_running_loop()
        self._of_loop = threading.get_ident()
        self._answered, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="standstill", daemon=True)
        self._ask()
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()

    def _ask(self) -> None:
        self._answered.clear()
        try:
            self._loop.call_soon_threadsafe(self._answered.set)
        except RuntimeError:  # the loop is closed: the process ends
            self._over.set()

    def _run(self) -> None:
        # Turns are counted, not time: while the whole process or machine sleeps none goes by.
        turns, told = 0, False
        while not self._over.wait(self._tick):
            if self._answered.is_set():
                if told:
                    log.warning("event loop goes on", stood_still=round(turns * self._tick))
                turns, told = 0, False
                self._ask()
                continue
            turns += 1
            if turns % 2 == 0:
                self._hold_on()
            if not told and turns * self._tick >= self._tell_seconds:
                told = True
                log.error("event loop stands still", **self._facts())
            if turns * self._tick > STEP_DEADLINE:
                log.error("event loop stands still for too long, worker ends", **self._facts())
                self._end(1)
                return

    def _hold_on(self) -> None:
        try:
            self._hold()
        except LedgerError:
            return  # Redis is away for everybody
        # a thread that ended would leave nothing held, and nobody to end the process
        except Exception as error:
            log.error("claims not held", exc_info=error)

    def _facts(self) -> dict[str, str]:
        remedy = "put what blocks into `await asyncio.to_thread(...)`"
        return {"at": _place(sys._current_frames().get(self._of_loop)), "remedy": remedy}


def _place(frame: FrameType | None) -> str:
    """Where a handler blocks: its line below the one of ours that called it, else the innermost."""
    inner = found = frame
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.name in _CALLERS and path.parent == _OURS:
            found = inner
            break
        inner, frame = frame, frame.f_back
    if found is None:
        return "unknown"
    code = found.f_code
    return f"{Path(code.co_filename).name}:{found.f_lineno} ({code.co_name})"
