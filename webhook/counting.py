"""Hands on what the webhook has counted, beside all else: no answer ever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Protocol

from metrics.batches import ADD, EVERY_SECONDS, Batches
from webhook.sidecar import Sidecar

if TYPE_CHECKING:
    from redis import Redis


class Adder(Protocol):
    """Adds a batch by a call that may block; raises whatever it likes when it cannot."""

    def add(self, keys: list[str], arguments: list[str]) -> None:
        """Add it; it has arrived when this returns."""


class RedisCounts:
    """A connection of its own to Redis. Not for the event loop's thread."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._redis: Redis | None = None

    def add(self, keys: list[str], arguments: list[str]) -> None:
        """Add a batch with the script `ADD`; tried once, within a few seconds."""
        if self._redis is None:
            self._redis = _connected(self._redis_url)
        self._redis.eval(ADD, len(keys), *keys, *arguments)


class Reporter:
    """Hands counts on every `every` seconds; what cannot be is kept and goes with the next."""

    def __init__(self, adder: Adder, batches: Batches, every: float = EVERY_SECONDS) -> None:
        self._adder = adder
        self._batches = batches
        self._every = every
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first counts go after `every` seconds."""
        self._task = asyncio.create_task(self._run(Sidecar("counts")), name="counts")

    async def close(self, within: float = 1.0) -> None:
        """Hand on what there is, for at most `within` seconds, and stop."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=within)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, sidecar: Sidecar) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._every)
            await self._hand_on(sidecar)
        await self._hand_on(sidecar)  # what was counted while an older batch was under way

    async def _hand_on(self, sidecar: Sidecar) -> None:
        if arguments := self._batches.next():
            # whatever Redis does, the webhook goes on; that it is away is said of the hints
            with contextlib.suppress(Exception):
                await sidecar.run(partial(self._adder.add, self._batches.keys, arguments))
                self._batches.arrived()


def _connected(redis_url: str) -> Redis:
    # imported here, and used long after the start, so that the listener does not wait for it
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(
        redis_url,
        socket_connect_timeout=1,
        socket_timeout=2,
        retry=Retry(NoBackoff(), 0),
        client_name="ringpost-webhook-counts",
    )
