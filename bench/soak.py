"""Messages of all kinds, minute after minute: does anything grow?

`python -m bench.soak --minutes 10 --rate 20`: 20 mailboxes; each message is archived, mailed and
marked read. Every ten seconds a line: memory of each process (MiB), keys and memory of Redis, and
how long messages took from their arrival to the archive. Exit 1 if anything grows after warm-up.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import redis

from bench.line import Stage, listens, stage, synchronised, wait_until
from bench.memory import peer

MAILBOXES, EVERY = 20, 10.0
KINDS = ("sms", "mms", "fax", "voicemail", "pager")
# What of the later part of a run may be above its middle part.
MEMORY_MIB, KEYS, DELAY = 4.0, 40, 0.5
# The ledger remembers 20,000 messages of each mailbox: until then each takes so many bytes.
BYTES_PER_MESSAGE = 400
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """How things are at one moment; memory in MiB by process, delays in seconds."""

    memory: dict[str, float]
    keys: int
    redis_bytes: int
    seen: int
    delays: Sequence[float]


@dataclass(slots=True)
class Soak:
    """A run under way."""

    place: Stage
    seconds: float
    rate: float
    sent: list[tuple[float, Path]] = field(default_factory=list)
    """When each message was sent, and the manifest it will have."""
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        """Send and look, then wait for the last ones."""
        async with aiohttp.ClientSession() as session:
            sending = asyncio.create_task(self._send(session))
            while not sending.done():
                await asyncio.sleep(EVERY)
                self.samples.append(self._sample())
                print(_in_words(len(self.samples) * EVERY, self.samples[-1]), flush=True)
            await sending
        wait_until(lambda: all(manifest.exists() for _, manifest in self.sent))

    async def _send(self, session: aiohttp.ClientSession) -> None:
        facts = await self.place.ask(session, "")
        extensions = [extension["id"] for extension in facts["extensions"]]
        began, number = time.time(), 0
        while (now := time.time()) < began + self.seconds:
            while number < (now - began) * self.rate:
                told = {
                    "type": KINDS[number % len(KINDS)],
                    "extension": extensions[number // len(KINDS) % MAILBOXES],
                }
                url = f"http://127.0.0.1:{self.place.api}/sandbox/messages"
                async with session.post(url, json=told) as answer:
                    [record] = await answer.json()
                self.sent.append((time.time(), self._manifest(facts["account"], told, record)))
                number += 1
            await asyncio.sleep(0.01)

    def _manifest(self, account: str, told: dict[str, str], record: dict[str, Any]) -> Path:
        day = datetime.fromisoformat(record["creationTime"]).strftime("%Y/%m/%d")
        folder = self.place.folder / "archive" / account / told["extension"] / day
        return folder / f"{record['type']}-{record['id']}" / "manifest.json"

    def _sample(self) -> Sample:
        client = redis.Redis(unix_socket_path=str(self.place.redis), decode_responses=True)
        facts: Any = client.info("memory")
        keys: Any = client.dbsize()
        seen = sum(int(client.zcard(name)) for name in client.scan_iter("ringpost:ledger:seen:*"))
        client.close()
        memory = {
            name: psutil.Process(process.pid).memory_info().rss / MIB
            for name, process in self.place.processes.items()
            if name != "sandbox"
        }
        until = time.time() - EVERY
        some = [(sent, path) for sent, path in self.sent if until - EVERY <= sent < until]
        delays = [
            (path.stat().st_mtime if path.exists() else time.time()) - sent for sent, path in some
        ]
        return Sample(memory, keys, int(facts["used_memory"]), seen, delays)


def verdicts(samples: Sequence[Sample]) -> list[tuple[bool, str]]:
    """Whether the last third of a run is as its middle third: a line for each thing."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]

    def compare(
        what: str, value: Callable[[Sample], float], most: float, unit: str
    ) -> tuple[bool, str]:
        before, after = (statistics.mean(map(value, part)) for part in (middle, last))
        words = f"{what}: {before:.2f}, then {after:.2f} {unit} (may grow by {most:g})"
        return after - before <= most, words

    lines = [
        compare(f"memory of {name}", lambda one, name=name: one.memory[name], MEMORY_MIB, "MiB")  # type: ignore[misc]  # mypy cannot infer it
        for name in samples[0].memory
        if name != "redis"
    ]
    lines.append(compare("keys", lambda one: one.keys, KEYS, "keys"))
    for share in (50, 99):
        lines.append(compare(f"delay, p{share}", lambda one: _share(one.delays, share), DELAY, "s"))  # noqa: B023, PERF401  # called at once
    new = samples[-1].seen - samples[third].seen
    each = (samples[-1].redis_bytes - samples[third].redis_bytes) / max(1, new)
    words = f"Redis: {each:.0f} bytes for each message it remembers (at most {BYTES_PER_MESSAGE})"
    return [*lines, (each <= BYTES_PER_MESSAGE, words)]


