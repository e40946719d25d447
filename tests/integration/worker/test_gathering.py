"""Messages that go out together: once, whole, and recorded when they have."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import PrivateAttr

from message_store.mailbox import Mailbox
from message_store.message import Message
from tests.support.waiting import Eventually
from worker import gathering
from worker.attempts import StepAddress
from worker.delivery import Deliverer
from worker.gathering import Gathering
from worker.handlers.conformance_cases import SMS
from worker.handlers.conformance_fakes import FakeNetwork, FakeStore
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import (
    Context,
    Handler,
    Outcome,
    PermanentError,
    TransientError,
)
from worker.in_force import InForce
from worker.ledger import Ledger, gatherings, open_ledger
from worker.ledger.holding import BlockingHold
from worker.ledger.mailboxes import Changed, Happened, Page
from worker.ledger.records import Claim
from worker.routes import Route
from worker.spool import Spool
from worker.standstill import Standstill
from worker.started import StartedHandlers

Arrive = Callable[..., Awaitable[None]]


class Hear(Handler):
    """Writes down what was said."""

    async def handle(self, message: Message, _context: Context) -> Outcome:
        return Outcome("heard", f"words of {message.id}")


class Together(Handler):
    """Has all messages sent together; notes them by the identity they are sent under."""

    _due: float = PrivateAttr(default=0)
    _sent: list[tuple[str, set[str]]] = PrivateAttr(default_factory=list)
    _said: set[str | None] = PrivateAttr(default_factory=set)
    _errors: list[BaseException] = PrivateAttr(default_factory=list)

    async def handle(self, message: Message, context: Context) -> str:
        return await context.together("all", datetime.fromtimestamp(self._due, UTC), self._send)

    async def _send(self, messages: Sequence[tuple[Message, Context]], identity: str) -> str:
        self._sent.append((identity, {message.id for message, _ in messages}))
        assert len({context.idempotency_key for _, context in messages}) == len(messages)
        self._said |= {message.transcription for message, _ in messages}
        await asyncio.sleep(0.05)
        if self._errors:
            raise self._errors.pop(0)
        return f"{len(messages)} together"


class AmendedTogether(Together):
    """The same; what happens later waits until the message itself has gone out."""

    async def amend(self, message: Message, context: Context) -> str:
        return await self.handle(message, context)


class Bench:
    """Deliverers with the steps `hear` and `mail` on the route `route`."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.handler = AmendedTogether()
        self._folder = folder
        self.deliverer = self.another()

    def another(self, capacity: int = 50) -> Deliverer:
        return Deliverer(
            self.ledger.deliveries,
            InForce(
                {
                    "route": Route(
                        name="route", on=("created", "transcribed"), steps=("hear", "mail")
                    )
                },
                StartedHandlers({"hear": Hear(), "mail": self.handler}),
                [0.01] * 6,
            ),
            self._context,
            self._read_again,
            lambda *_: None,
            capacity,
        )

    def due_in(self, seconds: float) -> None:
        self.handler._due = time.time() + seconds

    async def is_over(self) -> bool:
        """Work once; whether nothing is open any more."""
        await self.deliverer.work()
        overview = await self.ledger.overview()
        return overview.due == overview.running == 0

    async def sent(self, times: int) -> bool:
        """Work once; whether there were so many sendings."""
        await self.deliverer.work()
        return len(self.handler._sent) == times

    async def transcribed(self, mailbox: Mailbox, id_: str) -> None:
        """RingCentral has written the transcription of a message that came before."""
        await self.ledger.connection.redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started")
        lease = await self.ledger.mailboxes.claim(mailbox)
        assert lease is not None
        snapshot = f'{{"id": {id_}, "vmTranscriptionStatus": "Completed"}}'
        news = [Happened("transcribed", ["route"], "2026-01-01T00:00:00Z")]
        page = Page(updated=[Changed(id_, "print", "other", snapshot, news)], token="t")
        assert await self.ledger.mailboxes.commit(lease, page)
        await self.ledger.mailboxes.finish(lease, 900)

    async def counts(self) -> dict[str, int]:
        return (await self.ledger.overview()).counts.get("route", {})

    def _context(self, step: StepAddress) -> DeliveryContext:
        store = FakeStore(SMS)
        return DeliveryContext(
            mailbox=step.mailbox,
            message=step.message,
            route=step.route,
            step=step.step,
            attempt=step.attempt,
            on=step.on,
            at=step.at,
            amends=step.amends,
            store=store,
            spool=Spool(self._folder, store),
            http=FakeNetwork(),
            gathering=Gathering(self.ledger),
        )

    async def _read_again(self, claim: Claim) -> Message:
        return Message(id=claim.message_id)


