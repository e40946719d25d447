"""One worker process: everything it holds open, and the work that its tasks ask for."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import structlog

from message_store.client import MessageStore
from message_store.mailbox import Mailbox
from metrics.batches import EVERY_SECONDS, Batches
from metrics.catalogue import COUNTS

from .accounts import accounts_of
from .backfill.filling import Filler
from .closing import Closer
from .completeness.archives import archives_in
from .completeness.nightly import Nightly
from .configuration import Configuration
from .contexts import Contexts
from .delivery import Deliverer
from .every_store import EveryStore
from .healing import Healer
from .in_force import InForce
from .ledger import Ledger, LedgerError
from .ledger.configurations import REPORT_SECONDS
from .ledger.holding import BlockingHold
from .ledger.keeping import SET_POLICY
from .ledger.mailboxes import SyncLease
from .links.upkeep import delete_dead_links
from .logins import Logins, log_in, scopes_of
from .postponed import PostponedCloser
from .problems import ConfigurationError
from .pump import Publish, Pump
from .reloading import LOOK_SECONDS, Reloader
from .settings import Settings
from .standstill import Standstill
from .started import AnyHandler, StartedHandlers
from .subscriptions import subscriptions_of
from .sync import Synchroniser
from .syncing import Syncs
from .together import cancel_all

log = structlog.get_logger()

_SPOOL_KEPT = timedelta(days=1)
_PRUNE_SECONDS = 3600.0
_REFRESH_SECONDS = 5.0
_POSTPONED_SECONDS = 60.0
_EXPIRE_SECONDS = 86_400.0
_RELEASE_SECONDS = 5.0


class WorkerProcess:
    """The parts of a worker, put together once for the life of the process."""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        handlers: dict[str, AnyHandler],
        publish: Publish,
        session: aiohttp.ClientSession,
    ) -> None:
        in_force = InForce.of(configuration, handlers)
        self._handlers = in_force.handlers
        self._retired: set[StartedHandlers] = set()
        self._session = session
        self.ledger = Ledger(
            settings.redis_url or "",
            lease_seconds=settings.lease_seconds,
            keys=settings.keys,
        )
        self._accounts = accounts_of(settings, configuration)
        self._logins = Logins(
            [log_in(account, session, self.ledger) for account in self._accounts],
            self.ledger.assignments,
        )
        self._store = EveryStore(self._logins)
        self._contexts = Contexts(self._store, self.ledger, settings.data, settings.links_url)
        synchroniser = Synchroniser(self._store_for, self.ledger, configuration)
        self._syncs = Syncs(synchroniser, self.ledger, self._logins, configuration, publish)
        self._deliverer = Deliverer(
            self.ledger.deliveries,
            in_force,
            self._contexts.of,
            self._contexts.read_again,
            self._files_over,
        )
        changes, later = self._contexts.changes, self._contexts.bulk_changes
        postponed = self.ledger.postponed
        self._closer = Closer(self.ledger.closing, postponed, self._handlers, changes)
        self._postponed = PostponedCloser(postponed, self._handlers, later)
        tokens = settings.webhook_verification_token
        token = tokens[0].get_secret_value() if tokens else None
        self._healer = Healer(
            self._logins,
            self.ledger,
            subscriptions_of(self._logins, self.ledger, settings.webhook_url, token, configuration),
            configuration,
            closes=bool(self._handlers.closing()),
        )
        self._pump = Pump(self.ledger, publish, self._renew, settings.lease_seconds)
        self._lease_seconds = settings.lease_seconds
        self._hold = BlockingHold(settings.redis_url or "", settings.lease_seconds)
        self._standstill: Standstill | None = None
        self._batches = Batches(COUNTS)
        self._background: set[asyncio.Task[None]] = set()
        self._configuration = configuration
        self._by_configuration: set[asyncio.Task[None]] = set()
        self._reloader = Reloader(configuration, self.ledger.configurations, self.adopt)

    async def start(self) -> None:
        """Start the handlers and what runs beside the tasks.

        Raises ConfigurationError for a Redis that throws keys away.
        """
        await self._insist_on_keeping()
        self._standstill = Standstill(self._hold_on, self._lease_seconds)
        self._beside(self._pump.run())
        self._begin_by(self._configuration, self._handlers)
        self._beside(self._repeat(self._renew, self._lease_seconds / 3))
        self._beside(self._repeat(self._prune, _PRUNE_SECONDS))
        self._beside(self._repeat(self._refresh, _REFRESH_SECONDS))
        self._beside(self._repeat(self._hand_on_counts, EVERY_SECONDS))
        self._beside(self._repeat(self._close_postponed, _POSTPONED_SECONDS))
        self._beside(self._repeat(self._expire, _EXPIRE_SECONDS))
        # A Redis that is away now is there for the first check of the subscription.
        with contextlib.suppress(LedgerError):
            await self._logins.refresh()
            await self.ledger.budgets.keep(scopes_of(self._accounts))
            await self._healer.begin()
        with contextlib.suppress(LedgerError):
            await self._reloader.begin()
        await self._handlers.start()
        self._beside(self._repeat(self._look_at_files, LOOK_SECONDS))
        self._beside(self._repeat(self._report, REPORT_SECONDS))

    async def adopt(self, configuration: Configuration, handlers: Mapping[str, AnyHandler]) -> None:
        """Go by another configuration from now on; what is under way ends as it began.

        Accounts, mailboxes and subscriptions stay as they are.
        """
        before, in_force = self._handlers, InForce.of(configuration, handlers)
        await in_force.handlers.start()
        self._configuration, self._handlers = configuration, in_force.handlers
        self._deliverer.in_force = in_force
        self._closer.handlers = self._postponed.handlers = in_force.handlers
        self._healer.closes = bool(in_force.handlers.closing())
        self._syncs.go_by(Synchroniser(self._store_for, self.ledger, configuration), configuration)
        await cancel_all(self._by_configuration)
        self._begin_by(configuration, in_force.handlers)
        self._retired.add(before)
        self._beside(self._retire(before))

    async def drain(self, grace: float) -> None:
        """Take nothing more up, and let what is under way end within `grace` seconds."""
        await self._deliverer.drain(grace)

    async def stop(self) -> None:
        """Give back what is claimed and close everything."""
        if self._standstill is not None:
            self._standstill.stop()
        await cancel_all(self._background | self._by_configuration)
        # A Redis that is away or hangs must not hold the end up: claims lapse by themselves.
        with contextlib.suppress(LedgerError, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._deliverer.release()
                await self._pump.stop()
                await self._reloader.leave()
                await self._hand_on_counts()
        for handlers in (self._handlers, *self._retired):
            await handlers.close()
        await self._contexts.close()
        await self._session.close()
        await self.ledger.close()
        self._hold.close()

    async def sync(self, mailboxes: Sequence[str]) -> None:
        """Synchronise the mailboxes hinted at, those that are watched and not just done."""
        await self._syncs.work(mailboxes)

    async def deliver(self) -> None:
        """Deliver what is due."""
        await self._deliverer.work()

    async def close(self) -> None:
        """Carry out the closing steps that are due."""
        await self._closer.work()

    async def heal(self) -> None:
        """Find the mailboxes and mend the subscription, if it is time to."""
        await self._healer.work()

    def _store_for(self, lease: SyncLease) -> MessageStore:
        store = self._logins.of(lease.mailbox).store
        # Nobody said that there is something new: that can wait for live work.
        return store if lease.hinted else store.in_bulk()

    def _files_over(self, mailbox: Mailbox, message_id: str) -> None:
        self._beside(self._contexts.spool.discard(mailbox, message_id))

    async def _insist_on_keeping(self) -> None:
        with contextlib.suppress(LedgerError):
            keeping = await self.ledger.keeping()
            if keeping.evicts:
                raise ConfigurationError([f"REDIS_URL: {keeping.evicts}; {SET_POLICY}"])
            for warning in keeping.warnings():
                log.warning("Redis may forget", reason=warning)

    def _hold_on(self) -> None:
        # The rest may lapse: who takes it over repeats some calls, and nothing else.
        self._hold.renew(self._deliverer.claims, self._contexts.leases)

    async def _renew(self) -> None:
        """Hold what this process has claimed for another lease."""
        # While Redis is away nothing can be renewed; the pump reports it.
        with contextlib.suppress(LedgerError):
            others = await self.ledger.deliveries.renew(self._deliverer.claims)
            self._deliverer.leave(others)
            await self.ledger.mailboxes.renew(self._syncs.leases)
            await self.ledger.closing.renew(self._closer.working)

    async def _refresh(self) -> None:
        """Learn which login looks after which mailbox now."""
        with contextlib.suppress(LedgerError):
            await self._logins.refresh()

    async def _look_at_files(self) -> None:
        """Take up the configuration as its files now are."""
        with contextlib.suppress(LedgerError):
            await self._reloader.look()

    async def _report(self) -> None:
        """Tell which configuration is in force."""
        with contextlib.suppress(LedgerError):
            await self._reloader.report()

    async def _retire(self, handlers: StartedHandlers) -> None:
        """Close handlers of a configuration before as soon as no delivery uses them."""
        await handlers.close_when_idle()
        self._retired.discard(handlers)

    async def _hand_on_counts(self) -> None:
        """Let others see what this process has counted."""
        with contextlib.suppress(LedgerError):
            await self.ledger.metrics.add(self._batches)

    async def _close_postponed(self) -> None:
        """Carry out closing steps that were put off for so long."""
        with contextlib.suppress(LedgerError):
            await self._postponed.work()

    async def _prune(self) -> None:
        """Drop spooled files that a killed worker left behind, and what links no longer open."""
        if dropped := await self._contexts.spool.sweep(_SPOOL_KEPT):
            log.info("old spooled files dropped", files=dropped)
        with contextlib.suppress(LedgerError):
            if deleted := await delete_dead_links(self._contexts.links_folder, self.ledger.links):
                log.info("contents of links deleted", files=deleted)

    async def _expire(self) -> None:
        """Remove archived messages whose time is over."""
        from .archive.upkeep import remove_what_is_expired  # brings the archive handler along

        await remove_what_is_expired(self._handlers.all)

    async def _repeat(self, work: Callable[[], Awaitable[None]], every: float) -> None:
        while True:
            try:
                await work()
            # What repeats beside the tasks must not end without a word.
            except Exception as error:
                log.error("upkeep failed", work=work.__name__, exc_info=error)
            await asyncio.sleep(every)

    def _begin_by(self, configuration: Configuration, handlers: StartedHandlers) -> None:
        """Begin what goes by itself, and begins anew with another configuration."""
        archives = archives_in(handlers.all)
        store_of = self._logins.store_of
        nightly = Nightly(self.ledger, store_of, configuration, archives)
        self._beside(nightly.run(), self._by_configuration)
        filler = Filler(self.ledger, store_of, configuration)
        self._beside(filler.run(), self._by_configuration)

    def _beside(
        self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]] | None = None
    ) -> None:
        tasks = self._background if tasks is None else tasks
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
