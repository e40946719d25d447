"""Claims, steps and outcomes of deliveries on a real Redis."""

import asyncio
from collections.abc import Awaitable, Callable

from message_store.mailbox import Mailbox
from worker.ledger import Ledger, open_ledger
from worker.ledger.holding import BlockingHold

Arrive = Callable[..., Awaitable[None]]


async def test_a_claimed_delivery_is_nobody_elses(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What one worker claimed another does not get."""
    await arrive(mailbox, "1")

    assert len(await ledger.deliveries.claim(10)) == 1
    assert await ledger.deliveries.claim(10) == []


async def test_a_claim_is_held_from_beside_the_loop(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, redis_url: str
) -> None:
    """A worker whose loop stands still keeps what it has claimed; what it lost it does not get."""
    await arrive(mailbox, "1", "2")
    claims = await ledger.deliveries.claim(10)
    redis = ledger.connection.redis
    await redis.zadd("ringpost:ledger:running", {claim.member: 0 for claim in claims})
    hold = BlockingHold(redis_url, 30)
    await asyncio.to_thread(hold.renew, claims[:1])
    await asyncio.to_thread(hold.close)
    assert await ledger.deliveries.reclaim_lapsed() == 1
    [again] = await ledger.deliveries.claim(10)
    assert again.message_id == claims[1].message_id


async def test_a_busy_mailbox_does_not_hold_up_another(ledger: Ledger, arrive: Arrive) -> None:
    """With a thousand messages due in one mailbox, the one of another is in the first claims."""
    busy, quiet = Mailbox("1", "1"), Mailbox("1", "2")
    await arrive(busy, *(str(n) for n in range(1, 1001)))
    await ledger.deliveries.claim(3)
    await arrive(quiet, "7")

    claims = await ledger.deliveries.claim(1) + await ledger.deliveries.claim(1)

    assert quiet in {claim.mailbox for claim in claims}


async def test_a_done_message_is_forgotten(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """When every delivery of a message is done nothing of it stays but its counts."""
    await arrive(mailbox, "1", routes=("a", "b"))
    first, second = await ledger.deliveries.claim(10)

    first.delivery.state = second.delivery.state = "done"

    assert await ledger.deliveries.settle(first) is False
    assert await ledger.deliveries.settle(second) is True
    assert await ledger.connection.redis.keys("*message*") == []
    assert (await ledger.overview()).counts == {"a": {"done": 1}, "b": {"done": 1}}


async def test_a_retry_remembers_its_steps(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A delivery that is due again still knows the steps already done."""
    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.done["vault"] = "archived"
    assert await ledger.deliveries.record_step(claim)

    await ledger.deliveries.settle(claim, due_in=0)

    [again] = await ledger.deliveries.claim(10)
    assert again.delivery.done == {"vault": "archived"}


async def test_a_waiting_retry_is_not_due(ledger: Ledger, arrive: Arrive, mailbox: Mailbox) -> None:
    """A delivery due in a minute is not claimed now."""
    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(10)

    await ledger.deliveries.settle(claim, due_in=60)

    assert await ledger.deliveries.claim(10) == []
    assert (await ledger.overview()).due == 1


async def test_a_dead_workers_claim_comes_back(
    redis_url: str, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A claim that is not renewed is due again, and its former holder can write nothing."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as dying:
        [dead] = await dying.deliveries.claim(10)
        assert await dying.deliveries.reclaim_lapsed() == 1
        [alive] = await dying.deliveries.claim(10)

        dead.delivery.state = alive.delivery.state = "done"

        assert await dying.deliveries.record_step(dead) is False
        assert await dying.deliveries.settle(dead) is False
        assert await dying.deliveries.settle(alive) is True


async def test_a_renewed_claim_stays(redis_url: str, arrive: Arrive, mailbox: Mailbox) -> None:
    """A claim that is renewed does not lapse."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as brief:
        claims = await brief.deliveries.claim(10)
    async with open_ledger(redis_url, lease_seconds=30) as lasting:
        await lasting.deliveries.renew(claims)

        assert await lasting.deliveries.reclaim_lapsed() == 0


async def test_a_message_that_kills_workers_fails(
    redis_url: str, arrive: Arrive, mailbox: Mailbox
) -> None:
    """After five workers died of a delivery it is listed as failed instead of tried again."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as dying:
        for _ in range(5):
            assert len(await dying.deliveries.claim(10)) == 1
            await dying.deliveries.reclaim_lapsed()

        assert await dying.deliveries.claim(10) == []
        [failure] = await dying.failures()
    assert "died five times" in (failure.reason or "")


async def test_a_step_that_is_done_is_not_blamed_for_dead_workers(
    redis_url: str, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What failed after a step that is recorded is not listed as ended at that step."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as dying:
        for _ in range(5):
            [claim] = await dying.deliveries.claim(10)
            if not claim.delivery.done:
                claim.delivery.step, claim.delivery.done = "vault", {"vault": "archived"}
                await dying.deliveries.record_step(claim)
            await dying.deliveries.reclaim_lapsed()

        [failure] = await dying.failures()
    assert (failure.step, failure.done) == (None, {"vault": "archived"})


async def test_a_released_claim_counts_no_attempt(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What a stopping worker gives back is due at once and as it was."""
    await arrive(mailbox, "1")
    claims = await ledger.deliveries.claim(10)

    await ledger.deliveries.release(claims)

    [again] = await ledger.deliveries.claim(10)
    assert again.delivery == claims[0].delivery


async def test_failures_are_listed_and_replayed(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A failed delivery is listed with its reason; replayed it goes on after its done steps."""
    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.state = "failed"
    claim.delivery.step, claim.delivery.reason = "office-mail", "mailbox full"
    claim.delivery.done["vault"] = "archived"
    await ledger.deliveries.settle(claim)

    [failure] = await ledger.failures()
    assert (failure.step, failure.reason) == ("office-mail", "mailbox full")
    assert await ledger.replay([failure]) == 1

    assert await ledger.failures() == []
    [again] = await ledger.deliveries.claim(10)
    assert again.delivery.done == {"vault": "archived"}
    assert await ledger.replay() == 0


async def test_turns_are_kept(ledger: Ledger, arrive: Arrive) -> None:
    """A mailbox that got nothing in a claim comes before those that did, whatever its name."""
    busy, second, third = Mailbox("1", "1"), Mailbox("1", "2"), Mailbox("1", "3")
    await arrive(busy, *(str(n) for n in range(1, 60)))
    await arrive(second, "70")
    await arrive(third, "80")

    served = [claim.mailbox for _ in range(3) for claim in await ledger.deliveries.claim(3)]

    assert {busy, second, third} <= set(served)


async def test_failing_steps_do_not_jump_the_queue(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A mailbox whose deliveries come back at once does not hold up another's only message."""
    busy, quiet = Mailbox("1", "1"), Mailbox("1", "2")
    await arrive(busy, *(str(n) for n in range(1, 30)))
    await arrive(quiet, "70")

    for _ in range(3):
        [claim] = await ledger.deliveries.claim(1)
        if claim.mailbox == quiet:
            return
        await ledger.deliveries.settle(claim, due_in=0)
    raise AssertionError("the quiet mailbox had no turn")


async def test_a_skipped_delivery_is_listed(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What is skipped, because its route is gone, is listed and can be replayed."""
    await arrive(mailbox, "1")
    [claim] = await ledger.deliveries.claim(10)
    claim.delivery.state = "skipped"
    await ledger.deliveries.settle(claim)

    [listed] = await ledger.failures()

    assert listed.state == "skipped"
    assert await ledger.replay([listed]) == 1


async def test_a_stolen_claim_is_not_renewed(
    redis_url: str, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A worker cannot hold for longer what another has taken over."""
    await arrive(mailbox, "1")
    async with open_ledger(redis_url, lease_seconds=0) as brief:
        old = await brief.deliveries.claim(10)
        await brief.deliveries.reclaim_lapsed()
        await brief.deliveries.claim(10)

        async with open_ledger(redis_url, lease_seconds=30) as lasting:
            await lasting.deliveries.renew(old)

        assert await brief.deliveries.reclaim_lapsed() == 1


async def test_an_answer_that_was_overtaken_is_not_heard(ledger: Ledger) -> None:
    """What an earlier script said of the breakers does not undo what a later one said."""
    state = '{"open": true, "reason": "no answer", "since": 1, "probe_at": 31}'
    ledger.deliveries._hear(["20.5", "mail", state])
    ledger.deliveries._hear(["20.4"])
    ledger.deliveries._hear([])
    assert set(ledger.deliveries.breakers) == {"mail"}

    ledger.deliveries._hear(["20.6"])
    assert ledger.deliveries.breakers == {}
