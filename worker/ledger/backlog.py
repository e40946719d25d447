"""Since when the oldest message waits that is not delivered yet."""

from collections.abc import Iterable
from itertools import pairwise

from .connection import Connection, key
from .records import Delivery

_LOOKED_AT = 1000


async def oldest_undelivered(connection: Connection) -> float | None:
    """When it was created (epoch seconds), or when we began if that was later; None without any.

    Bulk work (backfill, repair, replay), failed deliveries, those whose time has not come, and what
    happened to a message later do not count. Of more than 2,000 due deliveries of a mailbox the
    first and the last thousand are looked at; so it is with those that are put off because the
    destination of a handler fails.
    """
    redis = connection.redis
    names = sorted(await redis.smembers(key("watched")))
    lanes = [key("due", name) for name in names]
    lanes += [key("put-off", step) for step in sorted(await redis.hkeys(key("breakers")))]
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get(key("start"))
        pipe.smembers(key("bulk-running"))
        pipe.smembers(key("early"))
        pipe.zrange(key("running"), 0, -1)
        for lane in lanes:
            pipe.zrange(lane, 0, _LOOKED_AT - 1)
            pipe.zrange(lane, -_LOOKED_AT, -1)
        start, in_bulk, early, running, *ends = await pipe.execute()
    looked_at = [{*first, *last} for first, last in list(pairwise(ends))[::2]]
    due, put_off = (
        looked_at[: len(names)],
        {one for some in looked_at[len(names) :] for one in some},
    )
    waiting = {
        name: _new(one for one in members if f"{name}\t{one}" not in early)
        for name, members in zip(names, due, strict=True)
    }
    for member in {*set(running).difference(in_bulk), *await _live(connection, put_off)}:
        name, _, rest = member.partition("\t")
        waiting.setdefault(name, set()).update(_new([rest]))
    async with redis.pipeline(transaction=False) as pipe:
        for name, ids in waiting.items():
            if ids:
                pipe.zmscore(key("seen", name), list(ids))
        found = await pipe.execute()
    created = [score for scores in found for score in scores if score is not None]
    return max(min(created), float(start or 0)) if created else None


def _new(members: Iterable[str]) -> set[str]:
    """The ids of those that are `id TAB route`; with more it is what happened later."""
    parts = (member.split("\t") for member in members)
    return {id_ for id_, *lane in parts if len(lane) == 1}


async def _live(connection: Connection, members: Iterable[str]) -> list[str]:
    """Those of these (`mailbox TAB id TAB lane`) that are no bulk work."""
    asked = list(members)
    async with connection.redis.pipeline(transaction=False) as pipe:
        for member in asked:
            name, id_, lane = member.split("\t", 2)
            pipe.hget(key("message", name, id_), f"d:{lane}")
        texts = await pipe.execute()
    return [
        member
        for member, text in zip(asked, texts, strict=True)
        if text is not None and not Delivery.from_json(text).bulk
    ]
