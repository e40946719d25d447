"""What the ledger knows of our subscription, so that only one that we made is ever adopted."""

import hashlib
import time
from collections.abc import Sequence

from pydantic import BaseModel

from .connection import Connection, key


class SubscriptionRecord(BaseModel):
    """Our subscription: its id, what it was made with, and whether it works.

    The verification token is kept as a digest only. `active_until` and `checked` are epoch
    seconds; a subscription with an `error` is not relied on.
    """

    id: str
    address: str
    token_digest: str
    filters: list[str]
    active_until: float = 0
    checked: float = 0
    error: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether notifications can be expected now."""
        return self.error is None and self.active_until > time.time()

    def made_with(self, address: str, token: str, filters: Sequence[str]) -> bool:
        """Whether it was made with this address, token and these filters."""
        return (self.address, self.token_digest, sorted(self.filters)) == (
            address,
            digest(token),
            sorted(filters),
        )


def digest(token: str) -> str:
    """A token's fingerprint: enough to compare, nothing to steal."""
    return hashlib.sha256(token.encode()).hexdigest()


# After a failed check the next one comes soon, then less and less so.
_FIRST_RETRY, _LONGEST_RETRY = 2.0, 60.0


class SubscriptionLedger:
    """The record of our subscription, and when it is checked next."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def load(self) -> SubscriptionRecord | None:
        """What is known, or None before the first subscription."""
        text = await self._redis.get(key("subscription"))
        return SubscriptionRecord.model_validate_json(text) if text else None

    async def save(self, record: SubscriptionRecord) -> None:
        """Write what is known now."""
        await self._redis.set(key("subscription"), record.model_dump_json())

    async def forget(self) -> None:
        """There is no subscription any more."""
        await self._redis.delete(key("subscription"))

    async def is_check_due(self) -> bool:
        """Whether it is time to compare what should be with what is."""
        return float(await self._redis.get(key("check-at")) or 0) <= time.time()

    async def check_in(self, seconds: float) -> None:
        """The check went well: the next one is so many seconds ahead."""
        await self._redis.delete(key("check-failures"))
        await self._redis.set(key("check-at"), str(time.time() + seconds))

    async def check_after_failure(self, interval: float, at_least: float) -> float:
        """The check failed: the next one comes soon, then less and less so; in how many seconds."""
        failures: int = await self._redis.incr(key("check-failures"))
        soon = min(_FIRST_RETRY * 2.0 ** min(failures - 1, 10), _LONGEST_RETRY, interval)
        wait = max(soon, at_least)
        await self._redis.set(key("check-at"), str(time.time() + wait))
        return wait

    async def check_now(self) -> None:
        """Make a check due at once (a worker starts, an address or token may have changed)."""
        await self._redis.delete(key("check-at"), key("check-failures"))

    async def problem(self) -> str | None:
        """Why the last check could not be carried out, None if it could."""
        text: str | None = await self._redis.get(key("problem"))
        return text

    async def set_problem(self, problem: str | None) -> bool:
        """Keep what `problem` tells; True if that is news."""
        before = await self.problem()
        if problem is None:
            await self._redis.delete(key("problem"))
        else:
            await self._redis.set(key("problem"), problem)
        return before != problem
