"""One worker process: everything it holds open, and the work that its tasks ask for."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr

from message_store.auth import Authenticator, Credentials
from message_store.client import MessageStore
from message_store.errors import RateLimited, RingCentralError
from message_store.mailbox import Mailbox

from .cancelling import cancel_all
from .closing import Closer
from .configuration import Configuration
from .delivery import Deliverer, StepAddress
from .handlers.context import DeliveryContext
from .handlers.contract import ClosingHandler, Handler
from .handlers.egress import Egress
from .ledger import Ledger, LedgerError, credential_scope
from .ledger.mailboxes import EVERY_MAILBOX, SyncLease
from .pump import Publish, Pump
from .schedule import poll_seconds, sweep_seconds
from .settings import Settings
from .spool import Spool
from .subscriptions import Subscriptions
from .sync import OvertakenError, Synchroniser, retry_in
from .watching import find_mailboxes
from .wording import in_brief

log = structlog.get_logger()

_SYNCS_AT_ONCE = 20
_HEAL_LEASE_SECONDS = 60.0
_SPOOL_KEPT = timedelta(days=1)


class WorkerProcess:
    """The parts of a worker, put together once for the life of the process."""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        handlers: dict[str, Handler | ClosingHandler],
        publish: Publish,
        session: aiohttp.ClientSession,
    ) -> None:
        self._configuration = configuration
        self._handlers = handlers
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
            handlers,
            self._context,
            self._files_over,
        )
        self._closer = Closer(
            self.ledger.closing,
            {name: step for name, step in handlers.items() if isinstance(step, ClosingHandler)},
            self._store,
        )
        tokens = settings.webhook_verification_token
        self._subscriptions = Subscriptions(
            self._store,
            self.ledger.subscription,
            settings.webhook_url,
            tokens[0].get_secret_value() if tokens else None,
        )
        self._pump = Pump(self.ledger, publish, settings.lease_seconds)
        self._lease_seconds = settings.lease_seconds
        self._syncs = asyncio.Semaphore(_SYNCS_AT_ONCE)
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the handlers and what runs beside the tasks."""
        for handler in self._handlers.values():
            await handler.start()
        # An address or token may have changed since the last start.
        with contextlib.suppress(LedgerError):
            await self.ledger.subscription.check_now()
        self._beside(self._pump.run())
        self._beside(self._keep_claims())

    async def stop(self) -> None:
        """Give back what is claimed and close everything."""
        await cancel_all(self._background)
        with contextlib.suppress(LedgerError):
            await self._deliverer.release()
            await self._pump.stop()
        for handler in self._handlers.values():
            await handler.close()
        await self._egress.close()
        await self._session.close()
        await self.ledger.close()

    async def sync(self, mailboxes: Sequence[str]) -> None:
        """Synchronise the mailboxes hinted at, those that are watched and not just done."""
        due = await self.ledger.mailboxes.hint(await self._resolved(mailboxes))
        await asyncio.gather(*map(self._sync_one, due))

    async def deliver(self) -> None:
        """Deliver what is due."""
        await self._deliverer.work()

    async def close(self) -> None:
        """Carry out the closing steps that are due."""
        await self._closer.work()

    async def heal(self) -> None:
        """Find the mailboxes and mend the subscription, if it is time to."""
        lease = self.ledger.lease("heal", _HEAL_LEASE_SECONDS)
        if not await self.ledger.subscription.is_check_due() or not await lease.hold():
            return
        again = self._configuration.subscriptions.check_interval.total_seconds()
        try:
            mailboxes = await find_mailboxes(self._store, self._configuration.mailboxes)
            await self.ledger.mailboxes.watch(mailboxes)
            if await self._subscriptions.heal(mailboxes):
                await self._try_publish("worker.sync", mailboxes=[EVERY_MAILBOX])
            await self.ledger.subscription.check_in(again, failed=False)
        except RingCentralError as error:
            wait = await self.ledger.subscription.check_in(again, failed=True)
            wait = max(wait, error.retry_after or 0)
            log.warning("no subscription, polling", reason=str(error), retry_in=round(wait))
        finally:
            await lease.release()

    async def prune(self) -> None:
        """Drop spooled files that a killed worker left behind."""
        dropped = await self._spool.sweep(_SPOOL_KEPT)
        if dropped:
            log.info("old spooled files dropped", files=dropped)

    async def _sync_one(self, mailbox: Mailbox) -> None:
        async with self._syncs:
            lease = await self.ledger.mailboxes.claim(mailbox)
            if lease is None:
                return
            try:
                result = await self._synchroniser.synchronise(lease)
            except OvertakenError as lost:
                log.warning("sync overtaken", reason=str(lost))
                return
            except RingCentralError as error:
                await self._sync_failed(lease, error)
                return
            await self.ledger.mailboxes.finish(lease, await self._interval())
            if result.delivered:
                await self._try_publish("worker.deliver")
            if result.created or result.updated or result.missed:
                log.info(
                    "mailbox synchronised",
                    mailbox=str(mailbox),
                    new=result.created,
                    changed=result.updated,
                    missed=result.missed,
                )

    async def _sync_failed(self, lease: SyncLease, error: RingCentralError) -> None:
        wait = retry_in(error, lease.failures)
        await self.ledger.mailboxes.finish(lease, wait, error=in_brief(error))
        if not isinstance(error, RateLimited):
            log.warning(
                "sync failed", mailbox=str(lease.mailbox), reason=str(error), retry_in=round(wait)
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
            # While Redis is away claims cannot be renewed; the pump reports it.
            with contextlib.suppress(LedgerError):
                await self.ledger.deliveries.renew(self._deliverer.claims)

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _secret(value: SecretStr | None) -> SecretStr:
    return value or SecretStr("")
