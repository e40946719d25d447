"""Redis is away, slow, full, loading or set back: everything waits, and goes on by itself."""

import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.scene import Scene
from tests.support.redis_server import RedisServer
from tests.support.slow_relay import slow_relay
from tests.support.waiting import Eventually

RUNNING = "ringpost:ledger:running"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, which is running."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def scene(redis: RedisServer, tmp_path: Path) -> AsyncIterator[Scene]:
    """A line on this Redis, through which a message has come."""
    scene = Scene(redis.url, tmp_path)
    try:
        await scene.start()
        yield scene
    finally:
        await scene.stop()


async def answered(scene: Scene, messages: list[str], eventually: Eventually) -> None:
    """Each notification was answered with 200, and in time."""

    def all_told() -> bool:
        told = scene.ringcentral.notifications
        return len(told) > len(messages) and all(one.outcome for one in told)

    await eventually(all_told)
    # after three seconds it would be an error
    assert {one.outcome for one in scene.ringcentral.notifications} == {"delivered"}


async def test_away(scene: Scene, redis: RedisServer, eventually: Eventually) -> None:
    """What arrives while Redis is killed is delivered once when it is back, by the same worker."""
    redis.kill()
    messages = [await scene.fax() for _ in range(5)]
    await answered(scene, messages, eventually)

    redis.start()

    for message in messages:
        await scene.done(message)
        assert set(scene.times(message).values()) == {1}
    assert scene.is_well


async def test_full(scene: Scene, redis: RedisServer, eventually: Eventually) -> None:
    """A Redis that takes nothing more is waited for."""
    redis.client.config_set("maxmemory", "1mb")
    messages = [await scene.fax() for _ in range(5)]
    await answered(scene, messages, eventually)
    # whatever was under way has lapsed
    await eventually(lambda: not redis.client.zcount(RUNNING, time.time(), "+inf"))

    redis.client.config_set("maxmemory", "0")

    for message in messages:
        await scene.done(message)
        assert set(scene.times(message).values()) == {1}
    assert scene.is_well


async def test_loading(scene: Scene, redis: RedisServer, eventually: Eventually) -> None:
    """A Redis that reads its file for seconds answers that it does, which is as good as away."""
    # while it reads, it looks up once in a thousand commands
    with redis.client.pipeline(transaction=False) as many:
        for number in range(12_000):
            many.set(f"other:{number}", number)
        many.execute()
    redis.kill()
    redis.start("--key-load-delay", "200", wait=False)
    await eventually(redis.is_loading)
    messages = [await scene.fax() for _ in range(5)]
    await answered(scene, messages, eventually)

    for message in messages:
        await scene.done(message)
        assert set(scene.times(message).values()) == {1}
    assert scene.is_well


async def test_slow(redis: RedisServer, tmp_path: Path, eventually: Eventually) -> None:
    """A Redis that takes a tenth of a second for each answer delays messages, and no more."""
    async with slow_relay(redis.folder / "r.sock") as relay:
        scene = Scene(f"redis://127.0.0.1:{relay.port}/0", tmp_path)
        try:
            await scene.start()
            relay.pause = 0.1
            messages = [await scene.fax() for _ in range(5)]
            await answered(scene, messages, eventually)
            await eventually(lambda: all(map(scene.is_read, messages)))
            relay.pause = 0.0
            for message in messages:
                await scene.done(message)
                assert set(scene.times(message).values()) == {1}
        finally:
            await scene.stop()


async def test_set_back(scene: Scene, redis: RedisServer) -> None:
    """With yesterday's file all since then is done again, recognisably, and then goes on."""
    copy = redis.copy_file()
    since = [await scene.fax() for _ in range(5)]
    for message in since:
        await scene.done(message)

    redis.restore(copy)

    for message in since:
        await scene.repeated(message)
    last = await scene.fax()
    await scene.done(last)
    assert set(scene.times(last).values()) == {1}
    for message in since:
        assert scene.times(message)["archive"] == 1
        ids = {re.search(rb"Message-ID: *(\S+)", mail)[1] for mail in scene.mails_of(message)}  # type: ignore[index]  # each mail has one
        assert len(ids) == 1
    assert scene.is_well
