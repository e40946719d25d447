"""RingCentral's rate limits as one pause per group that the whole fleet keeps.

A request sent during the penalty restarts it, so nobody sends before it is over.
Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from message_store.errors import RateLimited

from .connection import Connection, key

# A pause shorter than this is waited for in place; a longer one gives the task's place back.
_PATIENCE = 2.0
_PENALTY = 60.0


class RedisLimits:
    """Learns each operation's group from the answers and pauses the group for all processes."""

    def __init__(self, connection: Connection, scope: str) -> None:
        self._redis = connection.redis
        self._groups_key = key("groups", scope)
        self._paused_key = key("paused", scope)
        self._groups: dict[str, str] = {}

    async def before(self, operation: str) -> None:
        """Wait for a short pause of the operation's group; RateLimited for a long one."""
        group = self._groups.get(operation) or await self._redis.hget(self._groups_key, operation)
        left = await self._pause_left(group or operation)
        while left > 0:
            if left > _PATIENCE:
                raise RateLimited(
                    f"rate limit of group {group or operation} is used up", retry_after=left
                )
            await asyncio.sleep(left)
            left = await self._pause_left(group or operation)

    async def after(self, operation: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; pause the group on 429 or when nothing remains of the window."""
        group = headers.get("X-Rate-Limit-Group")
        if group and self._groups.get(operation) != group:
            self._groups[operation] = group
            await self._redis.hset(self._groups_key, operation, group)
        if status == 429:
            await self._pause(group or operation, _seconds(headers, "Retry-After"))
        elif group and headers.get("X-Rate-Limit-Remaining") == "0":
            await self._pause(group, _seconds(headers, "X-Rate-Limit-Window"))

    async def paused(self) -> dict[str, datetime]:
        """The groups that are paused, and until when."""
        now = await self._now()
        pauses = await self._redis.hgetall(self._paused_key)
        return {
            group: datetime.fromtimestamp(float(until), UTC)
            for group, until in pauses.items()
            if float(until) > now
        }

    async def _pause(self, group: str, seconds: float) -> None:
        await self._redis.hset(self._paused_key, group, str(await self._now() + seconds))

    async def _pause_left(self, group: str) -> float:
        until = await self._redis.hget(self._paused_key, group)
        return float(until) - await self._now() if until else 0.0

    async def _now(self) -> float:
        seconds, micros = await self._redis.time()
        return float(seconds) + float(micros) / 1e6


def _seconds(headers: Mapping[str, str], name: str) -> float:
    try:
        return max(float(headers.get(name, "")), 0.0)
    except ValueError:
        return _PENALTY
