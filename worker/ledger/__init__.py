"""The ledger: all that Ringpost keeps in Redis. Scripts change it in single steps."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from worker.encryption import Sealer

from .account import AccountLedger
from .assignments import AssignmentLedger
from .backfills import BackfillLedger
from .backlog import oldest_undelivered
from .budgets import BudgetsInUse
from .closing import ClosingLedger
from .configurations import ConfigurationLedger
from .connection import Connection, LedgerError
from .consents import ConsentLedger
from .deliveries import DeliveryLedger
from .extensions import ExtensionLedger
from .gatherings import GatheringLedger
from .keeping import Keeping, read_keeping
from .leases import Lease
from .limits import PATIENCE, RedisLimits
from .links import LinkLedger
from .mailboxes import MailboxLedger
from .metrics import MetricsLedger
from .notes import LedgerNotes
from .overview import Overview, read_overview
from .own_changes import OwnChangesLedger
from .postponed import PostponedLedger
from .reconciliation import ReconciliationLedger
from .records import Admitted, DeliveryRecord
from .route_counts import RouteCounts
from .snapshots import Snapshots
from .subscription import check_soon
from .tokens import RedisTokenStore

__all__ = [
    "Admitted",
    "DeliveryRecord",
    "DueWork",
    "Ledger",
    "LedgerError",
    "Overview",
    "open_ledger",
]

_MAILBOXES_PER_HAND_OUT = 200
_SYNC_AGAIN = 15
_WORK_AGAIN_MILLISECONDS = 1000


class DueWork(NamedTuple):
    """What is due now: mailboxes to synchronise, and whether other kinds of work are."""

    mailboxes: list[str]
    deliveries: bool
    closing: bool
    check: bool


class Ledger:
    """All parts of the ledger over one connection pool.

    `lease_seconds`: how soon another worker takes over what a killed one held. `keys`: what
    tokens and snapshots of messages are encrypted with, the newest first.
    """

    def __init__(self, url: str, *, lease_seconds: float = 30, keys: Sequence[str] = ()) -> None:
        self.connection = Connection(url)
        self._sealer = Sealer(keys)
        snapshots = Snapshots(self._sealer)
        self.mailboxes = MailboxLedger(self.connection, lease_seconds, snapshots)
        self.deliveries = DeliveryLedger(self.connection, lease_seconds, snapshots)
        self.gatherings = GatheringLedger(self.connection, snapshots)
        self.closing = ClosingLedger(self.connection, lease_seconds)
        self.consents = ConsentLedger(self.connection)
        self.notes = LedgerNotes(self.connection)
        self.postponed = PostponedLedger(self.connection)
        self.own_changes = OwnChangesLedger(self.connection)
        self.links = LinkLedger(self.connection)
        self.backfills = BackfillLedger(self.connection, self.deliveries)
        self.reconciliation = ReconciliationLedger(self.connection)
        self.configurations = ConfigurationLedger(self.connection)
        self.route_counts = RouteCounts(self.connection)
        self.extensions = ExtensionLedger(self.connection)
        self.budgets = BudgetsInUse(self.connection)
        self.metrics = MetricsLedger(self.connection)
        self.assignments = AssignmentLedger(self.connection)
        self.leases: set[Lease] = set()
        """The named leases under which something is done in this process."""
        self._limits: dict[str, RedisLimits] = {}

    async def ping(self) -> None:
        """Raise LedgerError if Redis does not answer."""
        await self.connection.redis.ping()

    async def keeping(self) -> Keeping:
        """Whether this Redis keeps what it is given; raises LedgerError if it does not answer."""
        return await read_keeping(self.connection.redis)

    async def due_work(self) -> DueWork:
        """What should be handed to the queue now; handed on once, and again only after a while."""
        mailboxes, deliveries, closing, check = await self.connection.run(
            "due_work", _MAILBOXES_PER_HAND_OUT, _SYNC_AGAIN, _WORK_AGAIN_MILLISECONDS
        )
        return DueWork(mailboxes, bool(deliveries), bool(closing), bool(check))

    def tokens(self, scope: str) -> RedisTokenStore:
        """The access token of the credential with this scope."""
        return RedisTokenStore(self.connection, scope, self._sealer)

    def account(self, scope: str) -> AccountLedger:
        """What is kept for the credential with this scope."""
        return AccountLedger(self.connection, scope, self.mailboxes)

    def limits(self, scope: str, *, patience: float = PATIENCE) -> RedisLimits:
        """The rate limits that are counted for this scope: a user of an app, or an app."""
        if scope not in self._limits:
            self._limits[scope] = RedisLimits(self.connection, scope, patience)
        return self._limits[scope]

    async def check_soon(self) -> None:
        """Make checks of all credentials' subscriptions due soon."""
        await check_soon(self.connection)

    def lease(self, name: str, seconds: float) -> Lease:
        """A named lease for something that one process of the fleet does."""
        return Lease(self.connection, name, seconds, self.leases)

    async def overview(self) -> Overview:
        """The ledger at a glance."""
        return await read_overview(self.connection, self.budgets)

    async def oldest_undelivered(self) -> float | None:
        """Since when (epoch seconds) the oldest message waits that is not delivered yet."""
        return await oldest_undelivered(self.connection)

    async def failures(self, limit: int | None = 100) -> list[DeliveryRecord]:
        """Failed and skipped deliveries, the newest first; all without a limit."""
        return await self.deliveries.failures(limit)

    async def replay(self, records: Sequence[DeliveryRecord] | None = None) -> int:
        """Make failed deliveries (all by default) due again, in bulk; how many."""
        return await self.deliveries.replay(records)

    async def close(self) -> None:
        """Close the connections."""
        for limits in self._limits.values():
            await limits.close()
        await self.connection.close()


def user_scope(client_id: str, jwt: str) -> str:
    """A name for a user of an app that does not tell it: tokens and limits are kept per user."""
    return hashlib.sha256(f"{client_id}\n{jwt}".encode()).hexdigest()[:16]


def app_scope(client_id: str) -> str:
    """The same for an app: RingCentral counts logins per app."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:16]


@asynccontextmanager
async def open_ledger(
    url: str, *, lease_seconds: float = 30, keys: Sequence[str] = ()
) -> AsyncIterator[Ledger]:
    """The ledger at this Redis address (redis://, rediss:// or unix://), closed at the end."""
    ledger = Ledger(url, lease_seconds=lease_seconds, keys=keys)
    try:
        yield ledger
    finally:
        await ledger.close()
