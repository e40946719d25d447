"""At the start, a Redis that throws keys away is refused, and one that may forget is told of."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ringpost.checks.redis import insist_on_redis
from tests.support.line import Line
from tests.support.redis_server import RedisServer
from tests.support.waiting import Eventually

KEPT = '[[routes]]\nname = "kept"\nsteps = ["vault"]\n'
WORKER = (sys.executable, "-m", "celery", "--quiet", "-A", "worker", "worker")
RUN = (sys.executable, "-m", "ringpost", "run")
REFUSED = "maxmemory-policy is allkeys-lru: it may throw the ledger away; "


@pytest.fixture
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of the test's own, which is running."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.mark.parametrize("command", [WORKER, RUN], ids=["worker", "run"])
async def test_one_that_evicts(line: Line, redis: RedisServer, command: tuple[str, ...]) -> None:
    """The worker alone and `ringpost run` end with exit code 2 and one line with the remedy."""
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    line.configure(KEPT)
    line.environment["REDIS_URL"] = redis.url

    process = await asyncio.create_subprocess_exec(
        *command, cwd=line.data, env=line.environment, stderr=subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 100)

    [told] = [one for one in errors.decode().splitlines() if "maxmemory" in one]
    assert told.startswith("REDIS_URL")
    assert told.endswith(REFUSED + "set maxmemory-policy noeviction")
    assert process.returncode == 2


async def test_one_that_may_forget(line: Line, redis: RedisServer, eventually: Eventually) -> None:
    """One without an append-only file, or that forbids to ask, is told of, and work begins."""
    redis.client.config_set("appendonly", "no")
    redis.client.acl_setuser(
        "guest", enabled=True, nopass=True, commands=["+@all", "-info"], keys=["*"], channels=["*"]
    )
    line.configure(KEPT)
    for address, warning in (
        (redis.url, "no append-only file: a restart of Redis loses what is open"),
        (redis.url.replace("://", "://guest@"), "maxmemory-policy is not told"),
    ):
        [told] = await insist_on_redis(address)  # what `ringpost run` says
        assert told.startswith(warning)
        line.environment["REDIS_URL"] = address
        line.start("worker")
        await eventually(lambda: warning in line.log.read_text())  # noqa: B023
        await eventually(lambda: line.ringcentral.count("syncMessages", status=200))
        line.kill("worker")
