"""Synchronises without a worker, so that a test sees each step of it."""

import math
from datetime import UTC, datetime
from pathlib import Path

from message_store.client import MessageStore
from worker.configuration import load
from worker.ledger import Ledger
from worker.ledger.records import Claim
from worker.sync import Synchroniser, SyncResult


class Mailman:
    """Synchronises the signed-in mailbox as a worker does, without its waits."""

    def __init__(self, store: MessageStore, ledger: Ledger, configuration: Path) -> None:
        self._ledger = ledger
        self._store = store
        self._configuration = load(configuration, {})
        self._synchroniser = Synchroniser(lambda _: store, ledger, self._configuration)

    async def synchronise(self) -> SyncResult:
        mailbox = await self._store.signed_in()
        start = self._configuration.sync.start_at(self._store.server_time() or datetime.now(UTC))
        await self._ledger.mailboxes.watch([mailbox], math.floor(start.timestamp()))
        redis = self._ledger.connection.redis
        await redis.hdel(f"ringpost:ledger:mailbox:{mailbox}", "started", "retry_at")
        lease = await self._ledger.mailboxes.claim(mailbox)
        assert lease is not None
        try:
            result = await self._synchroniser.synchronise(lease)
        except Exception:
            await self._ledger.mailboxes.finish(lease, 900, error="failed")
            raise
        await self._ledger.mailboxes.finish(lease, 900)
        return result

    async def due(self) -> set[str]:
        """The ids of the messages that are due, taken."""
        return {claim.message_id for claim in await self._ledger.deliveries.claim(10_000)}

    async def news(self) -> list[Claim]:
        """What is due, delivered at once."""
        claims = await self._ledger.deliveries.claim(10_000)
        for claim in claims:
            claim.delivery.state = "done"
            await self._ledger.deliveries.settle(claim)
        return claims
