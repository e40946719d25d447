"""A worker reconciles by itself, and what it found stands in the ledger."""

import shutil
from datetime import UTC, datetime, time, timedelta

import pytest

from message_store.errors import PermissionMissing
from sandbox import RingCentral
from tests.integration.worker.completeness.conftest import (
    Completeness,
    Start,
    delivered,
    mailbox_of,
)
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.completeness import reconciling
from worker.completeness.listing import walk
from worker.completeness.nightly import next_turn
from worker.ledger.reconciliation import LastReconciliation

OFTEN = CONFIGURATION.replace("[sync]", '[reconcile]\nevery = "1s"\n[sync]')


@pytest.fixture(autouse=True)
def up_to_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has just come is compared as well."""
    monkeypatch.setattr(reconciling, "MARGIN", timedelta(seconds=-1))


async def last(line: ShortLine) -> LastReconciliation | None:
    assert line.worker is not None
    return await line.worker.ledger.reconciliation.last()


async def test_a_loss_is_found_and_repaired_by_itself(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """Nobody asks: the folder that is gone comes back, and then nothing is missing any more."""
    await start()
    (message,) = await delivered(ringcentral, line, eventually, "to be lost")
    shutil.rmtree(completeness.folder_of(message["id"]))
    await line.stop_worker()
    assert line.worker is None

    await line.start_worker(configuration=OFTEN)

    await eventually(lambda: line.is_delivered(message))

    async def is_well() -> bool:
        found = await last(line)
        return bool(found and found.listed == 1 and not (found.missing or found.problem))

    await eventually(is_well)


async def test_without_repair_it_only_tells(
    ringcentral: RingCentral,
    line: ShortLine,
    completeness: Completeness,
    start: Start,
    eventually: Eventually,
) -> None:
    """The differences are counted by mailbox and stay."""
    await start(OFTEN.replace('"1s"', '"1s"\nrepair = false', 1))
    (message,) = await delivered(ringcentral, line, eventually, "to be lost")
    shutil.rmtree(completeness.folder_of(message["id"]))

    async def told() -> LastReconciliation | None:
        found = await last(line)
        return found if found and found.missing else None

    found = await eventually(told)

    assert found.repaired == 0
    assert found.mailboxes[str(mailbox_of(ringcentral))].missing == 1
    assert not line.is_delivered(message)


async def test_a_mailbox_that_cannot_be_read_costs_no_other(
    ringcentral: RingCentral,
    line: ShortLine,
    start: Start,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is named with the reason; the others are compared."""
    refused = mailbox_of(ringcentral)

    def walking(store: object, mailbox: object, *rest: object, **more: object) -> object:
        if mailbox == refused:
            raise PermissionMissing("ReadMessages is missing")
        return walk(store, mailbox, *rest, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(reconciling, "walk", walking)
    await start(OFTEN)

    async def all_were_looked_at() -> LastReconciliation | None:
        found = await last(line)
        return found if found and len(found.mailboxes) == 3 else None

    found = await eventually(all_were_looked_at)
    assert found.unread == [str(refused)]
    assert "ReadMessages is missing" in (found.mailboxes[str(refused)].problem or "")


DAY = timedelta(days=1)
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "at", "turn"),
    [
        (DAY, time(2), NOON + timedelta(hours=14)),
        (DAY, time(13, 30), NOON + timedelta(minutes=90)),
        (DAY, time(12), NOON + DAY),
        (timedelta(hours=6), time(2), NOON + timedelta(hours=2)),
        (timedelta(minutes=1), time(2), NOON + timedelta(minutes=1)),
    ],
)
def test_turns_come_at_their_hour(every: timedelta, at: time, turn: datetime) -> None:
    """Every day at the hour, or more often counted from it; never at once."""
    assert next_turn(NOON, every, at) == turn


def test_a_turn_of_several_days_does_not_come_sooner_each_time() -> None:
    """From one turn to the next it is exactly the interval."""
    first = next_turn(NOON, 7 * DAY, time(2))
    assert next_turn(first, 7 * DAY, time(2)) - first == 7 * DAY
