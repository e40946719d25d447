"""A message that nobody can read, or that brings workers down, costs its mailbox nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from message_store.errors import BadRequest, ConnectionFailed, NotFound, RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from tests.support.delivering import Line
from worker.closing import Closer
from worker.handlers.contract import ClosingHandler, PermanentError
from worker.ledger import Ledger, open_ledger
from worker.started import StartedHandlers

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]
MESSAGE = "ringpost:ledger:message:{}:{}"


@pytest.fixture
def line(ledger: Ledger) -> Line:
    return Line(ledger)


async def _spoil(ledger: Ledger, mailbox: Mailbox, id_: str) -> None:
    await ledger.connection.redis.hset(MESSAGE.format(mailbox, id_), "message", '{"id": [}')


async def test_an_unreadable_copy_is_read_again(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """A snapshot that no longer parses is no reason to fail while RingCentral has the message."""
    await arrive(mailbox, "1", "2", "3")
    await _spoil(ledger, mailbox, "2")
    line.at_ringcentral["2"] = Message.model_validate({"id": 2, "creationTime": "2026-01-01"})

    await line.deliverer.work()

    assert sorted(line.settled) == ["1", "2", "3"]
    assert line.read_again_for == ["2"]


async def test_what_nobody_can_read_fails_and_is_listed(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """Gone in both places: the delivery is listed with the reason, the others are delivered."""
    await arrive(mailbox, "1", "2", "3")
    await _spoil(ledger, mailbox, "2")

    await line.deliverer.work()

    assert sorted(line.first._calls) == ["1", "3"]
    [failure] = await ledger.failures()
    assert failure.message_id == "2"
    assert "the copy in the ledger cannot be read, and" in (failure.reason or "")
    assert failure.created is None


@pytest.mark.parametrize("error", [RateLimited("slow", retry_after=60), ConnectionFailed("away")])
async def test_reading_again_waits_for_ringcentral(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, error: Exception
) -> None:
    """Limits and failures of RingCentral put the delivery off; they do not end it."""
    await arrive(mailbox, "1")
    await _spoil(ledger, mailbox, "1")
    line.at_ringcentral["1"] = error

    await line.deliverer.work()

    overview = await ledger.overview()
    assert (overview.due, overview.running, overview.failed) == (1, 0, 0)


async def test_what_ringcentral_refuses_to_read_fails(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """A plain no of RingCentral is final, and told."""
    await arrive(mailbox, "1")
    await _spoil(ledger, mailbox, "1")
    line.at_ringcentral["1"] = BadRequest("no such thing")

    await line.deliverer.work()

    [failure] = await ledger.failures()
    assert "no such thing" in (failure.reason or "")


async def _failed(line: Line, arrive: Arrive, mailbox: Mailbox) -> None:
    line.second._errors = [PermanentError("no such room")]
    await arrive(mailbox, "1")
    await line.deliverer.work()
    assert len(await line.ledger.failures()) == 1


async def test_a_replay_reads_the_message_again(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """The steps that are left get the message as it is now; those done are not repeated."""
    await _failed(line, arrive, mailbox)
    line.at_ringcentral["1"] = Message.model_validate(
        {"id": 1, "creationTime": "2026-01-01", "subject": "as it is now"}
    )

    assert await ledger.replay() == 1
    assert (await ledger.overview()).bulk == 1
    await line.deliverer.work()

    assert line.first._calls == ["1"]
    assert [message.subject for message in line.second._messages] == [None, "as it is now"]
    assert line.settled == ["1"]


@pytest.mark.parametrize(
    "now", [NotFound("gone"), {"id": 1, "availability": "Purged"}], ids=["not-found", "purged"]
)
async def test_a_replay_falls_back_on_the_copy(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, now: Any
) -> None:
    """If RingCentral has lost the message, the copy in the ledger is delivered."""
    await _failed(line, arrive, mailbox)
    line.at_ringcentral["1"] = now if isinstance(now, Exception) else Message.model_validate(now)

    await ledger.replay()
    await line.deliverer.work()

    assert line.second._calls == ["1", "1"]
    assert line.settled == ["1"]


async def test_a_skipped_delivery_goes_on_when_its_route_is_back(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line
) -> None:
    """Replayed while the route is still gone it is skipped again; afterwards it is delivered."""
    in_force = line.deliverer.in_force
    line.deliverer.in_force = replace(in_force, routes={})
    await arrive(mailbox, "1")
    await line.deliverer.work()
    await ledger.replay()
    await line.deliverer.work()
    [failure] = await ledger.failures()
    assert failure.state == "skipped"

    line.deliverer.in_force = in_force
    assert await ledger.replay([failure]) == 1
    await line.deliverer.work()

    assert line.settled[-1] == "1"
    assert await ledger.failures() == []


async def test_neighbours_of_a_killer_are_not_given_up(
    redis_url: str, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A message that brings every worker down fails; the nine that ran beside it are delivered."""
    await arrive(mailbox, *map(str, range(1, 11)))
    killer, delivered = "4", set()
    async with open_ledger(redis_url, lease_seconds=0) as ledger:
        for _ in range(100):
            redis = ledger.connection.redis
            due = "ringpost:ledger:due:" + str(mailbox)
            # the suspects' turns, without the second between them
            for member in await redis.zrange(due, 0, -1):
                await redis.zadd(due, {member: 0})
            await redis.zadd("ringpost:ledger:ready", {str(mailbox): 0})
            claims = await ledger.deliveries.claim(10)
            if killer in {claim.message_id for claim in claims}:
                await ledger.deliveries.reclaim_lapsed()  # nobody got to record anything
                continue
            for claim in claims:
                claim.delivery.state = "done"
                await ledger.deliveries.settle(claim)
                delivered.add(claim.message_id)
            if not claims:
                break

        assert [failure.message_id for failure in await ledger.failures()] == [killer]
        assert delivered == {str(id_) for id_ in range(1, 11)} - {killer}


