"""The access token that all processes share, encrypted when there is a key."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError

from message_store.token import Refusal, Token
from worker.encryption import Sealer

from .connection import Connection, key
from .leases import Lease

# A login takes a few seconds at most; a process that dies in one must not hold up the fleet.
_LOGIN_SECONDS = 30


class RedisTokenStore:
    """One token per credential in Redis, and the lock under which a new one is obtained.

    `scope` names the credential without telling it, so that two credentials never share a token.
    Times are kept by Redis' clock: those of two machines may differ.
    """

    def __init__(self, connection: Connection, scope: str, sealer: Sealer) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._key = key("token", scope)
        self._refusal_key = key("login-refused", scope)
        self._scope = scope
        self._sealer = sealer

    async def load(self) -> Token | None:
        """The token of the fleet, if there is one."""
        sealed = await self._redis.get(self._key)
        text = self._sealer.open(sealed) if sealed else None
        if text is None:
            return None
        try:
            token = Token.model_validate_json(text)
        except ValidationError:
            # Written by another version: the next login replaces it.
            return None
        if not self._sealer.is_current(sealed):
            await self._redis.set(self._key, self._sealer.seal(text), xx=True)
        return token.model_copy(update={"expires_at": token.expires_at - await self._ahead()})

    async def save(self, token: Token) -> None:
        """Share a new token."""
        kept = token.model_copy(update={"expires_at": token.expires_at + await self._ahead()})
        await self._redis.set(self._key, self._sealer.seal(kept.model_dump_json()))

    async def drop(self, access_token: str) -> None:
        """Forget the token, unless another process has put a newer one in its place."""
        current = await self.load()
        if current is not None and current.access_token == access_token:
            await self._redis.delete(self._key)

    async def refusal(self) -> Refusal | None:
        """The refusal of the last login, None if it was not refused."""
        text = await self._redis.get(self._refusal_key)
        if not text:
            return None
        refusal = Refusal.model_validate_json(text)
        return refusal.model_copy(update={"until": refusal.until - await self._ahead()})

    async def set_refusal(self, refusal: Refusal | None) -> None:
        """Keep what `refusal` tells."""
        if refusal is None:
            await self._redis.delete(self._refusal_key)
            return
        kept = refusal.model_copy(update={"until": refusal.until + await self._ahead()})
        await self._redis.set(self._refusal_key, kept.model_dump_json())

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Held by the one process that logs in; the others wait for its result."""
        lease = Lease(self._connection, f"login:{self._scope}", _LOGIN_SECONDS)
        while not await lease.hold():  # noqa: ASYNC110  # held by another process
            await asyncio.sleep(0.1)
        try:
            yield
        finally:
            await lease.release()

    async def _ahead(self) -> float:
        """By how many seconds the clock of Redis is ahead of ours."""
        seconds, micros = await self._redis.time()
        return float(seconds + micros / 1e6 - time.time())
