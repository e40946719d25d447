"""Old messages come once, whatever interrupts their coming."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from message_store.mailbox import Mailbox
from ringpost.commands.backfill import in_one_line
from sandbox import RingCentral
from tests.integration.worker.completeness.conftest import Completeness, Start, mailbox_of
from tests.integration.worker.completeness.test_reconciling import Refusing
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.backfill import filling
from worker.ledger.backfills import Asked, Backfill, BackfillLedger, OtherBackfillError, Run
from worker.ledger.connection import key

OLD = 25
COUNTED = (
    CONFIGURATION
    + """
[handlers.counter]
use = "tests.integration.worker.completeness.test_reconciling:Refusing"
[[routes]]
name = "counted"
steps = ["counter"]
"""
)


@pytest.fixture(autouse=True)
def small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of ten, looked at soon."""
    monkeypatch.setattr(filling, "PER_PAGE", 10)
    monkeypatch.setattr(filling, "_TICK", 0.02)
    monkeypatch.setattr(filling, "_IDLE", 0.05)
    # A worker that is stopped while it asks for the lease leaves it to lapse.
    monkeypatch.setattr(filling, "_LEASE_SECONDS", 1.0)
    Refusing.refusals = Refusing.calls = 0


@pytest.fixture
async def old(ringcentral: RingCentral) -> list[dict[str, Any]]:
    """Messages of the last days, from before the start."""
    now = datetime.now(UTC).timestamp()
    return [
        await ringcentral.receives_sms(f"old {age}", created=now - 7200 - age * 1800)
        for age in range(OLD)
    ]


async def asked_for(
    line: ShortLine, mailbox: Mailbox, *routes: str, since: str = "30d"
) -> Backfill:
    worker = line.worker
    assert worker is not None
    began, _ = await worker.ledger.reconciliation.memory(mailbox)
    return Backfill(
        id=uuid4().hex,
        asked=Asked(since=since, routes=list(routes)),
        since=datetime.now(UTC) - timedelta(days=30),
        until={str(mailbox): datetime.fromtimestamp(began, UTC)},
        routes=list(routes) or ["kept", "counted"],
        made=datetime.now(UTC),
    )


async def is_through(line: ShortLine) -> Run | None:
    worker = line.worker
    assert worker is not None
    run = await worker.ledger.backfills.current()
    through = run is not None and run.state == "done"
    return run if through and not await worker.ledger.backfills.open_deliveries() else None


async def test_all_old_messages_come_once(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    old: list[dict[str, Any]],
    eventually: Eventually,
) -> None:
    """Page by page, on the routes asked for; a second one for another route brings that alone.

    What was deleted at RingCentral is not brought, and not missed afterwards.
    """
    await start(COUNTED)
    assert line.worker is not None
    backfills = line.worker.ledger.backfills
    mailbox = mailbox_of(ringcentral)
    assert not any(map(line.is_delivered, old))
    deleted = await ringcentral.receives_sms("gone", created=datetime.now(UTC).timestamp() - 9000)
    await line.worker._logins.store_of(mailbox).delete(mailbox, [str(deleted["id"])])

    await backfills.begin(await asked_for(line, mailbox, "kept"))
    run = await eventually(lambda: is_through(line))

    assert (run.looked_at, run.admitted, run.fraction) == (OLD, OLD, 1.0)
    await eventually(lambda: all(map(line.is_delivered, old)))
    assert Refusing.calls == 0
    await backfills.begin(await asked_for(line, mailbox))
    run = await eventually(lambda: is_through(line))
    assert run.admitted == OLD
    await eventually(lambda: Refusing.calls == OLD)
    await backfills.begin(await asked_for(line, mailbox))
    run = await eventually(lambda: is_through(line))
    assert (run.looked_at, run.admitted) == (OLD, 0)
    assert Refusing.calls == OLD
    overview = await line.worker.ledger.overview()
    assert overview.counts["kept"] == {"done": OLD}
    assert (await completeness.round()).is_complete


@pytest.mark.parametrize("is_written", [False, True])
async def test_a_worker_that_dies_in_the_middle_of_a_page(
    ringcentral: RingCentral,
    line: ShortLine,
    start: Start,
    old: list[dict[str, Any]],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
    is_written: bool,
) -> None:
    """Before or after the page is written: the next worker goes on there, each comes once."""
    advance, died = BackfillLedger.advance, list[int]()

    async def dying(self: BackfillLedger, run: Run, *page: Any) -> bool:
        if run.progress and not died:
            died.append(1)
            if is_written:
                await advance(self, run, *page)
            raise RuntimeError("killed")
        return await advance(self, run, *page)

    monkeypatch.setattr(BackfillLedger, "advance", dying)
    await start(COUNTED)
    assert line.worker is not None
    await line.worker.ledger.backfills.begin(await asked_for(line, mailbox_of(ringcentral)))
    await eventually(lambda: died)
    await line.stop_worker()
    await line.start_worker(configuration=COUNTED)

    run = await eventually(lambda: is_through(line))

    assert (run.looked_at, run.admitted) == (OLD, OLD)
    assert Refusing.calls == OLD
    assert all(map(line.is_delivered, old))


