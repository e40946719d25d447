"""Which configuration each worker goes by, and which routes and steps some worker knows."""

import contextlib
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ValidationError

from .connection import Connection, key

REPORT_SECONDS = 15.0
# Who has not reported for so long is gone.
_GONE_SECONDS = 60.0


class ConfigurationStatus(BaseModel):
    """The configuration that a worker goes by, since when.

    `digest` tells two states of the files apart; `refused` is why the files as they are now are
    not taken up; `after_restart` what of them counts only when the worker starts again.
    """

    worker: str
    file: str
    digest: str
    since: datetime
    refused: str | None = None
    after_restart: list[str] = []
    reported: float = 0.0


class ConfigurationLedger:
    """What workers report of their configurations."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def report(self, status: ConfigurationStatus, names: Iterable[str]) -> None:
        """Keep what a worker goes by; `names` are those of its routes and steps."""
        now = await self._now()
        told = status.model_copy(update={"reported": now})
        async with self._redis.pipeline() as pipe:
            pipe.hset(key("configurations"), status.worker, told.model_dump_json())
            for name in names:
                pipe.zadd(key("names-known"), {name: now})
                pipe.hsetnx(key("names-since"), name, str(now))
            pipe.zremrangebyscore(key("names-known"), "-inf", now - _GONE_SECONDS)
            await pipe.execute()

    async def withdraw(self, names: Iterable[str]) -> None:
        """These names are in no file any more; a worker that still has them tells so again."""
        if gone := list(names):
            async with self._redis.pipeline() as pipe:
                pipe.zrem(key("names-known"), *gone)
                pipe.hdel(key("names-since"), *gone)
                await pipe.execute()

    async def leave(self, worker: str) -> None:
        """A worker ends; what only it knew, nobody knows any more."""
        await self._redis.hdel(key("configurations"), worker)
        if not await self.read():
            await self._redis.delete(key("names-known"))

    async def is_known(self, name: str) -> bool:
        """Whether some worker has lately had a route or step of this name."""
        score = await self._redis.zscore(key("names-known"), name)
        return score is not None and score > await self._now() - _GONE_SECONDS

    async def read(self) -> list[ConfigurationStatus]:
        """What each worker goes by that has reported lately."""
        since = await self._now() - _GONE_SECONDS
        found = []
        for text in (await self._redis.hgetall(key("configurations"))).values():
            with contextlib.suppress(ValidationError):  # of a version to come
                found.append(ConfigurationStatus.model_validate_json(text))
        return sorted(
            (one for one in found if one.reported > since), key=lambda one: (one.since, one.worker)
        )

    async def _now(self) -> float:
        seconds, _ = await self._redis.time()
        return float(seconds)


def route_named(name: str) -> str:
    """A route among the names."""
    return f"route\t{name}"


def step_named(name: str) -> str:
    """A step among the names."""
    return f"step\t{name}"
