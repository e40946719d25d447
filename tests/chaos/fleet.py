"""All processes of an installation, to be killed and started again at will."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ringpost.embedded_redis import EmbeddedRedis, find_server
from sandbox import RingCentral
from tests.support.line import Line

WORKERS = ("worker-1", "worker-2")
PARTS = ("redis", "webhook", *WORKERS, "beat", "admin")


@dataclass(slots=True)
class Outage:
    """A process was killed, and started again (0: not yet), in epoch seconds."""

    name: str
    killed: float
    started: float = 0.0


class Fleet(Line):
    """A Redis of its own, the webhook, two workers, beat and the admin process."""

    def __init__(self, ringcentral: RingCentral, folder: Path, mail: dict[str, str]) -> None:
        redis = EmbeddedRedis(find_server(), folder, folder / "r.sock")
        super().__init__(ringcentral, redis.url, folder)
        self._redis = Redis.from_url(
            redis.url, socket_timeout=5, retry=Retry(NoBackoff(), retries=0)
        )
        self._mail = mail
        celery = ("-m", "celery", "--quiet", "--app", "worker")
        schedule = ("--schedule", str(folder / "beat-schedule"), "--pidfile=")
        self.commands |= {
            "redis": redis.program(0).command,
            **dict.fromkeys(WORKERS, (sys.executable, *celery, "worker", "--loglevel", "WARNING")),
            "beat": (sys.executable, *celery, "beat", *schedule),
            "admin": (sys.executable, "-m", "ringpost", "admin"),
        }
        self.environment["ADMIN_PORT"] = "0"  # any that is free
        self.outages: list[Outage] = []

    async def start_all(self) -> None:
        """Start Redis, then the rest."""
        self.start("redis")
        await self.redis_answers()
        self.start(*PARTS[1:])

    def surroundings(self, name: str) -> dict[str, str]:
        """The environment of one process."""
        if name not in WORKERS:
            return self.environment
        own = {"SMTP_URL": self._mail[name], "RINGPOST_DATA": str(self.data / name)}
        return {**self.environment, **own}

    def log_of(self, name: str) -> Path:
        """Where one process writes."""
        return self.data / f"{name}.log"

    def kill_hard(self, names: Sequence[str]) -> None:
        """`kill -9`, and note when; those that are dead already are left out."""
        living = [name for name in names if self.processes[name].poll() is None]
        for name in living:
            self.processes[name].kill()
            self.outages.append(Outage(name, time.time()))
        for name in living:
            self.processes[name].wait()

    async def start_again(self, names: Sequence[str]) -> None:
        """Start what was killed; returns at once but for Redis."""
        for name in names:
            self.start(name)
            if name == "redis":
                await self.redis_answers()
            for outage in self.outages:
                if outage.name == name and not outage.started:
                    outage.started = time.time()

    async def redis_answers(self) -> None:
        """Wait until Redis has read its file."""
        while True:
            try:
                if self._redis.ping():
                    return
            except (RedisError, OSError):
                await asyncio.sleep(0.02)

    def died(self) -> list[str]:
        """What runs no more though nobody has killed it."""
        return [
            f"{name} ended with {process.returncode}"
            for name, process in self.processes.items()
            if process.poll() not in {None, -9}
        ]
