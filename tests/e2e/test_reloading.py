"""Worker processes take up a changed file, and `ringpost status` says what is in force."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sandbox import RingCentral
from tests.support.line import Line
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]
FIRST = '[[routes]]\nname = "kept"\nsteps = ["vault"]\n'
SECOND = (
    '[handlers.other]\nuse = "archive"\nto = "file://{data}/other"\n'
    '[[routes]]\nname = "also kept"\nsteps = ["other"]\n'
)


async def test_a_file_is_changed_and_then_broken(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """The process is the same all the time, and a message is never without its routes."""

    def kept(folder: str, message_id: object) -> list[Path]:
        return list(line.data.glob(f"{folder}/*/*/*/*/*/*-{message_id}/manifest.json"))

    line.configure(FIRST)
    await started()
    line.configure(FIRST + SECOND)
    await eventually(lambda: "configuration taken up" in line.log.read_text())
    first = await ringcentral.receives_sms()
    await eventually(lambda: kept("archive", first["id"]) and kept("other", first["id"]))

    line.configure(FIRST + SECOND.replace("steps", "stepps"))
    await eventually(lambda: "configuration refused" in line.log.read_text())
    second = await ringcentral.receives_sms()
    await eventually(lambda: kept("other", second["id"]))
    status = [sys.executable, "-m", "ringpost", "status"]
    options: Any = {"cwd": line.data, "env": line.environment, "text": True, "check": True}
    shown = await asyncio.to_thread(lambda: subprocess.run(status, capture_output=True, **options))

    assert "configuration" in shown.stdout.splitlines()[0]
    assert "the configuration as it is now is refused: " in shown.stdout
    assert '"stepps": unknown key; did you mean "steps"?' in shown.stdout
    assert line.log.read_text().count("configuration refused") == 1
    assert line.processes["worker"].poll() is None