def _in_words(seconds: float, sample: Sample) -> str:
    memory = " ".join(f"{name} {size:.1f}" for name, size in sample.memory.items())
    shares = "/".join(f"{_share(sample.delays, share):.2f}" for share in (50, 99, 100))
    return (
        f"{seconds:4.0f} s  MiB: {memory}  Redis: {sample.keys} keys, "
        f"{sample.redis_bytes / MIB:.1f} MiB, {sample.seen} remembered  delay: {shares} s"
    )


def _share(delays: Sequence[float], share: int) -> float:
    """The delay that so many per cent do not exceed."""
    ordered = sorted(delays) or [0.0]
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def start(place: Stage, smtp: str) -> None:
    """Webhook, worker, beat and the admin process, subscribed to all mailboxes."""
    place.environment["WEBHOOK_URL"] = f"http://127.0.0.1:{place.webhook}/webhook"
    (place.folder / "ringpost.toml").write_text(
        'mailboxes = "all"\n[sync]\nstart = "1h"\n'
        f'[handlers.vault]\nuse = "archive"\nto = "file://{place.folder}/archive"\n'
        f'[handlers.office-mail]\nuse = "email"\nsmtp = "{smtp}"\n'
        'from = "phone@example.com"\nto = ["office@example.com"]\n'
        '[[routes]]\nname = "kept"\nsteps = ["vault", "mark-read"]\n'
        '[[routes]]\nname = "mailed"\nsteps = ["office-mail", "mark-read"]\n'
    )
    celery = (sys.executable, "-m", "celery", "-A", "worker")
    schedule = ("--schedule", str(place.folder / "beat-schedule"), "--pidfile=")
    place.start("webhook", sys.executable, "-m", "webhook")
    place.start("worker", *celery, "worker", "--loglevel", "WARNING")
    place.start("beat", *celery, "beat", *schedule)
    place.environment["ADMIN_PORT"] = "0"  # any that is free
    place.start("admin", sys.executable, "-m", "ringpost", "admin")
    wait_until(lambda: listens(place.webhook))
    client = redis.Redis(unix_socket_path=str(place.redis), decode_responses=True)
    wait_until(lambda: synchronised(client) == MAILBOXES)


def main() -> int:
    """Run once and say what grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=20, help="messages a second")
    wish = parser.parse_args()
    sink, port = peer("sink")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rp-") as name,
            stage(Path(name) / "soak", MAILBOXES, "--latency", "0") as place,
        ):
            start(place, f"smtp://127.0.0.1:{port}")
            soak = Soak(place, wish.minutes * 60, wish.rate)
            asyncio.run(soak.run())
    finally:
        sink.communicate()
    found = verdicts(soak.samples)
    delays = [delay for sample in soak.samples for delay in sample.delays]
    print(f"{len(soak.sent)} messages, all archived; slowest {max(delays, default=0):.2f} s")
    for good, words in found:
        print(f"{'flat  ' if good else 'GROWS '} {words}")
    return 0 if all(good for good, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
