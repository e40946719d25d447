"""What is only looked at, because its time has come, leaves room to what somebody hinted at."""

import pytest

from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.in_process import ShortLine
from tests.support.waiting import Eventually
from worker.ledger.mailboxes import SyncLease
from worker.sync import Synchroniser, SyncResult
from worker.syncing import SWEEP


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each sync, whether it was of a mailbox that was hinted at."""
    found, synchronise = [], Synchroniser.synchronise

    async def told(synchroniser: Synchroniser, lease: SyncLease) -> SyncResult:
        found.append(lease.hinted)
        return await synchronise(synchroniser, lease)

    monkeypatch.setattr(Synchroniser, "synchronise", told)
    return found


@pytest.fixture
async def line(line: ShortLine) -> ShortLine:
    await line.start_worker()
    assert line.worker is not None
    await line.worker.heal()
    return line


async def test_a_sweep_waits_for_live_work(
    line: ShortLine, hinted: list[bool], ringcentral: RingCentral, eventually: Eventually
) -> None:
    """The calls of a sweep are bulk work, those for a mailbox with news are not."""
    mailbox = str(Mailbox(ringcentral.account_id, ringcentral.extension_id))
    worker = line.worker
    assert worker is not None
    await eventually(line.is_covered)
    await eventually(line.is_quiet)

    hinted.clear()
    await worker.sync([SWEEP])
    await eventually(lambda: len(hinted) == len(ringcentral.extension_ids))
    assert not any(hinted)

    await worker.sync([mailbox])
    await eventually(lambda: any(hinted))
