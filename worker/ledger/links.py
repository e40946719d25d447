"""The ledger of links: how often each can still be opened, until it expires by itself.

Of a link only the SHA-256 of its token is known here, and nothing of what it leads to. Its views
are a list that gets shorter: Redis takes one in one step, and forgets an empty list.
"""

from collections.abc import Sequence
from datetime import timedelta

from .connection import Connection, key
from .patience import patiently


class LinkLedger:
    """Links by the SHA-256 of their tokens."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def add(self, id_: str, views: int, expires_in: timedelta) -> None:
        """Let a link be opened so many times from now on."""

        async def write() -> None:
            async with self._redis.pipeline() as pipe:
                pipe.delete(_key(id_))  # this call may be a repeat
                pipe.rpush(_key(id_), *range(views))
                pipe.pexpire(_key(id_), expires_in)
                await pipe.execute()

        await patiently(write)

    async def is_open(self, id_: str) -> bool:
        """Whether it can be opened."""
        return bool(await self._redis.exists(_key(id_)))

    async def spend(self, id_: str) -> int | None:
        """Take one of its views; how many are left, None if there was none."""
        async with self._redis.pipeline() as pipe:
            pipe.lpop(_key(id_))
            pipe.llen(_key(id_))
            taken, left = await pipe.execute()
        return None if taken is None else int(left)

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that can be opened."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.exists(_key(id_))
            found = await pipe.execute()
        return {id_ for id_, exists in zip(ids, found, strict=True) if exists}

    async def forget(self, id_: str) -> None:
        """Let it be opened no more."""
        await patiently(lambda: self._redis.delete(_key(id_)))


def _key(id_: str) -> str:
    return key("link", id_)
