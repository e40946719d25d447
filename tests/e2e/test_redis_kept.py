"""At the start, a Redis that throws keys away is refused, and one that may forget is told of."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

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


@contextmanager
def ended(line: Line, command: tuple[str, ...]) -> Iterator[subprocess.CompletedProcess[str]]:
    yield subprocess.run(
        command,
        cwd=line.data,
        env=line.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [WORKER, RUN], ids=["worker", "run"])
async def test_one_that_evicts(line: Line, redis: RedisServer, command: tuple[str, ...]) -> None:
    """The worker alone and `ringpost run` end with exit code 2 and one line that says what to do."""
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    line.configure(KEPT)
    line.environment["REDIS_URL"] = redis.url

    with ended(line, command) as process:
        [told] = [one for one in process.stderr.splitlines() if "maxmemory" in one]
        assert told.startswith("REDIS_URL")
        assert told.endswith(REFUSED + "set maxmemory-policy noeviction")
        assert process.returncode == 2