@pytest.fixture
def bench(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(gathering, "LOOK_AGAIN_SECONDS", 0.2)
    monkeypatch.setattr(gatherings, "SETBACK_SECONDS", 0.6)
    return Bench(ledger, tmp_path)


async def test_they_wait_for_their_time(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """Until then all are open, late by no measure; then one sending does for all of them."""
    bench.due_in(2)
    await arrive(mailbox, "1", "2", "3")
    await bench.deliverer.work()
    overview = await bench.ledger.overview()
    assert (overview.due, overview.running, bench.handler._sent) == (3, 0, [])
    assert await bench.ledger.oldest_undelivered() is None
    bench.due_in(100)  # whoever comes now is too late for theirs, and does not move it
    await arrive(mailbox, "4")

    async def three_are_done() -> bool:
        await bench.deliverer.work()
        return await bench.counts() == {"done": 3}

    await eventually(three_are_done)
    assert [ids for _, ids in bench.handler._sent] == [{"1", "2", "3"}]
    assert bench.handler._said == {"words of 1", "words of 2", "words of 3"}
    assert (await bench.ledger.overview()).due == 1


async def test_a_transcription_that_comes_before_its_time(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """It goes out with the message; the day after there is nothing more to tell."""
    bench.due_in(2)
    await arrive(mailbox, "1", "2")
    await bench.deliverer.work()
    await bench.transcribed(mailbox, "1")
    await bench.deliverer.work()
    redis = bench.ledger.connection.redis
    amendment = await redis.zscore(f"ringpost:ledger:due:{mailbox}", "1\troute\ttranscribed")
    assert amendment > bench.handler._due - 1  # until then it costs no claim
    await eventually(lambda: bench.sent(1))
    bench.due_in(100)
    await eventually(bench.is_over)
    assert [ids for _, ids in bench.handler._sent] == [{"1", "2"}]
    assert (await bench.ledger.overview()).counts == {
        "route": {"done": 2},
        "route (transcribed)": {"done": 1},
    }


async def test_a_transcription_that_comes_later(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """It was not in what went out, so it goes out the next time."""
    bench.due_in(1)
    await arrive(mailbox, "1")
    await eventually(lambda: bench.sent(1))
    bench.due_in(1)
    await bench.transcribed(mailbox, "1")
    await eventually(lambda: bench.sent(2))
    assert [ids for _, ids in bench.handler._sent] == [{"1"}, {"1"}]


async def test_two_workers_send_once(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """Of many deliveries in two workers at the same moment, one sends."""
    bench.due_in(1)
    await arrive(mailbox, *map(str, range(1, 31)))
    other = bench.another()

    async def is_over() -> bool:
        await other.work()
        return await bench.is_over()

    await eventually(is_over)
    assert [len(ids) for _, ids in bench.handler._sent] == [30]
    assert await bench.counts() == {"done": 30}
    redis = bench.ledger.connection.redis
    left = [await redis.ttl(key) for key in await redis.keys("ringpost:ledger:gathered:*")]
    assert len([seconds for seconds in left if seconds > 86_400]) == 1  # the one that sent


class Blocking(AmendedTogether):
    """Sends with a library that knows no `await`."""

    _begun: threading.Event = PrivateAttr(default_factory=threading.Event)
    _over: threading.Event = PrivateAttr(default_factory=threading.Event)

    async def _send(self, messages: Sequence[tuple[Message, Context]], identity: str) -> str:
        self._sent.append((identity, {message.id for message, _ in messages}))
        self._begun.set()
        assert self._over.wait(60)
        return f"{len(messages)} together"


async def test_a_worker_that_is_blocked_while_it_sends(
    bench: Bench,
    arrive: Arrive,
    mailbox: Mailbox,
    eventually: Eventually,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another one waits, though the loop that would renew the lease stands still for longer."""
    monkeypatch.setattr(gathering, "_LEASE_SECONDS", 2.0)
    bench.due_in(1)
    await arrive(mailbox, "1", "2", "3")
    blocking = Blocking()
    blocking._due = bench.handler._due
    held = [0]

    async def blocked() -> None:
        async with open_ledger(redis_url, lease_seconds=30) as ledger:
            other, hold = Bench(ledger, tmp_path), BlockingHold(redis_url, 30)
            other.handler = blocking

            def hold_on() -> None:
                held[0] += 1
                hold.renew(deliverer.claims, list(ledger.leases))

            deliverer = other.another(capacity=1)
            watch = Standstill(hold_on, 2.0)
            while not blocking._sent:
                await deliverer.work()
                await asyncio.sleep(0.01)
            watch.stop()
            hold.close()

    worker = asyncio.create_task(asyncio.to_thread(asyncio.run, blocked()))
    assert await asyncio.to_thread(blocking._begun.wait, 60)

    async def has_stood_still() -> bool:
        await bench.deliverer.work()
        return held[0] >= 4

    await eventually(has_stood_still)
    blocking._over.set()
    await worker
    await eventually(bench.is_over)
    assert [ids for _, ids in blocking._sent] == [{"1", "2", "3"}]
    assert bench.handler._sent == []


async def test_a_copy_that_cannot_be_read(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """Nobody says that a message has gone out which has not: it goes when it is read again."""
    bench.due_in(1)
    await arrive(mailbox, "1", "2", "3")
    redis = bench.ledger.connection.redis
    await redis.hset(f"ringpost:ledger:message:{mailbox}:2", "message", "garbage")
    await eventually(bench.is_over)
    sent = [id_ for _, ids in bench.handler._sent for id_ in ids]
    assert sorted(sent) == ["1", "2", "3"]
    assert await bench.counts() == {"done": 3}


@pytest.mark.parametrize("late", [[], ["3"]])
async def test_killed_before_it_is_recorded(
    bench: Bench,
    arrive: Arrive,
    mailbox: Mailbox,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    late: list[str],
) -> None:
    """The same messages are sent once more under the same identity, with others under another.

    A mail server that drops what it takes for a repeat would drop what has not gone out.
    """
    bench.due_in(1)
    await arrive(mailbox, "1", "2")
    record = bench.ledger.gatherings.record

    async def killed(*_: object) -> None:
        monkeypatch.setattr(bench.ledger.gatherings, "record", record)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    monkeypatch.setattr(bench.ledger.gatherings, "record", killed)
    lease = bench.ledger.deliveries

    async def is_killed() -> bool:
        await bench.deliverer.work()
        return bool(bench.handler._sent)

    await eventually(is_killed)
    if late:
        await arrive(mailbox, *late)

    async def is_over() -> bool:
        redis = bench.ledger.connection.redis
        members = await redis.zrange("ringpost:ledger:running", 0, -1)
        if members:  # the claim of the one that was killed lapses
            await redis.zadd("ringpost:ledger:running", dict.fromkeys(members, 0))
            await lease.reclaim_lapsed()
        return await bench.is_over()

    await eventually(is_over)
    first, second = bench.handler._sent
    assert second[1] == first[1] | set(late)
    assert (second[0] == first[0]) is not bool(late)
    assert await bench.counts() == {"done": 2 + len(late)}


async def test_a_failure_for_now(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """The others wait a moment instead of trying too, and nobody has failed."""
    bench.handler._errors = [TransientError("busy")]
    bench.due_in(1)
    await arrive(mailbox, *map(str, range(1, 11)))
    await eventually(bench.is_over)
    assert len(bench.handler._sent) == 2
    assert bench.handler._sent[0] == bench.handler._sent[1]
    assert await bench.counts() == {"done": 10}


async def test_a_failure_for_good(
    bench: Bench, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """All fail with the same reason after one try, and are replayed together."""
    bench.handler._errors = [PermanentError("no such address")]
    bench.due_in(1)
    await arrive(mailbox, "1", "2", "3")
    await eventually(bench.is_over)
    assert {record.reason for record in await bench.ledger.failures()} == {"no such address"}
    assert len(bench.handler._sent) == 1

    async def is_forgotten() -> bool:
        return not await bench.ledger.connection.redis.keys("*:setback")

    await eventually(is_forgotten)
    await bench.ledger.replay()
    await eventually(bench.is_over)
    assert [ids for _, ids in bench.handler._sent] == [{"1", "2", "3"}] * 2
    assert await bench.ledger.failures() == []
