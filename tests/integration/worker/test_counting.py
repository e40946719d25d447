"""What a worker counts on the whole line: calls, syncs, messages, steps and delays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from metrics.catalogue import COUNTS
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.ledger import open_ledger


@pytest.fixture
async def line(
    ringcentral: RingCentral, redis_url: str, tmp_path: Path
) -> AsyncIterator[ShortLine]:
    line = ShortLine(ringcentral, redis_url, tmp_path)
    yield line
    await line.stop()


async def test_the_whole_line_is_counted_and_handed_on(
    line: ShortLine, ringcentral: RingCentral, redis_url: str, eventually: Eventually
) -> None:
    """A message is counted at every stage, and a worker that stops hands its counts on."""
    COUNTS.take()
    await line.start_webhook()
    await line.start_worker(
        configuration=CONFIGURATION.replace('["vault"]', '["vault", "mark-read"]')
    )
    await eventually(line.is_covered)
    await eventually(line.is_quiet)
    message = await ringcentral.receives_sms("counted")
    await eventually(lambda: line.is_delivered(message))
    await eventually(lambda: ringcentral.message(str(message["id"]))["readStatus"] == "Read")
    await line.stop_worker()
    async with open_ledger(redis_url) as ledger:
        found = await ledger.metrics.read()
    assert found["ringpost_messages_total\tnew"] == 1
    assert found["ringpost_steps_total\tvault\tdone"] == 1
    assert found["ringpost_steps_total\tmark-read\tdone"] == 1
    assert found["ringpost_syncs_total\tdone"] >= 2
    assert found["ringpost_calls_total\tlight\t200"] >= 2
    assert found["ringpost_step_seconds\tvault\tsum"] > 0
    for stage in ("seen", "first_step", "delivered"):
        sum_ = found[f"ringpost_stage_delay_seconds\t{stage}\tsum"]
        assert 0 <= sum_ < 30, stage
