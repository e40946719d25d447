"""Reconciles by itself, once in every interval: one worker of the fleet does it."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import structlog

from worker.configuration import Configuration
from worker.ledger import Ledger, LedgerError
from worker.ledger.reconciliation import LastReconciliation
from worker.wording import in_brief

from .reconciling import Reconciler, StoreOf, period
from .repairing import Repairer
from .round import go_round

log = structlog.get_logger()

_TICK = 20.0
_LEASE_SECONDS = 30.0
_AGAIN = timedelta(minutes=15)


class Nightly:
    """Compares what came lately, repairs it if that is configured, and keeps what was found."""

    def __init__(
        self,
        ledger: Ledger,
        store_of: StoreOf,
        configuration: Configuration,
        archives: Mapping[str, Path],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._settings = configuration.reconcile
        self._reconciler = Reconciler(ledger, store_of, configuration, archives)
        self._repairer = Repairer(ledger, store_of, configuration, archives)
        self._lease = ledger.lease("reconcile", _LEASE_SECONDS)
        self._now = now

    async def run(self) -> None:
        """Reconcile whenever it is time to, until cancelled."""
        every = self._settings.every
        while every is not None:
            try:
                if await self._is_due(every):
                    async with self._lease.while_held() as held:
                        if held and await self._is_due(every):
                            await self._reconcile()
            except LedgerError as error:
                log.debug("reconciliation waits for the ledger", reason=str(error))
            # A coroutine that ends would let losses go unnoticed without a word.
            except Exception as error:
                log.error("reconciliation failed", exc_info=error)
                with contextlib.suppress(LedgerError):
                    await self._failed(in_brief(error))
            await asyncio.sleep(min(_TICK, every.total_seconds()))

    async def _is_due(self, every: timedelta) -> bool:
        now = self._now()
        last = await self._ledger.reconciliation.turn(now)
        return next_turn(last.at, every, self._settings.at) <= now or (
            last.again is not None and last.again <= now
        )

    async def _reconcile(self) -> None:
        now = self._now()
        done = await go_round(
            self._reconciler,
            self._repairer if self._settings.repair else None,
            await self._ledger.mailboxes.watched(),
            period(now - self._settings.since, None, now),
        )
        found = done.summary(now)
        await self._ledger.reconciliation.save(found)
        # One mailbox that can never be read must not have all the others compared again and again.
        again = now + _AGAIN if done.problems and not done.found else None
        await self._ledger.reconciliation.take_turn(now, again)
        log.log(
            20 if done.is_complete else 30,
            "reconciled",
            listed=found.listed,
            missing=found.missing,
            failed=found.failed,
            extra=found.extra,
            repaired=found.repaired,
            unread=len(found.unread),
        )

    async def _failed(self, words: str) -> None:
        now = self._now()
        begin, end = period(now - self._settings.since, None, now)
        found = LastReconciliation(at=now, since=begin, until=end, problem=words)
        await self._ledger.reconciliation.save(found)
        await self._ledger.reconciliation.take_turn(now, now + _AGAIN)


def next_turn(now: datetime, every: timedelta, at: time) -> datetime:
    """The next turn after `now`: every day at `at` (UTC), or so often, counted from that hour."""
    anchor = datetime.combine(date(1970, 1, 1), at, UTC)
    return anchor + every * (math.floor((now - anchor) / every) + 1)
