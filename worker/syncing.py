"""Synchronises the mailboxes that are due, several at once, and says when each is due again."""

import asyncio
from collections.abc import Sequence

import structlog

from message_store.errors import LoginRefused, RateLimited, RingCentralError
from message_store.mailbox import Mailbox
from metrics.catalogue import SYNCS

from .configuration import Configuration
from .failures import is_foreseen, reason
from .ledger import Ledger, LedgerError
from .ledger.mailboxes import SyncLease
from .logins import Login, Logins
from .pump import Publish, publish_if_possible
from .schedule import LIGHT_CALLS_PER_SECOND, poll_seconds, sweep_seconds
from .sync import OvertakenError, Synchroniser, retry_in
from .together import all_of

log = structlog.get_logger()

CHECK_SUBSCRIPTIONS = "?"
SWEEP = "!"
_AT_ONCE = 20


class Syncs:
    """The syncs of one process."""

    def __init__(
        self,
        synchroniser: Synchroniser,
        ledger: Ledger,
        logins: Logins,
        configuration: Configuration,
        publish: Publish,
    ) -> None:
        self._ledger = ledger
        self._logins = logins
        self._publish = publish
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._leases: list[SyncLease] = []
        self._synchroniser: Synchroniser = synchroniser
        self.go_by(synchroniser, configuration)

    def go_by(self, synchroniser: Synchroniser, configuration: Configuration) -> None:
        """Synchronise in this way from now on; what is under way sorts by its routes as well."""
        self._synchroniser.sorter = synchroniser.sorter
        self._synchroniser = synchroniser
        self._sweep_interval = configuration.sync.sweep_interval

    @property
    def leases(self) -> list[SyncLease]:
        """The mailboxes that are being synchronised in this process."""
        return list(self._leases)

    async def work(self, hinted: Sequence[str]) -> None:
        """Synchronise the mailboxes hinted at, those that are watched and not just done.

        The hints `?` and `!` name no mailbox but ask for a check of the subscriptions, and for a
        sweep.
        """
        if CHECK_SUBSCRIPTIONS in hinted:
            await self._ledger.check_soon()
        if SWEEP in hinted:
            await self._ledger.mailboxes.sweep()
        due = await self._ledger.mailboxes.hint(await self._resolved(hinted))
        await all_of(self._one(mailbox) for mailbox in due)

    async def look(self, mailboxes: Sequence[str]) -> None:
        """Synchronise mailboxes whose time has come: that alone is no hint that there is news."""
        await all_of(self._one(Mailbox.parse(mailbox)) for mailbox in mailboxes)

    async def _resolved(self, mailboxes: Sequence[str]) -> list[str]:
        """Old notifications do not name the account: find it among the watched mailboxes."""
        if not any(name.startswith("~/") for name in mailboxes):
            return list(mailboxes)
        watched = await self._ledger.mailboxes.watched()
        by_extension = {mailbox.extension_id: str(mailbox) for mailbox in watched}
        return [by_extension.get(name.removeprefix("~/"), name) for name in mailboxes]

    async def _one(self, mailbox: Mailbox) -> None:
        async with self._places:
            lease = await self._ledger.mailboxes.claim(mailbox)
            if lease is None:
                return
            self._leases.append(lease)
            try:
                await self._leased(lease)
            finally:
                self._leases.remove(lease)

    async def _leased(self, lease: SyncLease) -> None:
        await self._logins.know(lease.mailbox)
        login = self._logins.of(lease.mailbox)
        try:
            result = await self._synchroniser.synchronise(lease)
        except OvertakenError as overtaken:
            SYNCS.count("overtaken")
            log.warning("sync overtaken", reason=str(overtaken))
            return
        except LedgerError:
            raise  # the lease lapses; the task says that the ledger is away
        # One mailbox whose answers nobody foresaw must not stop the others.
        except Exception as error:  # noqa: BLE001
            await self._failed(lease, login, error)
            return
        await self._ledger.mailboxes.finish(lease, await self._interval(lease.mailbox))
        SYNCS.count("done")
        if result.delivered:
            await publish_if_possible(self._publish, "worker.deliver")
        if result.created or result.updated or result.missed:
            log.info(
                "mailbox synchronised",
                mailbox=str(lease.mailbox),
                new=result.created,
                changed=result.updated,
                missed=result.missed,
            )

    async def _failed(self, lease: SyncLease, login: Login, error: Exception) -> None:
        asked = error.retry_after if isinstance(error, RingCentralError) else None
        if isinstance(error, LoginRefused):
            await self._logins.refresh()
            if self._logins.of(lease.mailbox) is not login:
                asked = 0.0  # a colleague has taken the mailbox over
        wait = retry_in(asked, lease.failures)
        limited = isinstance(error, RateLimited)
        SYNCS.count("limited" if limited else "failed")
        await self._ledger.mailboxes.finish(lease, wait, error=reason(error), failed=not limited)
        if not limited:
            log.warning(
                "sync failed",
                mailbox=str(lease.mailbox),
                reason=reason(error),
                retry_in=round(wait),
                exc_info=None if is_foreseen(error) else error,
            )

    async def _interval(self, mailbox: Mailbox) -> float:
        login = self._logins.of(mailbox)
        account = self._ledger.account(login.scope)
        mailboxes = self._logins.count(login)
        rate = await self._ledger.limits(login.scope).rate("message-sync")
        calls_per_second = rate or LIGHT_CALLS_PER_SECOND
        if await account.coverage.is_covered(str(mailbox)):
            return sweep_seconds(self._sweep_interval, mailboxes, calls_per_second)
        dark = max(1, mailboxes - await account.coverage.count())
        return poll_seconds(self._sweep_interval, dark, calls_per_second)
