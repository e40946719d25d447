"""A line in the test's own process, with what looks at its completeness."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.completeness.reconciling import Reconciler
from worker.completeness.repairing import Repairer
from worker.completeness.round import Round, go_round
from worker.handlers.loading import load_all

SINCE = timedelta(days=2)


class Completeness:
    """What is compared and repaired in the mailboxes of a line."""

    def __init__(self, line: ShortLine, folder: Path) -> None:
        self.line = line
        self.archive = folder / "archive"
        self._folder = folder

    async def round(
        self, *, repair: bool = False, archives: Mapping[str, Path] | None = None
    ) -> Round:
        """Compare all mailboxes up to now, with more archives than the vault if there are."""
        worker = self.line.worker
        assert worker is not None
        configuration, _ = load_all(self._folder / "ringpost.toml", {})
        now = datetime.now(UTC) + timedelta(seconds=1)
        folders = {"vault": self.archive, **(archives or {})}
        parts = (worker.ledger, worker._logins.store_of, configuration, folders)
        return await go_round(
            Reconciler(*parts),
            Repairer(*parts) if repair else None,
            await worker.ledger.mailboxes.watched(),
            (now - SINCE, now),
        )

    def folder_of(self, message_id: object) -> Path:
        """Where the message is archived."""
        (found,) = self.archive.glob(f"*/*/*/*/*/*-{message_id}")
        return found


@pytest.fixture
async def completeness(line: ShortLine, tmp_path: Path) -> Completeness:
    """Its completeness; a worker runs."""
    return Completeness(line, tmp_path)


Start = Callable[..., Awaitable[None]]


@pytest.fixture
def start(line: ShortLine, eventually: Eventually) -> Start:
    """`await start()`: a worker runs, and every mailbox is covered and quiet."""

    async def run(configuration: str = CONFIGURATION) -> None:
        await line.start_worker(configuration=configuration)
        await eventually(line.is_covered)
        await eventually(line.is_quiet)

    return run


async def delivered(
    ringcentral: RingCentral, line: ShortLine, eventually: Eventually, *texts: str
) -> list[dict[str, Any]]:
    """Messages with these texts have come and are settled: nothing is at work on them any more."""
    messages = [await ringcentral.receives_sms(text) for text in texts]
    await eventually(lambda: all(map(line.is_delivered, messages)))
    await eventually(line.is_idle)
    return messages


def mailbox_of(ringcentral: RingCentral) -> Mailbox:
    """The signed-in mailbox."""
    return Mailbox(ringcentral.account_id, ringcentral.extension_id)
