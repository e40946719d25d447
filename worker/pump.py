"""The pump: hands due work to the queue and takes back what dead workers held.

A leased coroutine in every worker, so that no single process (beat least of all) is needed for
deliveries, retries and sweeps to go on.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import structlog

from .ledger import Ledger, LedgerError

log = structlog.get_logger()

_TICK = 0.1
_LEASE_SECONDS = 3.0
_RECLAIM_EVERY = 1.0
_STANDSTILL = 5 * _TICK  # a turn that is a little late is none

# Publishes one task: name, and its keyword arguments.
Publish = Callable[[str, dict[str, list[str]]], Awaitable[None]]
Renew = Callable[[], Awaitable[None]]


async def publish_if_possible(publish: Publish, task: str, **arguments: list[str]) -> None:
    """Publish a task; what cannot be published now the pump hands on when the broker is back."""
    with contextlib.suppress(OSError):
        await publish(task, arguments)


class Pump:
    """Wakes what is due: mailboxes to synchronise, deliveries, closing steps.

    `renew` holds what this process has claimed for another `lease_seconds`.
    """

    def __init__(
        self, ledger: Ledger, publish: Publish, renew: Renew, lease_seconds: float
    ) -> None:
        self._ledger = ledger
        self._publish = publish
        self._renew = renew
        self._lease_seconds = lease_seconds
        self._lease = ledger.lease("pump", _LEASE_SECONDS)
        # Redis may have come back a moment ago: those who live renew first, three times a lease.
        self._reclaim_at = time.monotonic() + lease_seconds / 3
        self._last_turn = time.time()

    async def run(self) -> None:
        """Pump until cancelled; another worker takes over within seconds."""
        away = False
        while True:
            try:
                if await self._lease.hold():
                    await self._turn()
                if away:
                    log.info("ledger is back")
                    away = False
            # LedgerError: Redis is away; OSError: the broker is. Both come back by themselves.
            except (LedgerError, OSError) as error:
                if not away:
                    log.error("ledger or broker is away, waiting for it", reason=str(error))
                away = True
                await self._wait_for_the_living()
            # A pump that ends would stop retries and sweeps without a word.
            except Exception as error:
                log.error("pump failed", exc_info=error)
            await asyncio.sleep(_TICK)

    async def stop(self) -> None:
        """Let another worker pump at once."""
        await self._lease.release()

    async def _wait_for_the_living(self) -> None:
        # After a standstill claims look lapsed: those who live renew them first.
        self._reclaim_at = time.monotonic() + self._lease_seconds
        await self._renew()

    async def _turn(self) -> None:
        # The wall clock goes on while the machine sleeps, and so do leases in Redis.
        stood_still = time.time() - self._last_turn > max(self._lease_seconds / 3, _STANDSTILL)
        self._last_turn = time.time()
        if stood_still:
            await self._wait_for_the_living()
        if time.monotonic() >= self._reclaim_at:
            self._reclaim_at = time.monotonic() + _RECLAIM_EVERY
            back = await self._ledger.deliveries.reclaim_lapsed()
            if back:
                log.warning("deliveries taken back from a worker that died", deliveries=back)
        due = await self._ledger.due_work()
        if due.mailboxes:
            await self._publish("worker.look", {"mailboxes": due.mailboxes})
        if due.deliveries:
            await self._publish("worker.deliver", {})
        if due.closing:
            await self._publish("worker.close", {})
        if due.check:
            await self._publish("worker.heal", {})
