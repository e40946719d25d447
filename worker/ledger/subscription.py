"""What the ledger knows of our subscriptions, so that only those that we made are ever adopted."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from .connection import Connection, key

# Two checks begin at least so many seconds apart, however many notifications ask for one.
_CHECK_GAP = 5.0
# After a failed check the next one comes soon, then less and less so.
_FIRST_RETRY, _LONGEST_RETRY = 2.0, 60.0
# A filter that RingCentral refuses is asked for again after so many seconds.
_REFUSED_SECONDS = 3600
_CHECKS = key("check-at")
# The same problem is no news for being met by another request.
_REQUEST = re.compile(r"RCRequestId [0-9A-Za-z-]+")


class SubscriptionRecord(BaseModel):
    """One subscription of ours: its id, and what it was made with.

    The verification token is kept as a digest only. `filters` are those of mailboxes and
    extensions, `reminder` is one more. `lifetime` is how many seconds RingCentral granted; `made`,
    `active_until` and `checked` are epoch seconds.
    """

    id: str
    address: str
    token_digest: str
    filters: list[str]
    reminder: str | None = None
    lifetime: float = 0
    made: float = 0
    active_until: float = 0
    checked: float = 0


def digest(token: str) -> str:
    """A token's fingerprint: enough to compare, nothing to steal."""
    return hashlib.sha256(token.encode()).hexdigest()


class SubscriptionLedger:
    """The subscriptions made with one credential, and when they are checked next.

    `scope` names the credential (see `user_scope`).
    """

    def __init__(self, connection: Connection, scope: str) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._scope = scope
        self._records = key("subscriptions", scope)
        self._check = key("check", scope)
        self._problem = key("problem", scope)
        self._refused = key("refused", scope)

    async def records(self) -> list[SubscriptionRecord]:
        """All that are known, the oldest first."""
        texts = await self._redis.hvals(self._records)
        found = [SubscriptionRecord.model_validate_json(text) for text in texts]
        return sorted(found, key=lambda record: (record.made, record.id))

    async def save(self, record: SubscriptionRecord) -> None:
        """Write what is known of one now."""
        await self._redis.hset(self._records, record.id, record.model_dump_json())

    async def forget(self, subscription_id: str) -> None:
        """This one is not ours to look after any more."""
        await self._redis.hdel(self._records, subscription_id)

    async def refuse(self, reasons: Mapping[str, str]) -> None:
        """Remember for an hour that RingCentral refuses these filters, and why."""
        if reasons:
            until = time.time() + _REFUSED_SECONDS
            told = {filter_: f"{until}\t{reason}" for filter_, reason in reasons.items()}
            await self._redis.hset(self._refused, mapping=told)
            await self._redis.expire(self._refused, _REFUSED_SECONDS)

    async def refused(self, filters: Sequence[str]) -> dict[str, str]:
        """Those of the filters that were refused lately, and why."""
        told = await self._redis.hmget(self._refused, filters) if filters else []
        found = {}
        for filter_, text in zip(filters, told, strict=True):
            until, _, reason = (text or "0").partition("\t")
            if float(until) > time.time():
                found[filter_] = reason
        return found

    async def forget_refusals(self) -> None:
        """Let what was refused be asked for again at once."""
        await self._redis.delete(self._refused)

    async def begin_check(self) -> str | None:
        """Begin a check if one is due: what `end_check` wants back; None if none is."""
        generation: str | None = await self._connection.run("begin_check", self._scope)
        return generation

    async def end_check(self, generation: str, seconds: float) -> None:
        """The check went well: the next one is so many seconds ahead, or soon if asked for."""
        await self._redis.hdel(self._check, "failures")
        await self._end(generation, seconds)

    async def check_failed(self, generation: str, interval: float, at_least: float) -> float:
        """The check failed: the next one comes soon, then less and less so; in how many seconds."""
        failures: int = await self._redis.hincrby(self._check, "failures", 1)
        soon = min(_FIRST_RETRY * 2.0 ** min(failures - 1, 10), _LONGEST_RETRY, interval)
        wait = max(soon, at_least)
        await self._end(generation, wait)
        return wait

    async def failures(self) -> int:
        """How many checks have failed in a row."""
        return int(await self._redis.hget(self._check, "failures") or 0)

    async def check_now(self) -> None:
        """Make a check due at once (a worker starts, an address or token may have changed)."""
        seconds, _ = await self._redis.time()
        async with self._redis.pipeline() as pipe:
            pipe.hdel(self._check, "failures", "started")
            pipe.hincrby(self._check, "hints", 1)  # for a check that is under way somewhere
            pipe.zadd(_CHECKS, {self._scope: seconds})
            await pipe.execute()

    async def problem(self) -> str | None:
        """Why the last check could not be carried out, None if it could."""
        text: str | None = await self._redis.get(self._problem)
        return text

    async def set_problem(self, problem: str | None) -> bool:
        """Keep what `problem` tells; True if that is news."""
        before = await self.problem()
        if problem is None:
            await self._redis.delete(self._problem)
        else:
            await self._redis.set(self._problem, problem)
        return _REQUEST.sub("", before or "") != _REQUEST.sub("", problem or "")

    async def _end(self, generation: str, seconds: float) -> None:
        await self._connection.run("end_check", self._scope, generation, seconds, _CHECK_GAP)


async def check_soon(connection: Connection) -> None:
    """Make checks of all credentials due: at once, but a burst of these costs few checks."""
    await connection.run("hint_check", _CHECK_GAP)


async def scopes(connection: Connection) -> list[str]:
    """The credentials whose subscriptions are looked after."""
    return sorted(await connection.redis.zrange(_CHECKS, 0, -1))
