"""The ledger of who looks after which mailbox, and of what they lack for it."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson
from pydantic import BaseModel

from message_store.mailbox import Mailbox

from .connection import Connection, key


@dataclass(frozen=True)
class Readers:
    """Which mailboxes each credential (by scope) may read, and which credentials are refused."""

    readable: Mapping[str, Collection[Mailbox]]
    refused: Collection[str]


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

    async def may_read(self, scope: str, mailboxes: Collection[Mailbox]) -> None:
        """This credential may log in, and read these mailboxes."""
        names = orjson.dumps([str(mailbox) for mailbox in mailboxes]).decode()
        await self._redis.hset(key("readable"), scope, names)
        await self._redis.srem(key("refused-logins"), scope)

    async def is_refused(self, scope: str) -> None:
        """This credential may not log in; what it could read is kept."""
        await self._redis.sadd(key("refused-logins"), scope)

    async def readers(self, scopes: Collection[str]) -> Readers:
        """What is known of these credentials; that of any others is forgotten."""
        found = await self._redis.hgetall(key("readable"))
        if gone := found.keys() - set(scopes):
            await self._redis.hdel(key("readable"), *gone)
        readable = {
            scope: [Mailbox.parse(name) for name in orjson.loads(found[scope])]
            for scope in scopes
            if scope in found
        }
        return Readers(readable, await self._redis.smembers(key("refused-logins")))


class Lack(BaseModel):
    """Permissions that a user lacks for a mailbox; `title` is its extension, `at` epoch seconds."""

    missing: list[str]
    title: str
    at: float


class PermissionLedger:
    """What one credential lacks for each mailbox, and when that was asked."""

    def __init__(self, connection: Connection, scope: str) -> None:
        self._redis = connection.redis
        self._key = key("permissions", scope)

    async def load(self) -> dict[Mailbox, Lack]:
        """What was answered for each mailbox, also when nothing is missing."""
        found = await self._redis.hgetall(self._key)
        return {Mailbox.parse(name): Lack.model_validate_json(t) for name, t in found.items()}

    async def save(self, mailbox: Mailbox, missing: Sequence[str], title: str) -> Lack:
        """Keep an answer."""
        lack = Lack(missing=list(missing), title=title, at=time.time())
        await self._redis.hset(self._key, str(mailbox), lack.model_dump_json())
        return lack

    async def keep_only(self, mailboxes: Collection[Mailbox]) -> None:
        """Forget mailboxes that are not among these."""
        known = await self._redis.hkeys(self._key)
        if gone := set(known) - {str(mailbox) for mailbox in mailboxes}:
            await self._redis.hdel(self._key, *gone)
