"""Waiting for a Redis that is away: what is done must be recorded, or it is done again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .connection import LedgerError

T = TypeVar("T")

_FIRST, _LONGEST = 0.1, 2.0


async def patiently(call: Callable[[], Awaitable[T]], within: float = 600) -> T:
    """Repeat a call that the ledger did not answer, for `within` seconds; then LedgerError."""
    until = asyncio.get_running_loop().time() + within
    pause = _FIRST
    while True:
        try:
            return await call()
        except LedgerError:
            if asyncio.get_running_loop().time() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)
