"""The supervisor with real child processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest

from ringpost.child import Program
from ringpost.refusal import Refusal

Eventually = Callable[..., Awaitable[Any]]

WAITS = """
import signal, sys, threading
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
print('up')
told.wait()
print('down')
"""
DEAF = """
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up')
threading.Event().wait()
"""


async def test_a_killed_child_is_started_again(staging: Any, eventually: Eventually) -> None:
    """A child that is killed from outside comes back under a new process id, and that is said."""
    async with staging.running([staging.program("a", WAITS)]) as stage:
        await eventually(lambda: stage.said("a", "up") == 1)
        first = stage.pid("a")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: stage.said("a", "up") == 2)
        assert stage.pid("a") != first
        assert stage.words == ["a ended with signal 9; starting it again in 0.5 s"]


async def test_children_start_in_order_and_each_waits_for_the_one_before(
    staging: Any, eventually: Eventually
) -> None:
    """A child is not started before the one ahead of it is ready."""
    ready = asyncio.Event()

    async def is_ready() -> bool:
        return ready.is_set()

    programs = [staging.program("a", WAITS, ready=is_ready), staging.program("b", WAITS)]
    async with staging.running(programs) as stage:
        await eventually(lambda: stage.said("a", "up"))
        assert stage.pid("b") is None
        ready.set()
        await eventually(lambda: stage.said("b", "up"))


async def test_children_stop_in_reverse_order(staging: Any, eventually: Eventually) -> None:
    """What was started last is down before the one it may depend on is told to stop."""
    programs = [staging.program(name, WAITS) for name in "abc"]
    async with staging.running(programs) as stage:
        await eventually(lambda: all(stage.said(name, "up") for name in "abc"))
        await stage.end()
        assert [name for name, line in stage.lines if line == "down"] == ["c", "b", "a"]


async def test_a_child_that_does_not_stop_is_killed_in_time(
    staging: Any, eventually: Eventually
) -> None:
    """A child that ignores SIGTERM holds the stop up no longer than it may."""
    async with staging.running([staging.program("deaf", DEAF, stop_within=0.2)]) as stage:
        await eventually(lambda: stage.said("deaf", "up"))
        await stage.end()
        assert stage.said("deaf", "did not stop in time and was killed")


async def test_a_second_signal_ends_the_waiting(staging: Any, eventually: Eventually) -> None:
    """In a hurry nothing is waited for."""
    async with staging.running([staging.program("deaf", DEAF, stop_within=600)]) as stage:
        await eventually(lambda: stage.said("deaf", "up"))
        stage.hurry.set()
        await stage.end()


async def test_a_refused_configuration_stops_all(staging: Any) -> None:
    """A child that exits with 2 is not started again; the others are stopped and it is named."""
    refuses = staging.program("worker", "raise SystemExit(2)")
    async with staging.running([staging.program("a", WAITS), refuses]) as stage:
        with pytest.raises(Refusal, match=r"^worker: refused its configuration"):
            await asyncio.wait_for(stage.task, 30)
        assert stage.pid("a") is None


async def test_a_child_that_never_gets_ready_stops_all(staging: Any) -> None:
    """Waiting for readiness is bounded, and the line says where to look."""

    async def never() -> bool:
        return False

    slow = staging.program("redis", WAITS, ready=never, ready_within=0.1, advice="see its log")
    async with staging.running([slow]) as stage:
        with pytest.raises(Refusal, match=r"^redis: not ready within 0 s; see its log$"):
            await asyncio.wait_for(stage.task, 30)
        assert stage.pid("redis") is None


async def test_a_child_dying_while_starting_is_tried_again(
    staging: Any, eventually: Eventually
) -> None:
    """The pauses between attempts grow."""
    async with staging.running([staging.program("a", "raise SystemExit(7)")]) as stage:
        await eventually(lambda: len(stage.words) >= 2)
        assert stage.words[:2] == [
            "a ended with exit code 7; starting it again in 0.5 s",
            "a ended with exit code 7; starting it again in 1 s",
        ]


async def test_a_very_long_line_does_not_end_the_listening(
    staging: Any, eventually: Eventually
) -> None:
    """A line longer than the buffer is passed on in pieces, and what follows it as well."""
    code = "print('x' * 200_000); print('after')"
    async with staging.running([staging.program("a", code)]) as stage:
        await eventually(lambda: stage.said("a", "after"))
        assert (
            sum(line.count("x") for _, line in stage.lines[: stage.lines.index(("a", "after"))])
            == 200_000
        )


async def test_an_absent_program_is_said_in_one_line(staging: Any, eventually: Eventually) -> None:
    """A command that does not exist gives a line with its name, not a traceback."""
    async with staging.running([Program("a", ("/nowhere/to-be-found",))]) as stage:
        await eventually(lambda: stage.words)
        assert stage.lines[0] == (
            "a",
            "/nowhere/to-be-found: cannot be started: No such file or directory",
        )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
async def test_children_never_outlive_a_killed_supervisor(eventually: Eventually) -> None:
    """When the supervisor is killed outright, the kernel ends its children."""
    code = """
import asyncio, sys
from ringpost.child import Program
from ringpost.supervisor import Supervisor
sleep = (sys.executable, '-c', 'import threading; print("up"); threading.Event().wait()')
def echo(name, line):
    print(supervisor.children['a'].pid, flush=True)
supervisor = Supervisor([Program('a', sleep, {'PYTHONUNBUFFERED': '1'})], echo, print)
asyncio.run(supervisor.run(asyncio.Event(), asyncio.Event()))
"""
    outer = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert outer.stdout is not None
    pid = int(await asyncio.to_thread(outer.stdout.readline))
    child = psutil.Process(pid)
    outer.kill()
    outer.wait()
    outer.stdout.close()

    def is_gone() -> bool:
        return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    await eventually(is_gone)
