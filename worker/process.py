"""One worker process: everything it holds open, and the work that its tasks ask for."""

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.errors import RateLimited, RingCentralError
from message_store.mailbox import Mailbox

from .closing import Closer
from .configuration import Configuration
from .delivery import Deliverer, StepAddress
from .failures import is_foreseen, reason
from .handlers.context import DeliveryContext
from .handlers.egress import Egress
from .ledger import Ledger, LedgerError, credential_scope
from .ledger.mailboxes import EVERY_MAILBOX, SyncLease
from .pump import Publish, Pump
from .schedule import poll_seconds, sweep_seconds
from .settings import Settings
from .spool import Spool
from .started import AnyHandler, StartedHandlers
from .subscriptions import Subscriptions
from .sync import OvertakenError, Synchroniser, retry_in
from .together import all_of, cancel_all
from .watching import find_mailboxes
from .wording import in_brief

log = structlog.get_logger()

_SYNCS_AT_ONCE = 20
_HEAL_LEASE_SECONDS = 60.0
_SPOOL_KEPT = timedelta(days=1)
_PRUNE_SECONDS = 3600.0
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
        self._configuration = configuration
        self._handlers = StartedHandlers(handlers)
        self._start = configuration.sync.start_at(datetime.now(UTC)).timestamp()
        self._publish = publish
        self._session = session
        credentials = Credentials(
            settings.rc_client_id or "",
            _secret(settings.rc_client_secret),
            _secret(settings.rc_jwt),
        )
        scope = credential_scope(credentials.client_id, credentials.jwt.get_secret_value())
        self.ledger = Ledger(
            settings.redis_url or "", lease_seconds=settings.lease_seconds, scope=scope
        )
        limits = self.ledger.limits
        authenticator = Authenticator(
            session, settings.server, credentials, self.ledger.tokens, limits
        )
        self._store = MessageStore(session, settings.server, authenticator, limits)
        self._spool = Spool(settings.data / "spool", self._store)
        self._egress = Egress()
        self._synchroniser = Synchroniser(self._store, self.ledger.mailboxes, configuration)
        self._deliverer = Deliverer(
            self.ledger.deliveries,
            {route.name: route for route in configuration.routes},
            self._handlers,
            self._context,
            self._files_over,
        )
        self._closer = Closer(
            self.ledger.closing,
            self._handlers.closing(),
            self._store,
        )
        tokens = settings.webhook_verification_token
        self._subscriptions = Subscriptions(
            self._store,
            self.ledger.subscription,
            settings.webhook_url,
            tokens[0].get_secret_value() if tokens else None,
        )
        self._pump = Pump(self.ledger, publish, self._renew, settings.lease_seconds)
        self._lease_seconds = settings.lease_seconds
        self._syncs = asyncio.Semaphore(_SYNCS_AT_ONCE)
        self._syncing: list[SyncLease] = []
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the handlers and what runs beside the tasks."""
        self._beside(self._pump.run())
        self._beside(self._keep_claims())
        self._beside(self._prune())
        # An address or token may have changed since the last start.
        with contextlib.suppress(LedgerError):
            await self.ledger.mailboxes.first_start(self._start)
            await self.ledger.subscription.check_now()
        await self._handlers.start()

    async def drain(self, grace: float) -> None:
        """Take nothing more up, and let what is under way end within `grace` seconds."""
        await self._deliverer.drain(grace)

    async def stop(self) -> None:
        """Give back what is claimed and close everything."""
        await cancel_all(self._background)
        # A Redis that is away or hangs must not hold the end up: claims lapse by themselves.
        with contextlib.suppress(LedgerError, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._deliverer.release()
                await self._pump.stop()
        await self._handlers.close()
        await self._egress.close()
        await self._session.close()
        await self.ledger.close()

    async def sync(self, mailboxes: Sequence[str]) -> None:
        """Synchronise the mailboxes hinted at, those that are watched and not just done."""
        due = await self.ledger.mailboxes.hint(await self._resolved(mailboxes))
        await all_of(self._sync_one(mailbox) for mailbox in due)

    async def deliver(self) -> None:
        """Deliver what is due."""
        await self._deliverer.work()

    async def close(self) -> None:
        """Carry out the closing steps that are due."""
        await self._closer.work()

    async def heal(self) -> None:
        """Find the mailboxes and mend the subscription, if it is time to."""
        ledger = self.ledger.subscription
        lease = self.ledger.lease("heal", _HEAL_LEASE_SECONDS)
        if not await ledger.is_check_due() or not await lease.hold():
            return
        again = self._configuration.subscriptions.check_interval.total_seconds()
        record = await ledger.load()
        try:
            mailboxes = await find_mailboxes(self._store, self._configuration.mailboxes)
            await self.ledger.mailboxes.watch(mailboxes, await self._floor())
            if await self._subscriptions.heal(mailboxes):
                await self._try_publish("worker.sync", mailboxes=[EVERY_MAILBOX])
            await ledger.check_in(again, failed=False)
            if await ledger.set_problem(None):
                log.info("mailboxes and subscription are looked after again")
        except RingCentralError as error:
            wait = max(await ledger.check_in(again, failed=True), error.retry_after or 0)
            if await ledger.set_problem(in_brief(error)):
                log.error(
                    "mailboxes and subscription cannot be looked after",
                    reason=in_brief(error),
                    retry_in=round(wait),
                )
            if record is not None and record.is_active:
                # From now on mailboxes are polled; the next sweep may be a quarter of an hour away.
                await self._try_publish("worker.sync", mailboxes=[EVERY_MAILBOX])
        finally:
            await lease.release()

    async def _floor(self) -> float:
        """The very first start in RingCentral's time, which may not be ours."""
        start = await self.ledger.mailboxes.first_start(self._start)
        now = datetime.now(UTC)
        ahead = (self._store.server_time() or now) - now
        # RingCentral may cut creation times to whole seconds.
        return math.floor(start + ahead.total_seconds())

    async def _sync_one(self, mailbox: Mailbox) -> None:
        async with self._syncs:
            lease = await self.ledger.mailboxes.claim(mailbox)
            if lease is None:
                return
            self._syncing.append(lease)
            try:
                await self._sync_leased(lease)
            finally:
                self._syncing.remove(lease)

    async def _sync_leased(self, lease: SyncLease) -> None:
        try:
            result = await self._synchroniser.synchronise(lease)
        except OvertakenError as overtaken:
            log.warning("sync overtaken", reason=str(overtaken))
            return
        except LedgerError:
            raise  # the lease lapses; the task says that the ledger is away
        # One mailbox whose answers nobody foresaw must not stop the others.
        except Exception as error:  # noqa: BLE001
            await self._sync_failed(lease, error)
            return
        await self.ledger.mailboxes.finish(lease, await self._interval())
        if result.delivered:
            await self._try_publish("worker.deliver")
        if result.created or result.updated or result.missed:
            log.info(
                "mailbox synchronised",
                mailbox=str(lease.mailbox),
                new=result.created,
                changed=result.updated,
                missed=result.missed,
            )

    async def _sync_failed(self, lease: SyncLease, error: Exception) -> None:
        asked = error.retry_after if isinstance(error, RingCentralError) else None
        wait = retry_in(asked, lease.failures)
        await self.ledger.mailboxes.finish(lease, wait, error=reason(error))
        if not isinstance(error, RateLimited):
            log.warning(
                "sync failed",
                mailbox=str(lease.mailbox),
                reason=reason(error),
                retry_in=round(wait),
                exc_info=None if is_foreseen(error) else error,
            )

    async def _interval(self) -> float:
        setting = self._configuration.sync.sweep_interval
        mailboxes = await self.ledger.mailboxes.count()
        record = await self.ledger.subscription.load()
        active = record is not None and record.is_active
        return sweep_seconds(setting, mailboxes) if active else poll_seconds(setting, mailboxes)

    async def _resolved(self, mailboxes: Sequence[str]) -> list[str]:
        """Old notifications do not name the account: find it among the watched mailboxes."""
        if not any(name.startswith("~/") for name in mailboxes):
            return list(mailboxes)
        watched = await self.ledger.mailboxes.watched()
        by_extension = {mailbox.extension_id: str(mailbox) for mailbox in watched}
        return [by_extension.get(name.removeprefix("~/"), name) for name in mailboxes]

    async def _try_publish(self, task: str, **arguments: list[str]) -> None:
        # What cannot be published now is handed on by the pump when the broker is back.
        with contextlib.suppress(OSError):
            await self._publish(task, arguments)

    def _context(self, step: StepAddress) -> DeliveryContext:
        return DeliveryContext(
            mailbox=step.mailbox,
            message=step.message,
            route=step.route,
            step=step.step,
            attempt=step.attempt,
            store=self._store,
            spool=self._spool,
            http=self._egress,
        )

    def _files_over(self, mailbox: Mailbox, message_id: str) -> None:
        self._beside(self._spool.discard(mailbox, message_id))

    async def _keep_claims(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            await self._renew()

    async def _renew(self) -> None:
        # While Redis is away nothing can be renewed; the pump reports it.
        with contextlib.suppress(LedgerError):
            await self.ledger.deliveries.renew(self._deliverer.claims)
            await self.ledger.mailboxes.renew(self._syncing)
            await self.ledger.closing.renew(self._closer.working)

    async def _prune(self) -> None:
        """Drop spooled files that a killed worker left behind."""
        while True:
            with contextlib.suppress(OSError):
                if dropped := await self._spool.sweep(_SPOOL_KEPT):
                    log.info("old spooled files dropped", files=dropped)
            await asyncio.sleep(_PRUNE_SECONDS)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _secret(value: SecretStr | None) -> SecretStr:
    return value or SecretStr("")
