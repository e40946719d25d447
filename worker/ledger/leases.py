"""Named leases: one process of the fleet does a thing, another takes over when it dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import uuid4

from worker.together import cancel_all

from .connection import Connection, LedgerError, key

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
# Never takes it: its holder may have let go a moment ago.
HOLD_ON = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)
_RENEW = (
    "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end "
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)


class Held(NamedTuple):
    """What holds a lease: its key, and the token that is its value for so many milliseconds."""

    key: str
    token: str
    milliseconds: int


class Lease:
    """A lease that this object holds or does not hold."""

    def __init__(self, connection: Connection, name: str, seconds: float) -> None:
        self._redis = connection.redis
        self.held = Held(key("lease", name), uuid4().hex, int(seconds * 1000))
        self._renew = self._redis.register_script(_RENEW)
        self._release = self._redis.register_script(_RELEASE)

    async def hold(self) -> bool:
        """Take or renew the lease; False while another holds it."""
        return bool(await self._renew(keys=[self.held.key], args=self.held[1:]))

    async def release(self) -> None:
        """Let another take it at once."""
        await self._release(keys=[self.held.key], args=[self.held.token])

    @contextlib.asynccontextmanager
    async def while_held(self) -> AsyncIterator[bool]:
        """Hold it for the length of a block; the block is told False while another holds it."""
        if not await self.hold():
            yield False
            return
        holding = asyncio.create_task(self._go_on_holding())
        try:
            yield True
        finally:
            # cancelled once it may go on for ever, and hold the lease with it
            await cancel_all([holding])
            await self.release()

    async def _go_on_holding(self) -> None:
        while True:
            await asyncio.sleep(self.held.milliseconds / 3000)
            # Redis may be back before the lease lapses, and until then nobody else takes it.
            with contextlib.suppress(LedgerError):
                await self.hold()
