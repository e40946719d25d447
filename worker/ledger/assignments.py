"""The ledger of who looks after which mailbox, and of what they lack for it."""

import time
from collections.abc import Collection, Mapping, Sequence

import orjson

from message_store.mailbox import Mailbox

from .connection import Connection, key


class AssignmentLedger:
    """Which credential (by scope) each watched mailbox is looked after with."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def load(self) -> dict[Mailbox, str]:
        """All mailboxes with their scopes."""
        found = await self._redis.hgetall(key("assigned"))
        return {Mailbox.parse(name): scope for name, scope in found.items()}

    async def save(self, assigned: Mapping[Mailbox, str]) -> None:
        """These mailboxes, and no others."""
        async with self._redis.pipeline() as pipe:
            pipe.delete(key("assigned"))
            if assigned:
                pipe.hset(key("assigned"), mapping={str(m): s for m, s in assigned.items()})
            await pipe.execute()


class PermissionLedger:
    """What one credential lacks for each mailbox, and when that was asked (epoch seconds)."""

    def __init__(self, connection: Connection, scope: str) -> None:
        self._redis = connection.redis
        self._key = key("permissions", scope)

    async def load(self) -> dict[Mailbox, tuple[Sequence[str], float]]:
        """Per mailbox the missing permissions, and when they were asked for."""
        found = await self._redis.hgetall(self._key)
        read = ((name, orjson.loads(text)) for name, text in found.items())
        return {Mailbox.parse(name): (told["missing"], told["at"]) for name, told in read}

    async def save(self, mailbox: Mailbox, missing: Sequence[str]) -> None:
        """Keep an answer."""
        told = orjson.dumps({"missing": list(missing), "at": time.time()}).decode()
        await self._redis.hset(self._key, str(mailbox), told)

    async def keep_only(self, mailboxes: Collection[Mailbox]) -> None:
        """Forget mailboxes that are not among these."""
        known = await self._redis.hkeys(self._key)
        if gone := set(known) - {str(mailbox) for mailbox in mailboxes}:
            await self._redis.hdel(self._key, *gone)
