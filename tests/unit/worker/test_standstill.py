"""A handler that blocks the event loop is told of, and what its worker holds is held meanwhile."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.waiting import Eventually
from worker import standstill
from worker.standstill import Standstill


def blocked(released: threading.Event) -> None:
    assert released.wait(30)


def _of_attempts() -> Callable[..., None]:
    """A function of the file that calls handlers."""
    names: dict[str, Any] = {}
    file = Path(standstill.__file__).with_name("attempts.py")
    exec(compile("def call(f, x): f(x)", file, "exec"), names)
    function: Callable[..., None] = names["call"]
    return function


async def test_a_loop_that_stands_still(eventually: Eventually) -> None:
    """Its claims are held from beside it; where it stands is told once, and when it goes on."""
    held, released = [0], threading.Event()

    def hold() -> None:
        held[0] += 1
        if held[0] == 4:
            released.set()

    with capture_logs() as logs:
        watch = Standstill(hold, 0.06, tell_seconds=0.02)
        _of_attempts()(blocked, released)
        await eventually(lambda: len(logs) == 2)
        watch.stop()
    assert held[0] >= 4
    [first, second] = logs
    assert first["event"] == "event loop stands still"
    assert first["at"].startswith("test_standstill.py:")
    assert first["at"].endswith(" (blocked)")
    assert "asyncio.to_thread" in first["remedy"]
    assert second["event"] == "event loop goes on"


async def test_an_error_of_holding_does_not_end_the_watch() -> None:
    """The loop may go on, and change what is held, in the very moment in which that is read."""
    tried, released = [0], threading.Event()

    def hold() -> None:
        tried[0] += 1
        if tried[0] == 3:
            released.set()
        raise RuntimeError("dictionary changed size during iteration")

    with capture_logs() as logs:
        watch = Standstill(hold, 0.06, tell_seconds=60)
        blocked(released)
        watch.stop()
    assert {(line["event"], line["log_level"]) for line in logs} == {("claims not held", "error")}


async def test_a_loop_that_stands_still_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends after the longest time of a step, so that another takes its place."""
    monkeypatch.setattr(standstill, "STEP_DEADLINE", 0.05)
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    with capture_logs():
        watch = Standstill(lambda: None, 0.06, end=end)
        blocked(ended)
        watch.stop()
    assert codes == [1]
