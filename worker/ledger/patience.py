"""Waiting for a Redis that is away: what is done must be recorded, or it is done again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from .connection import LedgerError

T = TypeVar("T")

_FIRST, _LONGEST = 0.1, 2.0
_PASSES = (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError)
# Refusals of everything for which there is no class: a full disk, too few replicas, a long script.
_REFUSALS = ("MISCONF", "NOREPLICAS", "BUSY")


async def patiently(call: Callable[[], Awaitable[T]], within: float = 600) -> T:
    """Repeat a call that the ledger did not answer, or refused as it refuses all, until it does.

    What it has against this very call is raised after `within` seconds.
    """
    until = asyncio.get_running_loop().time() + within
    pause = _FIRST
    while True:
        try:
            return await call()
        except LedgerError as error:
            late = asyncio.get_running_loop().time() + pause > until
            if late and not _will_pass(error):
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _will_pass(error: LedgerError) -> bool:
    return isinstance(error, _PASSES) or str(error).startswith(_REFUSALS)
