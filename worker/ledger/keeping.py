"""Whether a Redis keeps what it is given: it must never evict, and should write to a file."""

from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

SET_POLICY = "set maxmemory-policy noeviction"
SET_FILE = "set appendonly yes"


@dataclass(frozen=True, slots=True)
class Keeping:
    """The eviction policy, and whether there is an append-only file; None where Redis is silent.

    A hosted Redis may forbid to ask.
    """

    policy: str | None
    has_file: bool | None

    @property
    def evicts(self) -> str | None:
        """Why the ledger must not be in this Redis, None if it may."""
        if self.policy in {None, "noeviction"}:
            return None
        return f"maxmemory-policy is {self.policy}: it may throw the ledger away"

    @property
    def forgets(self) -> str | None:
        """What a restart would cost, None if nothing."""
        if self.has_file is not False:
            return None
        return "no append-only file: a restart of Redis loses what is open"

    def warnings(self) -> list[str]:
        """What somebody should know though it works, each with its remedy."""
        lines = []
        if self.policy is None:
            lines.append("maxmemory-policy is not told; make sure that it is noeviction")
        if self.forgets:
            lines.append(f"{self.forgets}; {SET_FILE}")
        return lines


async def read_keeping(redis: Any) -> Keeping:
    """Ask a Redis; raises RedisError if it does not answer."""
    try:
        facts = await redis.info("everything")
    except ResponseError:  # forbidden; a Redis that is still loading is no ResponseError
        return Keeping(None, None)
    told = facts.get("aof_enabled")
    return Keeping(facts.get("maxmemory_policy"), None if told is None else bool(told))
