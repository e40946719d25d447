"""RingCentral's rate limits as one pause per group that the whole fleet keeps.

A request sent during the penalty restarts it, so nobody sends before it is over.
Source: https://developers.ringcentral.com/guide/basics/rate-limits
"""

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from message_store.errors import RateLimited

from .connection import Connection, key

# A pause shorter than this is waited for in place; a longer one gives the task's place back.
_PATIENCE = 2.0
_PENALTY = 60.0
# No answer may silence the fleet for longer.
_LONGEST = 3600.0
_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# How long a process relies on what it last read of the pauses that others set.
_FRESH = 0.1


class RedisLimits:
    """Learns each operation's group from the answers and pauses the group for all processes."""

    def __init__(self, connection: Connection, scope: str) -> None:
        self._redis = connection.redis
        self._groups_key = key("groups", scope)
        self._paused_key = key("paused", scope)
        self._groups: dict[str, str] = {}
        self._pauses: dict[str, float] = {}
        self._read_again = 0.0
        self._ahead = 0.0

    async def before(self, operation: str) -> None:
        """Wait for a short pause of the operation's group; RateLimited for a long one."""
        while (left := await self._pause_left(operation)) > 0:
            if left > _PATIENCE:
                group = self._groups.get(operation, operation)
                raise RateLimited(f"rate limit of group {group} is used up", retry_after=left)
            await asyncio.sleep(left)

    async def after(self, operation: str, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer; pause the group on 429 or when nothing remains of the window."""
        group = headers.get("X-Rate-Limit-Group")
        if group and not _GROUP.fullmatch(group):
            group = None
        if group and self._groups.get(operation) != group:
            self._groups[operation] = group
            await self._redis.hset(self._groups_key, operation, group)
        if status == 429:
            known = group or self._groups.get(operation, operation)
            await self._pause(known, _seconds(headers, "Retry-After"))
        elif group and headers.get("X-Rate-Limit-Remaining") == "0":
            await self._pause(group, _seconds(headers, "X-Rate-Limit-Window"))

    async def paused(self) -> dict[str, datetime]:
        """The groups that are paused, and until when."""
        await self._refresh()
        return {
            group: datetime.fromtimestamp(until, UTC)
            for group, until in self._pauses.items()
            if until > self._now()
        }

    async def _pause(self, group: str, seconds: float) -> None:
        await self._refresh()
        until = max(self._now() + seconds, self._pauses.get(group, 0.0))
        self._pauses[group] = until
        await self._redis.hset(self._paused_key, group, str(until))

    async def _pause_left(self, operation: str) -> float:
        if time.monotonic() >= self._read_again:
            await self._refresh()
        until = self._pauses.get(self._groups.get(operation, operation), 0.0)
        return until - self._now()

    async def _refresh(self) -> None:
        self._read_again = time.monotonic() + _FRESH
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._groups_key)
            pipe.hgetall(self._paused_key)
            pipe.time()
            groups, pauses, (seconds, micros) = await pipe.execute()
        self._groups = groups
        self._pauses = {group: float(until) for group, until in pauses.items()}
        self._ahead = seconds + micros / 1e6 - time.monotonic()

    def _now(self) -> float:
        """The clock of Redis, which all processes share."""
        return time.monotonic() + self._ahead


def _seconds(headers: Mapping[str, str], name: str) -> float:
    try:
        seconds = float(headers.get(name, ""))
    except ValueError:
        return _PENALTY
    return min(seconds, _LONGEST) if seconds >= 0 else _PENALTY
