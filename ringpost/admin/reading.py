"""Reads from Redis what status and metrics show; many who ask at once share one reading."""

import asyncio
from dataclasses import dataclass

from ringpost.completeness_status import Completeness
from worker.ledger import Ledger, LedgerError, Overview

AWAY_AFTER = 1.5
"""Seconds without a sign of life after which Redis counts as away."""
_READ_WITHIN = 20.0


class RedisAwayError(Exception):
    """Redis does not answer; it is asked again with the next request."""


@dataclass(frozen=True)
class Facts:
    """What Redis told: the ledger at a glance, what processes counted, and the rest.

    `oldest_undelivered` is in epoch seconds, None when nothing waits.
    """

    overview: Overview
    counted: dict[str, float]
    oldest_undelivered: float | None
    completeness: Completeness


class Reader:
    """Reads the facts anew whenever somebody asks and no reading is under way."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._reading: asyncio.Task[Facts] | None = None

    async def read(self) -> Facts:
        """The facts as they are; raises RedisAwayError."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> Facts:
        try:
            async with asyncio.timeout(AWAY_AFTER):
                await self._ledger.ping()
            async with asyncio.timeout(_READ_WITHIN):
                return Facts(
                    await self._ledger.overview(),
                    await self._ledger.metrics.read(),
                    await self._ledger.oldest_undelivered(),
                    await Completeness.read(self._ledger),
                )
        except (LedgerError, OSError) as error:
            raise RedisAwayError from error
