"""Since when the oldest message waits that is not delivered yet."""

from itertools import pairwise

from .connection import Connection, key

_LOOKED_AT = 1000


async def oldest_undelivered(connection: Connection) -> float | None:
    """When it was created (epoch seconds), or when we began if that was later; None without any.

    Bulk work (backfill, repair, replay), failed deliveries, and what happened to a message later do
    not count. Of a mailbox with more than 2,000 due deliveries the first and the last thousand are
    looked at.
    """
    redis = connection.redis
    names = sorted(await redis.smembers(key("watched")))
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get(key("start"))
        pipe.smembers(key("bulk-running"))
        pipe.zrange(key("running"), 0, -1)
        for name in names:
            pipe.zrange(key("due", name), 0, _LOOKED_AT - 1)
            pipe.zrange(key("due", name), -_LOOKED_AT, -1)
        start, in_bulk, running, *due = await pipe.execute()
    waiting: dict[str, set[str]] = {}
    for name, (first, last) in zip(names, list(pairwise(due))[::2], strict=True):
        waiting[name] = {id_ for member in (*first, *last) for id_ in _new(member)}
    for member in set(running) - in_bulk:
        name, _, rest = member.partition("\t")
        waiting.setdefault(name, set()).update(_new(rest))
    async with redis.pipeline(transaction=False) as pipe:
        for name, ids in waiting.items():
            if ids:
                pipe.zmscore(key("seen", name), list(ids))
        found = await pipe.execute()
    created = [score for scores in found for score in scores if score is not None]
    return max(min(created), float(start or 0)) if created else None


def _new(member: str) -> list[str]:
    """The id in `id TAB route`; none if there is more: what happened after the creation."""
    id_, *lane = member.split("\t")
    return [id_] if len(lane) == 1 else []
