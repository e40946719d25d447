"""Deliveries go step by step, retry what may be cured, and never repeat a recorded step."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import PrivateAttr

from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from tests.support.delivering import Line, Recorder
from worker.handlers.contract import (
    Context,
    Handler,
    Outcome,
    PermanentError,
    TransientError,
)
from worker.ledger import Admitted, Ledger, open_ledger
from worker.ledger.mailboxes import Happened, Page, Seen, SyncLease
from worker.ledger.records import Delivery
from worker.together import cancel_all

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]


@pytest.fixture
def line(ledger: Ledger) -> Line:
    return Line(ledger)


async def test_all_steps_in_order(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """Each due message goes through every step of its route and is settled."""
    await arrive(mailbox, *map(str, range(1, 121)))

    await line.deliverer.work()

    assert len(line.first._calls) == len(line.second._calls) == 120
    assert len(line.settled) == 120
    assert (await ledger.overview()).counts == {"route": {"done": 120}}


async def test_a_retry_skips_recorded_steps(
    arrive: Arrive, mailbox: Mailbox, line: Line, eventually: Eventually
) -> None:
    """After a transient failure the first step is not repeated."""
    line.second._errors = [TransientError("busy")]
    await arrive(mailbox, "1")

    async def settled() -> bool:
        await line.deliverer.work()
        return bool(line.settled)

    await eventually(settled)
    assert (line.first._calls, line.second._calls) == (["1"], ["1", "1"])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermanentError("no such room"), "no such room"),
        (KeyError("bug"), "KeyError (delivering.py:"),
    ],
)
async def test_what_cannot_be_cured_fails(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, error: Exception, reason: str
) -> None:
    """A permanent error or a bug in a handler is listed at once with step and reason."""
    line.second._errors = [error]
    await arrive(mailbox, "1")

    await line.deliverer.work()

    [failure] = await ledger.failures()
    assert failure.step == "second"
    assert (failure.reason or "").startswith(reason)
    assert failure.done == {"first": "noted"}


@pytest.mark.parametrize(
    "error", [TransientError("busy"), ConnectionResetError("gone"), TimeoutError()]
)
async def test_what_may_be_cured_waits(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, error: Exception
) -> None:
    """A busy destination, a broken connection, a timeout: due again later, counted."""
    line.first._errors = [error]
    await arrive(mailbox, "1")

    await line.deliverer.work()

    overview = await ledger.overview()
    assert (overview.due, overview.running, overview.failed) == (1, 0, 0)


async def test_retries_end(
    arrive: Arrive, mailbox: Mailbox, line: Line, ledger: Ledger, eventually: Eventually
) -> None:
    """After the last retry of the schedule the delivery has failed."""
    line.first._errors = [TransientError("busy") for _ in range(20)]
    await arrive(mailbox, "1")

    async def failed() -> bool:
        await line.deliverer.work()
        return bool(await ledger.failures())

    await eventually(failed)
    assert len(line.first._calls) == 7


async def test_a_rate_limit_counts_no_attempt(
    arrive: Arrive, mailbox: Mailbox, line: Line, eventually: Eventually
) -> None:
    """A delivery held up by RingCentral's limits is never given up for it."""
    line.first._errors = [RateLimited("slow down", retry_after=0.001) for _ in range(20)]
    await arrive(mailbox, "1")

    async def settled() -> bool:
        await line.deliverer.work()
        return bool(line.settled)

    await eventually(settled)


async def test_none_waits_for_the_slowest(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, eventually: Eventually
) -> None:
    """While one delivery hangs, one that comes later is delivered."""
    held = line.first._held = asyncio.Event()
    await arrive(mailbox, "1")
    hanging = asyncio.create_task(line.deliverer.work())
    await eventually(lambda: line.first._calls == ["1"])
    line.first._held = None

    await arrive(Mailbox("1", "1"), "2")
    await line.deliverer.work()

    await eventually(lambda: line.settled == ["2"])
    held.set()
    await hanging
    assert line.settled == ["2", "1"]


async def test_a_stopping_worker_gives_back(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, eventually: Eventually
) -> None:
    """What is under way when a worker stops is due at once for the next."""
    line.first._held = asyncio.Event()
    await arrive(mailbox, "1")
    working = asyncio.create_task(line.deliverer.work())
    await eventually(lambda: line.first._calls == ["1"])

    await line.deliverer.release()

    assert len(await ledger.deliveries.claim(10)) == 1
    await cancel_all([working])


async def test_closing_steps_wait(ledger: Ledger, arrive: Arrive, mailbox: Mailbox) -> None:
    """A closing step is gathered, not done, when the others are through."""
    line = Line(ledger, steps=("first", "last"))
    await arrive(mailbox, "1")

    await line.deliverer.work()

    assert (await ledger.overview()).waiting == 1
    assert line.settled == ["1"]  # the files are no longer needed


