"""What all processes have counted, added up; kept apart from the ledger's own facts."""

from metrics.batches import ADD, KEY, Batches

from .connection import Connection


class MetricsLedger:
    """Adds what a process has counted, and reads what all have."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis
        self._add = self._redis.register_script(ADD)

    async def add(self, batches: Batches) -> None:
        """Hand on what was counted; after a LedgerError the same is sent again next time."""
        if arguments := batches.next():
            await self._add(keys=batches.keys, args=arguments)
            batches.arrived()

    async def read(self) -> dict[str, float]:
        """All counts by field (see `Counts.take`)."""
        return {name: float(text) for name, text in (await self._redis.hgetall(KEY)).items()}
