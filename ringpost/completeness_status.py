"""What `ringpost status` says of the last reconciliation and of a backfill: a line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ringpost.commands.backfill import for_programs, in_one_line
from ringpost.output import local_time, zone
from worker.ledger import Ledger
from worker.ledger.backfills import Run
from worker.ledger.reconciliation import LastReconciliation


@dataclass(frozen=True, slots=True)
class Completeness:
    """The last reconciliation, and the last backfill with how many of its deliveries are open."""

    reconciliation: LastReconciliation | None
    backfill: Run | None
    waiting: int

    @classmethod
    async def read(cls, ledger: Ledger) -> "Completeness":
        """As it now is."""
        return cls(
            await ledger.reconciliation.last(),
            await ledger.backfills.current(),
            await ledger.backfills.open_deliveries(),
        )

    def lines(self) -> Iterator[str]:
        """For people."""
        if self.reconciliation is not None:
            yield _reconciled(self.reconciliation)
        if self.backfill is not None:
            yield in_one_line(self.backfill, self.waiting)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        last = self.reconciliation
        return {
            "reconciliation": last.model_dump(mode="json") if last else None,
            "backfill": for_programs(self.backfill, self.waiting) if self.backfill else None,
        }


def _reconciled(last: LastReconciliation) -> str:
    words = f"reconciled {local_time(last.at)} {zone()}"
    if last.problem:
        return f"{words}: could not be finished: {last.problem}"
    found = [
        f"{count:,} {name}"
        for name, count in (("missing", last.missing), ("failed", last.failed))
        if count
    ]
    repaired = f" ({last.repaired:,} repaired)" if last.repaired else ""
    count = len(last.unread)
    mailboxes = "1 mailbox" if count == 1 else f"{count} mailboxes"
    unread = f", {mailboxes} could not be compared" if count else ""
    told = f"{', '.join(found)}{repaired}" if found else "nothing missing"
    return f"{words}: {told} of {last.listed:,} listed since {local_time(last.since)}{unread}"
