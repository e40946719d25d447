"""Answers by text message on a running line: once, not to itself, and never after STOP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually

ANSWERING = """
[handlers.answer]
use = "reply"
text = "We are closed."
once_per = "1s"
[[routes]]
name = "answered"
match.type = "SMS"
steps = ["answer"]
"""
STRANGER, OTHER = "+16505550199", "+16505550188"


@pytest.fixture
async def line(
    ringcentral: RingCentral, redis_url: str, tmp_path: Path
) -> AsyncIterator[ShortLine]:
    line = ShortLine(ringcentral, redis_url, tmp_path)
    await line.start_webhook()
    await line.start_worker(configuration=CONFIGURATION + ANSWERING)
    yield line
    await line.stop()


async def test_answers(line: ShortLine, ringcentral: RingCentral, eventually: Eventually) -> None:
    """A text is answered; the answer, which comes by the same route, is not; nor is who stopped."""

    def answered() -> list[str]:
        messages = ringcentral.messages()
        sent = [message for message in messages if message["direction"] == "Outbound"]
        return [message["to"][0]["phoneNumber"] for message in sent]

    await eventually(line.is_covered)
    await ringcentral.receives_sms("Are you open?", sender=STRANGER)
    await eventually(lambda: answered() == [STRANGER])
    await eventually(lambda: all(map(line.is_delivered, ringcentral.messages())))

    stop = await ringcentral.receives_sms("STOP", sender=STRANGER)
    await eventually(lambda: line.is_delivered(stop))
    again = await ringcentral.receives_sms("Hello?", sender=STRANGER)
    await ringcentral.receives_sms("Are you open?", sender=OTHER)
    await eventually(lambda: OTHER in answered())
    await eventually(lambda: line.is_delivered(again))
    assert sorted(answered()) == [OTHER, STRANGER]
