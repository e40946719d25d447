"""One round through the mailboxes: each is compared and, if that is wanted, repaired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from worker.ledger.reconciliation import LastReconciliation, MailboxDifferences
from worker.wording import in_brief

from .comparing import Counts
from .listing import Told, tell_nobody
from .reconciling import Reconciled, Reconciler
from .repairing import Repaired, Repairer


@dataclass(slots=True)
class Round:
    """What was found in a period, and done about it; `problems` are of mailboxes not compared."""

    since: datetime
    until: datetime
    found: list[Reconciled] = field(default_factory=list)
    repaired: dict[Mailbox, Repaired] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether every mailbox was compared and nothing was missing or had failed."""
        return not self.problems and all(one.comparison.is_complete for one in self.found)

    @property
    def calls(self) -> int:
        """How many calls to RingCentral it took."""
        repairs = sum(one.calls for one in self.repaired.values())
        return sum(one.calls for one in self.found) + repairs

    @property
    def total(self) -> Counts:
        """The counts of all mailboxes together."""
        total = Counts()
        for one in self.found:
            total.add(one.comparison.total)
        return total

    def summary(self, at: datetime) -> LastReconciliation:
        """What the ledger keeps of it."""
        mailboxes = {
            name: MailboxDifferences(problem=words) for name, words in self.problems.items()
        }
        for one in self.found:
            done = self.repaired.get(one.mailbox)
            mailboxes[str(one.mailbox)] = MailboxDifferences(
                missing=len(one.comparison.of("missing")),
                failed=len(one.comparison.of("failed")),
                extra=len(one.comparison.of("extra")),
                repaired=done.count if done else 0,
            )
        return LastReconciliation(
            at=at,
            since=self.since,
            until=self.until,
            listed=self.total.listed,
            calls=self.calls,
            mailboxes=mailboxes,
        )


async def go_round(
    reconciler: Reconciler,
    repairer: Repairer | None,
    mailboxes: Sequence[Mailbox],
    period: tuple[datetime, datetime],
    *,
    told: Told = tell_nobody,
    begins: Callable[[Mailbox], None] = lambda _: None,
) -> Round:
    """Compare these mailboxes one after the other; one that cannot be read costs no other.

    `begins` hears of each mailbox when its turn has come. Raises LedgerError.
    """
    done = Round(*period)
    for mailbox in mailboxes:
        begins(mailbox)
        try:
            found = await reconciler.reconcile(mailbox, *period, told)
            done.found.append(found)
            if repairer is not None and not found.comparison.is_complete:
                done.repaired[mailbox] = await repairer.repair(found, *period, told)
        except RingCentralError as error:
            done.problems[str(mailbox)] = in_brief(error)
        except OSError as error:
            where = f"{error.filename}: {error.strerror}" if error.filename else error
            done.problems[str(mailbox)] = in_brief(f"the archive cannot be read: {where}")
    return done