class _Speechless:
    """Has no words."""

    def __str__(self) -> str:
        raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (SystemExit(3), "SystemExit ("),
        (KeyboardInterrupt(), "KeyboardInterrupt ("),
        (asyncio.CancelledError(), "CancelledError ("),
        (BaseExceptionGroup("both", [SystemExit()]), "BaseExceptionGroup ("),
        (_Speechless(), "RuntimeError ("),
    ],
)
async def test_a_handler_that_exits_or_cancels_ends_its_own_delivery_only(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, line: Line, odd: Any, told: str
) -> None:
    """Whatever foreign code raises or returns is a failure that is listed, not a dead worker."""
    line.first._oddities = {"2": odd}
    await arrive(mailbox, "1", "2", "3")

    await line.deliverer.work()

    assert sorted(line.second._calls) == ["1", "3"]
    [failure] = await ledger.failures()
    assert (failure.message_id, failure.step, failure.attempts) == ("2", "first", 1)
    assert (failure.reason or "").startswith(told)
    assert (await ledger.overview()).running == 0


async def test_a_bug_of_ours_is_told_as_one(
    ledger: Ledger,
    arrive: Arrive,
    mailbox: Mailbox,
    line: Line,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What goes wrong between steps ends the delivery with its reason: no worker has died of it."""

    async def stumble(*_: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("worker.steps.hold_back", stumble)
    await arrive(mailbox, "1")

    await line.deliverer.work()

    [failure] = await ledger.failures()
    assert (failure.reason or "").startswith("KeyError (")


async def test_a_closing_handler_that_exits_fails(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """An exit in a closing step is listed as what it is."""

    class Leaving(ClosingHandler):
        async def finish(self, *_: Any) -> dict[str, Any]:
            raise SystemExit(3)

    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(1)
    claim.delivery.state, claim.delivery.closing = "waiting", ["last"]
    await ledger.deliveries.settle(claim)
    handlers = StartedHandlers({"last": Leaving()})
    closer = Closer(ledger.closing, ledger.postponed, handlers, cast("Any", None))
    while not await ledger.failures():
        await closer.work()

    [failure] = await ledger.failures()
    assert (failure.step, (failure.reason or "")[:12]) == ("last", "SystemExit (")