async def test_a_vanished_route_is_skipped(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """A delivery whose route is no longer configured is skipped and counted."""
    await arrive(mailbox, "1", routes=("gone",))

    await line.deliverer.work()

    assert (await ledger.overview()).counts == {"gone": {"skipped": 1}}


async def test_a_handler_is_told_what_happened(
    ledger: Ledger, mailbox: Mailbox, lease: SyncLease
) -> None:
    """The context is made for what the delivery is on, and when that was."""
    line = Line(ledger, steps=("first",))
    news = [Happened("created", ["route"]), Happened("read", ["route"], "2026-01-01T00:00:00Z")]
    page = Page(created=[Seen("1", 1.0, "print", '{"id": 1}', news)], token="t")
    await ledger.mailboxes.commit(lease, page)

    await line.deliverer.work()

    assert {(address.on, address.at) for address in line.addresses} == {
        ("created", None),
        ("read", "2026-01-01T00:00:00Z"),
    }
    assert (await ledger.overview()).counts == {"route": {"done": 1}, "route (read)": {"done": 1}}


async def test_bulk_goes_on_while_there_is_some(
    ledger: Ledger, mailbox: Mailbox, line: Line
) -> None:
    """One call delivers all that is due in bulk, few at a time."""
    deliveries = {("route", "created"): Delivery()}
    old = [Admitted(str(n), n, "print", f'{{"id": {n}}}', deliveries) for n in range(1, 61)]
    await ledger.deliveries.admit(mailbox, old)

    await line.deliverer.work()

    assert len(line.settled) == 60


async def test_what_a_step_adds_is_seen_by_the_later_ones(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, eventually: Eventually
) -> None:
    """It is kept: a later step that is tried again sees it, and nobody transcribes twice."""

    class Transcriber(Handler):
        _calls: list[str] = PrivateAttr(default_factory=list)

        async def handle(self, message: Message, context: Context) -> Outcome:
            self._calls.append(message.id)
            return Outcome("transcribed", "Hello " * 100_000)

    class Reader(Recorder):
        async def handle(self, message: Message, context: Context) -> str:
            self._calls.append((message.transcription or "")[:5])
            if len(self._calls) == 1:
                raise TransientError("busy", only_this=True)
            assert len(message.transcription or "") == 100_000
            return "read"

    first, second = Transcriber(), Reader()
    line.go_by({"first": first, "second": second})
    await arrive(mailbox, "1")

    async def settled() -> bool:
        await line.deliverer.work()
        return bool(line.settled)

    await eventually(settled)
    assert (first._calls, second._calls) == (["1"], ["Hello", "Hello"])


@pytest.mark.parametrize("renewed_first", [False, True])
async def test_a_worker_that_stood_still_leaves_alone_what_another_took_over(
    redis_url: str,
    arrive: Arrive,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    renewed_first: bool,
) -> None:
    """What another worker has done meanwhile is not done again, whether it renews or goes on."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as still, open_ledger(redis_url) as lively:
        slow, other = Line(still), Line(lively)

        async def stand_still(*_: Any) -> None:
            monkeypatch.undo()
            await still.deliveries.reclaim_lapsed()
            await other.deliverer.work()
            if renewed_first:
                still.deliveries.lease_seconds = 30.0
                await still.deliveries.renew(slow.deliverer.claims)

        monkeypatch.setattr("worker.steps.hold_back", stand_still)
        await slow.deliverer.work()

    assert (other.first._calls, other.second._calls) == (["1"], ["1"])
    assert (slow.first._calls, slow.second._calls) == ([], [])


async def test_what_another_took_over_is_stopped(
    redis_url: str, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """A step that waits for its turn does not come to it after another worker has done it."""
    await arrive(mailbox, "1", "2")
    async with open_ledger(redis_url, lease_seconds=0) as still, open_ledger(redis_url) as lively:
        slow, other = Line(still), Line(lively)
        slow.first._held = asyncio.Event()
        working = asyncio.create_task(slow.deliverer.work())
        await eventually(lambda: len(slow.first._calls) == 2)
        await still.deliveries.reclaim_lapsed()
        await other.deliverer.work()

        others = await still.deliveries.renew(slow.deliverer.claims)
        slow.deliverer.leave(others)
        await working

    assert len(others) == 2
    assert (slow.second._calls, slow.settled) == ([], [])


async def test_what_is_being_settled_is_not_taken_for_lost(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A claim that ends while others are renewed is not stopped on its last step."""
    await arrive(mailbox, "1", "2")
    ending, going_on = await ledger.deliveries.claim(2)
    await ledger.deliveries.settle(ending)

    assert await ledger.deliveries.renew([ending, going_on]) == []
