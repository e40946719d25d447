"""How many calls of one handler run at once, so that one that hangs leaves places to the others."""

import asyncio
import time
from collections import Counter

_PATIENCE = 2.0
_FIRST = 5
_STILL_ANSWERS = 5.0


class Places:
    """At most `most` calls of each handler; five for one that has not just answered.

    A destination that is away is thus found out by a few, before everything waits for it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._first = min(_FIRST, most)
        self._taken: Counter[str] = Counter()
        self._answered: dict[str, float] = {}
        self._left: dict[str, asyncio.Event] = {}
        self._stuck: set[str] = set()

    async def take(self, step: str) -> bool:
        """Take a place, or False if none is free soon; where none gets free nobody waits."""
        if not self._has_room(step):
            await self._wait(step)
            if not self._has_room(step):
                return False
        self._taken[step] += 1
        return True

    def leave(self, step: str, *, answered: bool) -> None:
        """Give the place back; whether the destination has answered."""
        self._taken[step] -= 1
        self._stuck.discard(step)
        if answered:
            self._answered[step] = time.monotonic()
        if step in self._left:
            self._left[step].set()

    async def _wait(self, step: str) -> None:
        left = self._left.setdefault(step, asyncio.Event())
        until = time.monotonic() + _PATIENCE
        while step not in self._stuck and not self._has_room(step):
            left.clear()
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    await left.wait()
            except TimeoutError:
                self._stuck.add(step)
                left.set()

    def _has_room(self, step: str) -> bool:
        since = time.monotonic() - self._answered.get(step, -_STILL_ANSWERS)
        return self._taken[step] < (self._most if since < _STILL_ANSWERS else self._first)
