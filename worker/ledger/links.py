"""The ledger of links: how often each can still be opened, until it expires by itself.

Of a link only the SHA-256 of its token is known here, and nothing of what it leads to.
"""

from collections.abc import Sequence
from datetime import timedelta

from .connection import Connection, key
from .patience import patiently


class LinkLedger:
    """Links by the SHA-256 of their tokens."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._redis = connection.redis

    async def add(self, id_: str, views: int, expires_in: timedelta) -> None:
        """Let a link be opened so many times from now on."""
        seconds = max(1, int(expires_in.total_seconds()))
        await patiently(lambda: self._redis.set(key("link", id_), views, ex=seconds))

    async def is_open(self, id_: str) -> bool:
        """Whether it can be opened."""
        return bool(await self._redis.exists(key("link", id_)))

    async def spend(self, id_: str) -> int | None:
        """Take one of its views; how many are left, None if there was none."""
        left = await self._connection.run("spend_link", id_)
        return None if left < 0 else int(left)

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that can be opened."""
        values = await self._redis.mget([key("link", id_) for id_ in ids]) if ids else []
        return {id_ for id_, value in zip(ids, values, strict=True) if value is not None}

    async def forget(self, id_: str) -> None:
        """Let it be opened no more."""
        await patiently(lambda: self._redis.delete(key("link", id_)))
