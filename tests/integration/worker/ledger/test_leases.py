"""Named leases outlive a Redis that is away for a moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.support.redis_server import RedisServer
from worker.ledger import Ledger, LedgerError, open_ledger
from worker.ledger.holding import BlockingHold

Eventually = Callable[..., Awaitable[Any]]


@pytest.fixture
def redis() -> Any:
    """A Redis of the test's own."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def ledger(redis: RedisServer) -> AsyncIterator[Ledger]:
    async with open_ledger(redis.url) as opened:
        yield opened


async def test_a_lease_is_renewed_again_after_a_refusal(
    redis: RedisServer, ledger: Ledger, eventually: Eventually
) -> None:
    """Who works under a lease goes on holding it when Redis could not renew it once."""
    async with ledger.lease("digest", 3.0).while_held() as held:
        assert held
        redis.client.config_set("maxmemory", 1)
        await eventually(lambda: "errorstat_OOM" in redis.client.info("errorstats"))
        redis.client.config_set("maxmemory", 0)
        redis.client.pexpire("ringpost:ledger:lease:digest", 60_000)

        await eventually(lambda: redis.client.pttl("ringpost:ledger:lease:digest") <= 3000)


async def test_a_full_redis_lets_nobody_hold_a_lease(redis: RedisServer, ledger: Ledger) -> None:
    """Else the pump would take back what is being worked on: a full Redis renews no claim."""
    lease = ledger.lease("pump", 60)
    assert await lease.hold()
    redis.client.config_set("maxmemory", 1)

    with pytest.raises(LedgerError):
        await lease.hold()


async def test_a_lease_is_held_from_beside_the_loop(redis: RedisServer, ledger: Ledger) -> None:
    """While a handler blocks the loop nobody else sends the digest that is on its way."""
    name, hold = "ringpost:ledger:lease:digest", BlockingHold(redis.url, 30)
    async with ledger.lease("digest", 60).while_held():
        redis.client.pexpire(name, 10_000)
        await asyncio.to_thread(hold.renew, [], list(ledger.leases))
        assert redis.client.pttl(name) > 10_000

        redis.client.set(name, "another's", px=10_000)
        await asyncio.to_thread(hold.renew, [], list(ledger.leases))
        assert redis.client.pttl(name) <= 10_000
    await asyncio.to_thread(hold.close)
    assert ledger.leases == set()
