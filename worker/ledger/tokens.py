"""The access token that all processes share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import ValidationError

from message_store.auth import Token

from .connection import Connection, key
from .leases import Lease

# A login takes a few seconds at most; a process that dies in one must not hold up the fleet.
_LOGIN_SECONDS = 30


class RedisTokenStore:
    """One token per credential in Redis, and the lock under which a new one is obtained.

    `scope` names the credential without telling it, so that two credentials never share a token.
    """

    def __init__(self, connection: Connection, scope: str) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._key = key("token", scope)
        self._scope = scope

    async def load(self) -> Token | None:
        """The token of the fleet, if there is one."""
        text = await self._redis.get(self._key)
        try:
            return Token.model_validate_json(text) if text else None
        except ValidationError:
            # Written by another version: the next login replaces it.
            return None

    async def save(self, token: Token) -> None:
        """Share a new token."""
        await self._redis.set(self._key, token.model_dump_json())

    async def drop(self, access_token: str) -> None:
        """Forget the token, unless another process has put a newer one in its place."""
        current = await self.load()
        if current is not None and current.access_token == access_token:
            await self._redis.delete(self._key)

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
