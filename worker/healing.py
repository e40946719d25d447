"""Looks after mailboxes and subscriptions: what should be watched is, and notifications come."""

import contextlib
import math
from datetime import UTC, datetime

import structlog

from message_store.client import MessageStore
from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox

from .configuration import Configuration
from .ledger import Ledger
from .ledger.leases import Lease
from .subscription_repair import Done
from .subscriptions import Subscriptions
from .watching import find_mailboxes
from .wording import in_brief

log = structlog.get_logger()

# How soon another worker takes a check over from one that was killed.
_LEASE_SECONDS = 15.0


class Healer:
    """Compares what should be with what is, every check interval and soon after a failure."""

    def __init__(
        self,
        store: MessageStore,
        ledger: Ledger,
        subscriptions: Subscriptions,
        configuration: Configuration,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._subscriptions = subscriptions
        self._named = configuration.mailboxes
        self._interval = configuration.subscriptions.check_interval.total_seconds()
        self._start = configuration.sync.start_at(datetime.now(UTC)).timestamp()

    def lease(self) -> Lease:
        """What has to be held while healing: one process of the fleet does it at a time."""
        return self._ledger.lease(f"heal:{self._ledger.scope}", _LEASE_SECONDS)

    async def begin(self) -> None:
        """Note the very first start, and check at once: what we are and may do may have changed."""
        await self._ledger.mailboxes.first_start(self._start)
        await self._ledger.subscription.forget_refusals()
        await self._ledger.subscription.check_now()

    async def work(self) -> None:
        """Find the mailboxes and mend the subscriptions, if it is time to."""
        async with self.lease().while_held() as held:
            generation = await self._ledger.subscription.begin_check() if held else None
            if generation is None:
                return
            try:
                await self.heal()
            except RingCentralError as error:
                await self._failed(error, generation)
            else:
                await self._ledger.subscription.end_check(generation, self._interval)
                if await self._ledger.subscription.set_problem(None):
                    log.info("mailboxes and subscriptions are looked after again")

    async def heal(self) -> list[Done]:
        """Do it now, whoever holds the lease; what was done. Raises RingCentralError."""
        try:
            mailboxes = await self.mailboxes()
        except RingCentralError:
            # Those that are known need their subscriptions all the same.
            known = [Mailbox.parse(name) for name in await self._ledger.coverage.mailboxes()]
            if known:
                with contextlib.suppress(RingCentralError):
                    await self._subscriptions.heal(known)
            raise
        await self._ledger.mailboxes.watch(mailboxes, await self._floor())
        return await self._subscriptions.heal(mailboxes)

    async def mailboxes(self) -> list[Mailbox]:
        """Those that should be watched; raises RingCentralError if that cannot be found out."""
        return await find_mailboxes(self._store, self._named)

    async def _failed(self, error: RingCentralError, generation: str) -> None:
        ledger = self._ledger.subscription
        wait = await ledger.check_failed(
            generation, self._interval, at_least=error.retry_after or 0
        )
        if await ledger.set_problem(in_brief(error)):
            log.error(
                "mailboxes and subscriptions cannot be looked after",
                reason=in_brief(error),
                retry_in=round(wait),
            )

    async def _floor(self) -> float:
        """The very first start in RingCentral's time, which may not be ours."""
        start = await self._ledger.mailboxes.first_start(self._start)
        now = datetime.now(UTC)
        ahead = (self._store.server_time() or now) - now
        # RingCentral may cut creation times to whole seconds.
        return math.floor(start + ahead.total_seconds())
