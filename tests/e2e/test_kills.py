"""Processes are killed while they work; nothing is lost and no recorded step repeated."""

import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox import RingCentral
from tests.chaos.points import WEBHOOK_POINTS, Point
from tests.support.line import Line, answers
from tests.support.waiting import Eventually

ROOT = Path(__file__).parents[2]
WITH_POINTS = """
from tests.chaos import crash
from webhook.__main__ import main
crash.install()
main()
"""
Start = Callable[[], Awaitable[None]]


async def test_worker_killed_in_the_middle_of_a_delivery(
    line: Line, started: Start, ringcentral: RingCentral, tmp_path: Path, eventually: Eventually
) -> None:
    """Another worker takes the delivery up at the step that was not recorded."""
    line.configure(
        f"""
[handlers.first]
use = "gate:Gate"
notes = "{tmp_path}/first"
[handlers.second]
use = "gate:Gate"
notes = "{tmp_path}/second"
gate = "{tmp_path}/open"
[[routes]]
name = "two steps"
steps = ["vault", "first", "second", "mark-read"]
"""
    )
    await started()
    fax = await ringcentral.receives_fax()
    await eventually((tmp_path / "second").exists)

    line.kill("worker")
    (tmp_path / "open").touch()
    line.start("worker")

    await eventually(lambda: line.is_read(fax["id"]))
    assert (tmp_path / "first").read_text().split() == [str(fax["id"])]
    assert (tmp_path / "second").read_text().split() == [str(fax["id"])] * 2
    assert ringcentral.count("readMessageContent") == 1
    assert len(line.archived()) == 1


async def test_worker_killed_before_it_synchronises(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """What arrives while no worker lives is delivered when one starts."""
    line.configure('[[routes]]\nname = "kept"\nsteps = ["vault"]\n')
    await started()
    line.kill("worker")

    for number in range(20):
        await ringcentral.receives_sms(f"number {number}")
    line.start("worker")

    await eventually(lambda: len(line.archived()) == 20)


async def test_webhook_killed(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """What arrives while the webhook is away is delivered by the sweep."""
    line.configure('[[routes]]\nname = "kept"\nsteps = ["vault"]\n', sweep="3s")
    await started()
    line.kill("webhook")

    await ringcentral.receives_sms("nobody heard")

    await eventually(line.archived)


@pytest.mark.parametrize("point", WEBHOOK_POINTS, ids=lambda point: point.name)
async def test_webhook_killed_exactly_there(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    tmp_path: Path,
    eventually: Eventually,
    point: Point,
) -> None:
    """Whether its hint was in the queue already or not, the message is delivered, once."""
    line.configure('[[routes]]\nname = "kept"\nsteps = ["vault"]\n', sweep="3s")
    program = (
        "from tests.chaos import crash; crash.install(); import webhook.__main__ as it; it.main()"
    )
    line.commands["webhook"] = (sys.executable, "-c", program)
    line.environment["CRASH_AT"] = str(tmp_path / "crash-at")
    line.environment["PYTHONPATH"] += f":{ROOT}"
    await started()
    (tmp_path / "crash-at").write_text(point.name)

    await ringcentral.receives_sms("nobody answers")

    await eventually(lambda: line.processes["webhook"].poll() == -signal.SIGKILL)
    await eventually(line.archived)
    assert ringcentral.notifications[-1].outcome != "delivered"
    line.start("webhook")
    await eventually(lambda: answers(line.webhook_url))
    await ringcentral.receives_sms("somebody does")
    await eventually(lambda: len(line.archived()) == 2)
    # the sweep may have been faster
    await eventually(lambda: ringcentral.notifications[-1].outcome == "delivered")


async def test_a_stop_cuts_no_step(
    line: Line, started: Start, ringcentral: RingCentral, tmp_path: Path, eventually: Eventually
) -> None:
    """A worker that is told to stop lets a step end, records it, and leaves the rest due."""
    line.configure(
        f"""
[handlers.first]
use = "gate:Gate"
notes = "{tmp_path}/first"
gate = "{tmp_path}/open"
[handlers.second]
use = "gate:Gate"
notes = "{tmp_path}/second"
[[routes]]
name = "two steps"
steps = ["first", "second", "mark-read"]
"""
    )
    await started()
    sms = await ringcentral.receives_sms("hold on")
    await eventually((tmp_path / "first").exists)

    line.processes["worker"].terminate()
    (tmp_path / "open").touch()
    await eventually(lambda: line.processes["worker"].poll() is not None)
    assert line.processes["worker"].returncode == 0
    line.start("worker")

    await eventually(lambda: line.is_read(sms["id"]))
    assert (tmp_path / "first").read_text().split() == [str(sms["id"])]
    assert (tmp_path / "second").read_text().split() == [str(sms["id"])]
