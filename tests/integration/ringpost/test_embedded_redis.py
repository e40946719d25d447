"""The embedded Redis as it is started by `ringpost run`."""

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ringpost import embedded_redis
from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal

Eventually = Callable[..., Awaitable[Any]]


async def test_what_was_written_survives_a_kill(
    staging: Any, eventually: Eventually, tmp_path: Path
) -> None:
    """After kill -9 the server is started again, on the socket it left behind, with its data."""
    redis = embedded_redis.prepare(tmp_path)
    async with staging.running([redis.program(_descriptor(tmp_path))]) as stage:
        await eventually(redis.socket.exists)
        async with Redis.from_url(redis.url) as client:
            await eventually(lambda: _answers(client))
            for number in range(500):
                await client.set(f"key {number}", number)
        first = stage.pid("redis")
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: stage.pid("redis") not in (None, first))
        async with Redis.from_url(redis.url) as client:
            await eventually(lambda: _answers(client))
            assert await client.dbsize() == 500


async def test_it_is_set_up_to_keep_what_it_is_given(
    staging: Any, eventually: Eventually, tmp_path: Path
) -> None:
    """Append-only file on, no eviction, no TCP port, a socket for its owner alone."""
    redis = embedded_redis.prepare(tmp_path)
    async with staging.running([redis.program(_descriptor(tmp_path))]):
        async with Redis.from_url(redis.url) as client:
            await eventually(lambda: _answers(client))
            facts = await client.info("everything")
            assert facts["aof_enabled"] == 1
            assert facts["maxmemory_policy"] == "noeviction"
            assert facts["tcp_port"] == 0
        assert redis.socket.stat().st_mode & 0o777 == 0o700
        assert redis.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["long" * 30, "with blank", "per%20cent"])
async def test_a_path_that_no_socket_can_have_gets_a_short_one(
    staging: Any, eventually: Eventually, tmp_path: Path, name: str
) -> None:
    """The data stays in its directory; only the socket is elsewhere, in a private folder."""
    data = tmp_path / name
    data.mkdir()
    redis = embedded_redis.prepare(data)
    assert len(os.fsencode(redis.socket)) <= 100
    assert not redis.socket.is_relative_to(tmp_path)
    assert redis.socket.parent.stat().st_mode & 0o777 == 0o700
    async with staging.running([redis.program(_descriptor(data))]):
        async with Redis.from_url(redis.url) as client:
            await eventually(lambda: _answers(client))
        assert (data / "redis" / "appendonlydir").is_dir()
    assert embedded_redis.prepare(data).socket == redis.socket


async def test_the_data_directory_is_held_as_long_as_its_redis_lives(
    staging: Any, eventually: Eventually, tmp_path: Path
) -> None:
    """A Redis that outlives the process that started it keeps others off the directory."""
    data = DataDirectory(tmp_path)
    redis = embedded_redis.prepare(tmp_path)
    with data.held() as lock:
        program = redis.program(os.dup(lock))
    async with staging.running([program]) as stage:
        await eventually(redis.socket.exists)
        os.close(program.keep_open[0])
        with pytest.raises(Refusal, match="another `ringpost run`"), data.held():
            pass
        await stage.end()
    with data.held():
        pass


def test_a_server_on_the_path_is_preferred_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed Valkey or Redis is used; one older than 7.2 is not."""
    monkeypatch.setenv("PATH", str(tmp_path))
    old, new = tmp_path / "valkey-server", tmp_path / "redis-server"
    _script(old, "Redis server v=6.2.14 sha=0")
    assert embedded_redis.find_server().parent != tmp_path
    _script(new, "Redis server v=7.2.4 sha=0")
    assert embedded_redis.find_server() == new


def test_a_runtime_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder for the socket that others may enter is not used."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    data = tmp_path / ("long" * 30)
    data.mkdir()
    embedded_redis.prepare(data).socket.parent.chmod(0o777)
    with pytest.raises(Refusal, match="must be a folder of yours alone"):
        embedded_redis.prepare(data)


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except RedisError:
        return False


def _descriptor(folder: Path) -> int:
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT)


def _script(path: Path, words: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{words}'\n")
    path.chmod(0o755)
