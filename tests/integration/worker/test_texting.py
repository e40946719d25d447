"""Answers by text message on a running line: once, not to itself, and never after STOP."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.message import Message
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.handlers.context import DeliveryContext
from worker.handlers.egress import Egress
from worker.handlers.notes import MemoryNotes
from worker.handlers.reply import SmsReply
from worker.spool import Spool

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
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A 429 is over at once: the calls here wait for nothing."""
    async with RingCentral(penalty=0) as ringcentral:
        yield ringcentral


@pytest.fixture
async def line(line: ShortLine) -> ShortLine:
    await line.start_worker(configuration=CONFIGURATION + ANSWERING)
    return line


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


@pytest.fixture
def at_once() -> Iterator[None]:
    """The client's own repeats do not wait."""
    stamina.set_testing(True, attempts=3)
    yield
    stamina.set_testing(False)


async def test_no_answer_is_lost_or_doubled(
    ringcentral: RingCentral, store: MessageStore, tmp_path: Path, at_once: None
) -> None:
    """Though every third call fails, some of them after they were obeyed, each is sent once."""
    handler, notes = SmsReply(text="We are closed."), MemoryNotes()
    people = [f"+1650555{number:04}" for number in range(200, 240)]
    arrived = [await ringcentral.receives_sms("Hello", sender=person) for person in people]
    ringcentral.fails_every(3, seed=4)
    failures = 0
    for record in arrived:
        message = Message.model_validate(record)
        for attempt in range(1, 20):
            context = DeliveryContext(
                mailbox=Mailbox("~", "~"),
                message=message,
                route="answered",
                step="answer",
                attempt=attempt,
                store=store,
                spool=Spool(tmp_path, store),
                http=Egress(),
                notes=notes,
            )
            try:
                await handler.handle(message, context)
                break
            except RingCentralError:
                failures += 1
    ringcentral.recovers()
    sent = [one for one in ringcentral.messages() if one["direction"] == "Outbound"]
    assert Counter(one["to"][0]["phoneNumber"] for one in sent) == Counter(people)
    assert failures > len(people) / 8