async def test_two_workers_that_read_the_same_page(
    ringcentral: RingCentral,
    line: ShortLine,
    start: Start,
    old: list[dict[str, Any]],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second one comes too late and changes nothing, though the first has delivered all."""
    advance, second = BackfillLedger.advance, list[bool]()

    async def doubled(self: BackfillLedger, run: Run, *page: Any) -> bool:
        first = await advance(self, run, *page)
        if not second:
            await eventually(lambda: Refusing.calls == 10)
            second.append(await advance(self, run, *page))
        return first

    monkeypatch.setattr(BackfillLedger, "advance", doubled)
    await start(COUNTED)
    assert line.worker is not None
    await line.worker.ledger.backfills.begin(await asked_for(line, mailbox_of(ringcentral)))

    await eventually(lambda: is_through(line))

    assert second == [False]
    assert Refusing.calls == OLD


async def test_one_that_is_stopped_goes_on_where_it_was(
    ringcentral: RingCentral,
    line: ShortLine,
    start: Start,
    old: list[dict[str, Any]],
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Full lanes hold it back; halted, another may begin or the same words go on with it."""
    monkeypatch.setattr(filling, "MOST_OPEN", 0)
    await start(COUNTED)
    assert line.worker is not None
    backfills, mailbox = line.worker.ledger.backfills, mailbox_of(ringcentral)
    looked: list[int] = []

    async def is_full(_: BackfillLedger) -> int:
        looked.append(1)
        return 0

    monkeypatch.setattr(BackfillLedger, "open_deliveries", is_full)
    first = await backfills.begin(await asked_for(line, mailbox))
    with pytest.raises(OtherBackfillError):
        await backfills.begin(await asked_for(line, mailbox, since="1y"))
    again = await backfills.begin(await asked_for(line, mailbox))
    assert again.backfill.id == first.backfill.id
    await eventually(lambda: len(looked) > 1)
    assert not (await backfills.all())[-1].progress
    assert await backfills.stop()
    assert not await backfills.stop()

    monkeypatch.undo()
    monkeypatch.setattr(filling, "PER_PAGE", 10)
    monkeypatch.setattr(filling, "MOST_OPEN", 15)
    await backfills.begin(await asked_for(line, mailbox))
    run = await eventually(lambda: is_through(line))

    assert run.backfill.id == first.backfill.id
    assert run.admitted == OLD
    assert Refusing.calls == OLD


async def test_a_route_that_is_gone(
    ringcentral: RingCentral,
    line: ShortLine,
    start: Start,
    old: list[dict[str, Any]],
    eventually: Eventually,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The backfill halts and says why, instead of passing over what the route has yet to get."""
    renamed = COUNTED.replace('name = "counted"', 'name = "renamed"')
    await start(renamed)
    assert line.worker is not None
    mailbox, backfills = mailbox_of(ringcentral), line.worker.ledger.backfills
    await backfills.begin(await asked_for(line, mailbox, "kept", "counted"))

    async def halted() -> Run | None:
        run = await backfills.current()
        return run if run and run.halted else None

    run = await eventually(halted)
    assert (run.state, run.looked_at) == ("running", 0)
    assert run.halted.startswith('route "counted" is no longer there for new messages; bring')
    assert run.halted in in_one_line(run, 0)
    assert capsys.readouterr().out.count("backfill halts") == 1

    await line.stop_worker()
    await line.start_worker(configuration=COUNTED)
    run = await eventually(lambda: is_through(line))
    assert (run.admitted, run.halted, Refusing.calls) == (OLD, None, OLD)


async def test_what_waits_for_a_destination_counts_as_open(line: ShortLine, start: Start) -> None:
    """While a destination is away, old messages must not pile up in Redis before it."""
    await start()
    assert line.worker is not None
    ledger = line.worker.ledger
    redis = ledger.connection.redis
    assert await ledger.backfills.open_deliveries() == 0
    await redis.zadd(key("bulk-due", "1/2"), {"1\tkept": 9e9, "2\tkept": 9e9})
    await redis.zadd(key("bulk-ready"), {"1/2": 9e9})
    await redis.sadd(key("bulk-running"), "1/2\t3\tkept")
    await redis.hset(key("breakers"), "mail", '{"open": false, "members": {}}')
    await redis.zadd(key("put-off", "mail"), {"1/2\t4\tkept": 9e9})
    assert await ledger.backfills.open_deliveries() == 4
