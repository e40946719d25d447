"""Which mailboxes RingCentral tells us of, and which are dark: since when, and why."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from .connection import Connection, key

RAN_OUT = "its subscription has run out"
NOT_YET = "there is no subscription for it yet"


class Darkness(BaseModel):
    """Why nothing is heard of a mailbox; `since` in epoch seconds, None if it is not known."""

    why: str
    since: float | None = None


class Cover(NamedTuple):
    """One mailbox: covered until when (epoch seconds), or dark."""

    until: float | None
    darkness: Darkness | None

    @property
    def was_covered(self) -> bool:
        """Whether it is covered, or was until its subscription ran out."""
        return self.darkness is None or self.darkness.why == RAN_OUT


class CoverageLedger:
    """The coverage of the mailboxes that one credential looks after.

    A mailbox is covered until its subscription would run out, so that a healing that has stopped
    leaves none that is only believed to be covered.
    """

    def __init__(self, connection: Connection, scope: str) -> None:
        self._redis = connection.redis
        self._covered = key("covered", scope)
        self._dark = key("dark", scope)

    async def cover(self, until: Mapping[str, float]) -> None:
        """These are covered until then."""
        if until:
            async with self._redis.pipeline() as pipe:
                pipe.zadd(self._covered, dict(until))
                pipe.hdel(self._dark, *until)
                await pipe.execute()

    async def darken(self, darkness: Mapping[str, Darkness]) -> list[str]:
        """These are dark, from now on if not told since when; those that were covered before."""
        if not darkness:
            return []
        now = await self._now()
        before = await self._read(darkness)
        async with self._redis.pipeline() as pipe:
            for name, dark in darkness.items():
                known = before[name].darkness
                since = known.since if known is not None else dark.since
                kept = dark.model_copy(update={"since": now if since is None else since})
                pipe.hset(self._dark, name, kept.model_dump_json())
            pipe.zrem(self._covered, *darkness)
            await pipe.execute()
        return [name for name, cover in before.items() if cover.was_covered]

    async def dark_of(self, mailboxes: Iterable[str]) -> list[str]:
        """Those of the mailboxes that are dark now."""
        covers = await self._read(list(mailboxes))
        return [name for name, cover in covers.items() if cover.darkness is not None]

    async def is_covered(self, mailbox: str) -> bool:
        """Whether RingCentral tells us of this mailbox."""
        until = await self._redis.zscore(self._covered, mailbox)
        return until is not None and until > await self._now()

    async def count(self) -> int:
        """How many mailboxes are covered now."""
        return int(await self._redis.zcount(self._covered, f"({await self._now()}", "+inf"))

    async def mailboxes(self) -> list[str]:
        """All that are covered or dark."""
        covered = await self._redis.zrange(self._covered, 0, -1)
        return sorted({*covered, *await self._redis.hkeys(self._dark)})

    async def keep_only(self, mailboxes: Collection[str]) -> None:
        """Forget all others."""
        gone = set(await self.mailboxes()).difference(mailboxes)
        if gone:
            await self._redis.zrem(self._covered, *gone)
            await self._redis.hdel(self._dark, *gone)

    async def read(self) -> dict[str, Cover]:
        """The cover of every mailbox."""
        return await self._read(await self.mailboxes())

    async def _read(self, mailboxes: Collection[str]) -> dict[str, Cover]:
        if not mailboxes:
            return {}
        names, now = list(mailboxes), await self._now()
        untils = await self._redis.zmscore(self._covered, names)
        texts = await self._redis.hmget(self._dark, names)
        return {
            name: _cover(until, text, now)
            for name, until, text in zip(names, untils, texts, strict=True)
        }

    async def _now(self) -> float:
        """The clock of Redis, which all processes share."""
        seconds, micros = await self._redis.time()
        return float(seconds + micros / 1e6)


def _cover(until: float | None, text: str | None, now: float) -> Cover:
    if until is not None and until > now:
        return Cover(until, None)
    if until is not None:
        return Cover(None, Darkness(why=RAN_OUT, since=until))
    return Cover(None, Darkness.model_validate_json(text) if text else Darkness(why=NOT_YET))
