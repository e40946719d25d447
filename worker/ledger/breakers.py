"""Breakers: handlers whose destination fails, for the whole fleet. They change in scripts only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel

from .connection import key

LONGEST_PAUSE = 300.0
"""Seconds between two probes at most."""


@dataclass(frozen=True)
class Breaker:
    """One handler's, by the name of its step; `since` and `probe_at` are epoch seconds.

    It opens when five deliveries in a row have found the destination failing, lastly for `reason`.
    While it is open the handler is called for one delivery at a time, the `probe` (its name among
    those that run); the first one that succeeds closes it.
    """

    reason: str
    since: float
    probe_at: float
    probe: str | None = None


async def breaker_states(redis: Any) -> list["BreakerStatus"]:
    """The open breakers, the oldest first, with how many deliveries wait for each."""
    rows = await redis.hgetall(key("breakers"))
    breakers = read_breakers([part for row in rows.items() for part in row])
    return [
        BreakerStatus(
            handler=step,
            since=datetime.fromtimestamp(one.since, UTC),
            reason=one.reason,
            next_probe=None if one.probe else datetime.fromtimestamp(one.probe_at, UTC),
            waiting=await redis.zcard(key("put-off", step)),
        )
        for step, one in sorted(breakers.items(), key=lambda item: item[1].since)
    ]


class BreakerStatus(BaseModel):
    """An open breaker for people: `next_probe` is None while a probe is under way.

    `waiting` deliveries are put off until a probe succeeds.
    """

    handler: str
    since: datetime
    reason: str
    next_probe: datetime | None
    waiting: int


def read_breakers(rows: Sequence[str]) -> dict[str, Breaker]:
    """The open breakers by step, from names and states in turn."""
    states = {step: orjson.loads(text) for step, text in zip(rows[::2], rows[1::2], strict=True)}
    return {
        step: Breaker(state["reason"], state["since"], state["probe_at"], state.get("probe"))
        for step, state in states.items()
        if state["open"]
    }
