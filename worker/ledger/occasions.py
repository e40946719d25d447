"""What happens at most once in a while: the ledger of occasions that are taken."""

import hashlib
from datetime import timedelta

from .connection import Connection, key
from .patience import patiently


class OccasionLedger:
    """Occasions by name, each taken by one and free again after a while."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def take(self, name: str, taker: str, period: timedelta) -> bool:
        """Take the occasion for a period; True as well if this taker has it already."""
        # names have phone numbers in them, and keys show up in logs of Redis
        hashed = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:32]
        before = await patiently(
            lambda: self._redis.set(key("occasion", hashed), taker, nx=True, get=True, ex=period)
        )
        return before is None or before == taker
