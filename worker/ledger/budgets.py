"""The budgets of all credentials at a glance, for `ringpost status`."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from .connection import Connection, key

# As scripts/budget.lua numbers them: two of live work, one of bulk work.
_RANKS, _BULK = ("1", "2", "3"), -1


class Budget(BaseModel):
    """One rate group of one credential.

    `limit` requests are allowed in `window` seconds, `left` of them now; `waiting` ones have been
    put off (`waiting_bulk` of them behind all live work), the last of them until `waiting_until`.
    `refused` counts the 429s of all time.
    """

    account: str
    group: str
    limit: int | None
    window: float | None
    left: int | None
    paused_until: datetime | None
    waiting: int
    waiting_bulk: int
    waiting_until: datetime | None
    refused: int


class BudgetsInUse:
    """Which scopes there are budgets for, each with the name of its account."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection.redis

    async def keep(self, accounts: Mapping[str, str]) -> None:
        """These scopes are in use, and no others; the values are the names of their accounts."""
        async with self._redis.pipeline() as pipe:
            pipe.delete(key("scopes"))
            pipe.hset(key("scopes"), mapping=dict(accounts))
            await pipe.execute()

    async def accounts(self) -> dict[str, str]:
        """The scopes in use, each with the name of its account."""
        found: dict[str, str] = await self._redis.hgetall(key("scopes"))
        return found

    async def read(self) -> list[Budget]:
        """What is known of each group, by account and name."""
        now = float((await self._redis.time())[0])
        found = []
        for scope, account in (await self.accounts()).items():
            groups = set((await self._redis.hgetall(key("groups", scope))).values())
            found += [await self._budget(account, scope, group, now) for group in groups]
        return sorted(found, key=lambda budget: (budget.account, budget.group))

    async def _budget(self, account: str, scope: str, group: str, now: float) -> Budget:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(key("budget", scope, group), ["limit", "window", "paused", "refused"])
            pipe.zcount(key("slots", scope, group), now, "+inf")
            for rank in _RANKS:
                queue = key("queue", scope, group, rank)
                pipe.zrangebyscore(queue, now, "+inf", withscores=True)
            (limit, window, paused, refused), used, *queues = await pipe.execute()
        last = max((at for queue in queues for _, at in queue), default=0.0)
        return Budget(
            account=account,
            group=group,
            limit=int(limit) if limit else None,
            window=float(window) if window else None,
            left=max(0, int(limit) - used) if limit else None,
            paused_until=_moment(float(paused or 0), now),
            waiting=sum(map(len, queues)),
            waiting_bulk=len(queues[_BULK]),
            waiting_until=_moment(last, now),
            refused=int(refused or 0),
        )


def _moment(seconds: float, now: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds > now else None
