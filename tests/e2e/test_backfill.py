"""Years of old messages behind live traffic, with a worker that is killed in the middle."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from sandbox import RingCentral
from tests.support.line import Line
from tests.support.waiting import Eventually

OLD = 300
BULK_AT_ONCE = 10
# So many calls of a handler that has not answered yet.
AT_THE_GATE = 5

Start = Callable[[], Awaitable[None]]


async def test_old_messages_come_behind_live_ones_whatever_is_killed(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    redis_url: str,
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    """A live message overtakes hundreds; after a kill the rest comes, and nothing twice.

    Only what was being delivered when the worker was killed is delivered again.
    """
    now = datetime.now(UTC).timestamp()
    for age in range(OLD):
        await ringcentral.receives_sms("old", created=now - 86_400 * (age + 1))
    notes, gate = tmp_path / "notes", tmp_path / "open"
    line.configure(
        f"""
[handlers.gate]
use = "gate:Gate"
notes = "{notes}"
gate = "{gate}"
[[routes]]
name = "old"
match.text = "old"
steps = ["gate", "vault"]
[[routes]]
name = "live"
match.text = "live"
steps = ["vault"]
"""
    )
    await started()
    async with _following(line) as following:
        await eventually(lambda: notes.exists() and len(_noted(notes)) >= AT_THE_GATE)

        await ringcentral.receives_sms("live")
        await eventually(lambda: len(line.archived()) == 1)
        line.kill("worker")
        with redis.Redis.from_url(redis_url) as client:  # its lease would last for a while yet
            client.pexpire("ringpost:ledger:lease:backfill", 500)
        gate.touch()
        line.start("worker")

        out, _ = await asyncio.wait_for(following.communicate(), 100)
    told: dict[str, Any] = json.loads(out)
    assert (told["state"], told["admitted"], told["open"]) == ("done", OLD, 0)
    await eventually(lambda: len(line.archived()) == OLD + 1)
    times = Counter(_noted(notes))
    assert len(times) == OLD
    assert sum(times.values()) - OLD <= BULK_AT_ONCE


@asynccontextmanager
async def _following(line: Line) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command that asks for the backfill and follows it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "backfill", "--since", "1y", "--json"),
        cwd=line.data,
        env=line.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def _noted(notes: Path) -> list[str]:
    return notes.read_text().split()
