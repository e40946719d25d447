"""Looks after mailboxes and subscription: what should be watched is, and notifications come."""

import math
from datetime import UTC, datetime

import structlog

from message_store.client import MessageStore
from message_store.errors import RingCentralError

from .configuration import Configuration
from .ledger import Ledger
from .ledger.mailboxes import EVERY_MAILBOX
from .pump import Publish, publish_if_possible
from .subscriptions import Subscriptions
from .watching import find_mailboxes
from .wording import in_brief

log = structlog.get_logger()

_LEASE_SECONDS = 60.0


class Healer:
    """Compares what should be with what is, every check interval and soon after a failure."""

    def __init__(
        self,
        store: MessageStore,
        ledger: Ledger,
        subscriptions: Subscriptions,
        configuration: Configuration,
        publish: Publish,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._subscriptions = subscriptions
        self._publish = publish
        self._named = configuration.mailboxes
        self._interval = configuration.subscriptions.check_interval.total_seconds()
        self._start = configuration.sync.start_at(datetime.now(UTC)).timestamp()

    async def begin(self) -> None:
        """Note the very first start, and check at once: address or token may have changed."""
        await self._ledger.mailboxes.first_start(self._start)
        await self._ledger.subscription.check_now()

    async def work(self) -> None:
        """Find the mailboxes and mend the subscription, if it is time to."""
        lease = self._ledger.lease("heal", _LEASE_SECONDS)
        if not await self._ledger.subscription.is_check_due() or not await lease.hold():
            return
        record = await self._ledger.subscription.load()
        try:
            gap = await self._heal()
        except RingCentralError as error:
            await self._failed(error)
            # From now on mailboxes are polled; the next sweep may be a quarter of an hour away.
            gap = record is not None and record.is_active
        finally:
            await lease.release()
        if gap:
            await publish_if_possible(self._publish, "worker.sync", mailboxes=[EVERY_MAILBOX])

    async def _heal(self) -> bool:
        mailboxes = await find_mailboxes(self._store, self._named)
        await self._ledger.mailboxes.watch(mailboxes, await self._floor())
        gap = await self._subscriptions.heal(mailboxes)
        await self._ledger.subscription.check_in(self._interval)
        if await self._ledger.subscription.set_problem(None):
            log.info("mailboxes and subscription are looked after again")
        return gap

    async def _failed(self, error: RingCentralError) -> None:
        ledger = self._ledger.subscription
        wait = await ledger.check_after_failure(self._interval, at_least=error.retry_after or 0)
        if await ledger.set_problem(in_brief(error)):
            log.error(
                "mailboxes and subscription cannot be looked after",
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
