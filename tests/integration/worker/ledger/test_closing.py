"""Closing steps wait for everything else of a message and go out together."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from worker.ledger import Ledger
from worker.ledger.closing import ClosingOutcome, ClosingWork
from worker.ledger.records import Claim

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]
DONE = ClosingOutcome(True, "marked read")


async def settle(
    ledger: Ledger, claim: Claim, state: Any, closing: list[str] | None = None
) -> bool:
    claim.delivery.state = state
    claim.delivery.closing = closing
    return await ledger.deliveries.settle(claim)


@pytest.fixture
async def two(ledger: Ledger, arrive: Arrive, mailbox: Mailbox) -> list[Claim]:
    """Two claimed deliveries of one message."""
    await arrive(mailbox, "1", routes=("a", "b"))
    return sorted(await ledger.deliveries.claim(10), key=lambda claim: claim.route)


async def test_waits_for_the_other_routes(
    ledger: Ledger, two: list[Claim], eventually: Eventually
) -> None:
    """A message is closed only when each of its deliveries has come that far."""
    await settle(ledger, two[0], "waiting", ["mark-read"])
    assert (await ledger.overview()).waiting == 0

    await settle(ledger, two[1], "done")

    [work] = await eventually(ledger.closing.claim)
    assert work == ClosingWork(two[0].mailbox, "mark-read", ["1"], work.token)


async def test_a_failed_delivery_keeps_the_message_unread(ledger: Ledger, two: list[Claim]) -> None:
    """As long as a delivery has failed the message is not closed."""
    await settle(ledger, two[0], "waiting", ["mark-read"])
    await settle(ledger, two[1], "failed")

    assert (await ledger.overview()).waiting == 0


async def test_a_hundred_ids_go_out_at_once(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A hundred gathered messages are closed without waiting for an idle moment, in one work."""
    await arrive(mailbox, *map(str, range(1, 101)))
    for claim in await ledger.deliveries.claim(100):
        assert await ledger.closing.claim() == []
        await settle(ledger, claim, "waiting", ["mark-read"])

    [work] = await ledger.closing.claim()
    assert len(work.message_ids) == 100


async def test_closed_messages_are_settled(
    ledger: Ledger, two: list[Claim], eventually: Eventually
) -> None:
    """A message whose closing steps are done is forgotten, and counted as done once a route."""
    for claim in two:
        await settle(ledger, claim, "waiting", ["mark-read"])
    [work] = await eventually(ledger.closing.claim)

    await ledger.closing.finish(work, {"1": DONE})

    overview = await ledger.overview()
    assert overview.counts == {"a": {"done": 1}, "b": {"done": 1}}
    assert overview.waiting == 0
    assert await ledger.connection.redis.keys("*message:*") == []


async def test_closing_steps_come_in_order(
    ledger: Ledger, two: list[Claim], eventually: Eventually
) -> None:
    """A second closing step of a delivery follows the first."""
    await settle(ledger, two[0], "waiting", ["mark-read", "delete"])
    await settle(ledger, two[1], "done")
    [first] = await eventually(ledger.closing.claim)

    await ledger.closing.finish(first, {"1": DONE})

    [second] = await eventually(ledger.closing.claim)
    assert (first.step, second.step) == ("mark-read", "delete")


async def test_what_has_no_outcome_is_tried_again(
    ledger: Ledger, two: list[Claim], eventually: Eventually
) -> None:
    """After a failed call the ids stay gathered and come back after the pause."""
    for claim in two:
        await settle(ledger, claim, "waiting", ["mark-read"])
    [work] = await eventually(ledger.closing.claim)

    await ledger.closing.finish(work, {}, retry_in=0.1)

    [again] = await eventually(ledger.closing.claim)
    assert again.message_ids == work.message_ids


async def test_newcomers_do_not_cut_a_pause_short(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, two: list[Claim], eventually: Eventually
) -> None:
    """While closing waits for RingCentral, new ids wait with the others."""
    for claim in two:
        await settle(ledger, claim, "waiting", ["mark-read"])
    [work] = await eventually(ledger.closing.claim)
    await ledger.closing.finish(work, {}, retry_in=3600)
    redis = ledger.connection.redis
    before = await redis.zrange("ringpost:ledger:closing-due", 0, -1, withscores=True)

    await redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started")
    await arrive(mailbox, "2")
    [claim] = await ledger.deliveries.claim(10)
    await settle(ledger, claim, "waiting", ["mark-read"])

    assert before == await redis.zrange("ringpost:ledger:closing-due", 0, -1, withscores=True)


async def test_one_bad_id_fails_alone(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """An id that RingCentral refuses is a failure of that message only."""
    await arrive(mailbox, "1", "2")
    for claim in await ledger.deliveries.claim(10):
        await settle(ledger, claim, "waiting", ["mark-read"])
    [work] = await eventually(ledger.closing.claim)

    bad = ClosingOutcome(False, "no permission")
    await ledger.closing.finish(work, {"1": DONE, "2": bad})

    [failure] = await ledger.failures()
    assert (failure.message_id, failure.step, failure.reason) == ("2", "mark-read", "no permission")
