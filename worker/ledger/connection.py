"""The ledger's connection: one Redis pool, and Lua scripts by name."""

from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

PREFIX = "ringpost:ledger:"
_SCRIPTS = Path(__file__).parent / "scripts"

# What the rest of the worker may catch without knowing Redis.
LedgerError = RedisError


@cache
def script_text(name: str) -> str:
    """The source of a script, with what all scripts share before it."""
    parts = ("prelude", "breakers", name)
    return "\n".join((_SCRIPTS / f"{part}.lua").read_text() for part in parts)


class Connection:
    """A pool of connections to one Redis; every change goes through a script that is one step."""

    def __init__(self, url: str, max_connections: int = 32) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=max_connections,
            timeout=10,
            decode_responses=True,
            socket_connect_timeout=5,
            socket_timeout=15,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=1, base=0.05), retries=3),
            retry_on_error=[RedisConnectionError, RedisTimeoutError],
        )
        # redis-py's types do not know that decode_responses makes every answer text.
        self.redis: Any = Redis(connection_pool=pool)
        self._registered: dict[str, Any] = {}

    async def run(self, script: str, *arguments: str | float) -> Any:
        """Run `scripts/<script>.lua` with these arguments."""
        registered = self._registered.get(script)
        if registered is None:
            registered = self._registered[script] = self.redis.register_script(script_text(script))
        return await registered(keys=[], args=list(arguments))

    async def close(self) -> None:
        """Give all connections back."""
        await self.redis.aclose()
        await self.redis.connection_pool.disconnect()


def key(name: str, *parts: str) -> str:
    """A key of the ledger: its prefix, a name, and what it belongs to."""
    return PREFIX + ":".join((name, *parts))
