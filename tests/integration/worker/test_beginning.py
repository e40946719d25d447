"""Deliveries wait for a transcription, and run once for each sender, as their routes say."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import PrivateAttr

from message_store.client import MessageStore
from message_store.message import Message
from sandbox import RingCentral
from tests.support.mailman import Mailman
from worker.beginning import hold_back
from worker.configuration import load
from worker.delivery import Deliverer
from worker.handlers.contract import Context, Handler, PermanentError, TransientError
from worker.in_force import InForce
from worker.ledger import Ledger
from worker.ledger.records import Claim
from worker.started import StartedHandlers
from worker.watching import find

Eventually = Callable[..., Awaitable[Any]]

CONFIGURATION = """
[sync]
start = "2h"
[handlers.note]
use = "archive"
to = "file:///tmp/nowhere"
[[routes]]
name = "route"
{route}
steps = ["note"]
"""


class Notes(Handler):
    """Notes what it is called with; fails with each of `errors` first."""

    _seen: list[Message] = PrivateAttr(default_factory=list)
    _errors: list[Exception] = PrivateAttr(default_factory=list)

    async def handle(self, message: Message, context: Context) -> str:
        if self._errors:
            raise self._errors.pop(0)
        self._seen.append(message)
        return "noted"


class Line:
    """A mailbox that is synchronised and delivered by hand, with one route."""

    def __init__(self, store: MessageStore, ledger: Ledger, path: Path) -> None:
        self.mailman, self.notes = Mailman(store, ledger, path), Notes()
        self.routes = {route.name: route for route in load(path, {}).routes}
        in_force = InForce(self.routes, StartedHandlers({"note": self.notes}), [0.01] * 6)
        none: Any = lambda *_: None  # noqa: E731

        async def read_again(claim: Claim) -> Message:
            return await store.get(claim.mailbox, claim.message_id)

        self._parts = (ledger.deliveries, in_force, none, read_again, none)

    async def look(self) -> list[str]:
        """Synchronise and deliver what is due; the ids of all that was noted so far."""
        await self.mailman.synchronise()
        return await self.deliver()

    async def deliver(self) -> list[str]:
        await Deliverer(*self._parts).work()
        return [message.id for message in self.notes._seen]


@pytest.fixture
def line(store: MessageStore, ledger: Ledger, tmp_path: Path) -> Callable[[str], Line]:
    """`line('match.type = "Fax"')`: a line with this route."""

    def make(route: str) -> Line:
        path = tmp_path / "ringpost.toml"
        path.write_text(CONFIGURATION.format(route=route))
        return Line(store, ledger, path)

    return make


Make = Callable[[str], Line]


async def voicemail(ringcentral: RingCentral, **fields: Any) -> str:
    record = await ringcentral.receives_voicemail(**fields)
    await ringcentral.changes(record["id"], vmTranscriptionStatus="InProgress")
    return str(record["id"])


async def test_a_voicemail_waits_until_it_is_transcribed(
    ringcentral: RingCentral, ledger: Ledger, line: Make
) -> None:
    """Nothing runs, is claimed or counted before; then it runs at once, with the transcription."""
    made = line('wait.transcript = "10m"')
    id_ = await voicemail(ringcentral)
    assert await made.look() == []
    assert await made.look() == []
    assert (await ledger.overview()).counts == {}
    assert await ledger.connection.redis.zcard("ringpost:ledger:running") == 0

    await ringcentral.transcribes(id_, "Call me back")

    assert await made.look() == [id_]
    assert "AudioTranscription" in {part.type for part in made.notes._seen[0].attachments}
    assert (await ledger.overview()).counts == {"route": {"done": 1}}


async def test_a_transcription_that_fails_is_not_waited_for(
    ringcentral: RingCentral, line: Make
) -> None:
    """Once it is known that there will be none, the voicemail goes on without."""
    made = line('wait.transcript = "10m"')
    id_ = await voicemail(ringcentral)
    assert await made.look() == []
    await ringcentral.changes(id_, vmTranscriptionStatus="Failed")
    assert await made.look() == [id_]


async def test_a_transcription_that_comes_while_the_wait_begins_is_not_missed(
    ringcentral: RingCentral, ledger: Ledger, line: Make
) -> None:
    """A delivery that was claimed before and set to wait after it is due at once."""
    made = line('wait.transcript = "10m"')
    id_ = await voicemail(ringcentral)
    await made.mailman.synchronise()
    [claim] = await ledger.deliveries.claim(10)

    await ringcentral.transcribes(id_, "Call me back")
    await made.mailman.synchronise()
    message = Message.model_validate_json(claim.snapshot or "")
    wait = await hold_back(claim, made.routes["route"], message, ledger.deliveries.occasions)
    assert wait is not None
    await ledger.deliveries.settle(claim, due_in=wait)

    assert await made.deliver() == [id_]


async def test_the_wait_has_an_end(ringcentral: RingCentral, ledger: Ledger, line: Make) -> None:
    """It ends at a certain age of the voicemail, whenever that was first seen."""
    made, now = line('wait.transcript = "10m"'), time.time()
    old = await voicemail(ringcentral, created=now - 660)
    young = await voicemail(ringcentral, created=now - 240)

    assert await made.look() == [old]

    mailbox = (await ledger.mailboxes.watched())[0]
    due = dict(
        await ledger.connection.redis.zrange(
            f"ringpost:ledger:due:{mailbox}", 0, -1, withscores=True
        )
    )
    assert due == {f"{young}\troute": pytest.approx(now + 360, abs=5)}


async def test_what_is_not_transcribed_does_not_wait(ringcentral: RingCentral, line: Make) -> None:
    """Other messages, and voicemails that RingCentral leaves as they are, go on at once."""
    made = line('wait.transcript = "10m"')
    record = await ringcentral.receives_voicemail()
    await ringcentral.changes(record["id"], vmTranscriptionStatus="NotAvailable")
    other = await ringcentral.receives_sms()
    assert set(await made.look()) == {str(record["id"]), str(other["id"])}


async def test_words_of_a_transcription(ringcentral: RingCentral, line: Make) -> None:
    """A route finds words in a transcription, which is read when it is there."""
    made = line('on = "transcribed"\nmatch.transcription = "urgent"')
    urgent, other = await voicemail(ringcentral), await voicemail(ringcentral)
    assert await made.look() == []
    await ringcentral.transcribes(other, "Nothing special")
    await ringcentral.transcribes(urgent, "This is URGENT!")
    assert await made.look() == [urgent]


async def test_once_for_each_sender(ringcentral: RingCentral, ledger: Ledger, line: Make) -> None:
    """The first message of each sender is delivered; others are done without a step."""
    made = line('once_per = "1d"')
    first = await ringcentral.receives_sms(sender="+16505550100")
    assert await made.look() == [str(first["id"])]

    await ringcentral.receives_sms(sender="+16505550100")
    other = await ringcentral.receives_sms(sender="+16505550199")

    assert await made.look() == [str(first["id"]), str(other["id"])]
    assert (await ledger.overview()).counts == {"route": {"done": 3}}
    assert await made.look() == [str(first["id"]), str(other["id"])]
    [key, _] = [key async for key in ledger.connection.redis.scan_iter("*:occasion:*")]
    assert 86000 < await ledger.connection.redis.ttl(key) <= 86400
    assert "555" not in key


async def test_a_retry_is_no_second_time(
    ringcentral: RingCentral, ledger: Ledger, line: Make, eventually: Eventually
) -> None:
    """The first message of a sender has its retries, even if it failed and is replayed."""
    made = line('once_per = "1d"')
    made.notes._errors = [TransientError("busy"), PermanentError("no")]
    first = await ringcentral.receives_sms(sender="+16505550100")
    await made.look()

    async def failed() -> bool:
        await made.deliver()
        return bool(await ledger.failures())

    await eventually(failed)
    assert await ledger.replay() == 1
    assert await made.deliver() == [str(first["id"])]


async def test_an_extension_by_its_number(
    ringcentral: RingCentral, ledger: Ledger, store: MessageStore, line: Make
) -> None:
    """A route finds the messages of an extension by what people call it."""
    found = await find(store, ["~"])
    number, name = found.names[found.own]
    assert number
    assert name
    made = line(f'match.extension = "{number}"\nif = "extension.name == \'{name}\'"')
    await ledger.extensions.save(found.names)
    record = await ringcentral.receives_sms()
    assert await made.look() == [str(record["id"])]


async def test_what_has_begun_goes_on(ringcentral: RingCentral, ledger: Ledger, line: Make) -> None:
    """A worker that dies right after it took the occasion has it; so has one whose time is over."""
    made = line('once_per = "1d"')
    await ringcentral.receives_sms(sender="+16505550100")
    await made.mailman.synchronise()
    [claim] = await ledger.deliveries.claim(10)
    message, redis = Message.model_validate_json(claim.snapshot or ""), ledger.connection.redis

    async def state() -> str:
        occasions = ledger.deliveries.occasions
        assert await hold_back(claim, made.routes["route"], message, occasions) is None
        return claim.delivery.state

    assert [await state(), await state()] == ["due", "due"]
    [key] = [key async for key in redis.scan_iter("*:occasion:*")]
    await redis.set(key, "another message")
    claim.delivery.step = "note"
    assert await state() == "due"
    claim.delivery.step = None
    assert await state() == "done"


async def test_the_time_of_what_happened(
    ringcentral: RingCentral, store: MessageStore, line: Make
) -> None:
    """For a route on `read`, the time is that of the reading."""
    made = line('on = "read"\nif = "at > message.created + duration(\'60s\')"')
    record = await ringcentral.receives_sms(created=time.time() - 240)
    assert await made.look() == []
    await store.set_read_status(await store.signed_in(), [str(record["id"])], "Read")
    assert await made.look() == [str(record["id"])]
