"""What a thousand messages of each kind cost in calls to RingCentral, by rate group.

`python -m bench.calls`: a burst into one mailbox, and a trickle over ten; each message is archived
and marked read. Exit 1 if a goal is missed.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import redis

from bench.line import MAILBOXES, Stage, listens, stage, synchronised, wait_until

MESSAGES, ATONCE = 1000, 10
FILES = {"sms": 0, "mms": 2, "fax": 1, "voicemail": 1}
# light calls of a burst, and medium ones beside one for each file
BURST_GOALS = (20, 10)


@contextmanager
def running(folder: Path, mailboxes: int = MAILBOXES, *options: str) -> Iterator[Stage]:
    """Webhook and worker, subscribed to all mailboxes, idle; `options` are the sandbox's."""
    with stage(folder, mailboxes, *options) as place:
        place.environment["WEBHOOK_URL"] = f"http://127.0.0.1:{place.webhook}/webhook"
        (place.folder / "ringpost.toml").write_text(
            'mailboxes = "all"\n[sync]\nstart = "1h"\n'
            f'[handlers.vault]\nuse = "archive"\nto = "file://{place.folder}/archive"\n'
            '[[routes]]\nname = "kept"\nsteps = ["vault", "mark-read"]\n'
        )
        place.start("webhook", sys.executable, "-m", "webhook")
        place.start("worker", sys.executable, "-m", "celery", "-A", "worker", "worker")
        wait_until(lambda: listens(place.webhook))
        client = redis.Redis(unix_socket_path=str(place.redis), decode_responses=True)
        wait_until(lambda: synchronised(client) == mailboxes)
        time.sleep(2)
        yield place


async def cost(place: Stage, kind: str, *, burst: bool) -> Counter[str]:
    """The calls by group from the first of a thousand messages to the last mark."""
    client = redis.Redis(unix_socket_path=str(place.redis), decode_responses=True)
    before = _done(client)
    url = f"http://127.0.0.1:{place.api}/sandbox"
    async with aiohttp.ClientSession() as session:
        facts = await place.ask(session, "")
        async with session.delete(f"{url}/requests"):
            pass
        extensions = [extension["id"] for extension in facts["extensions"]]
        for n in range(MESSAGES // ATONCE):
            extension = extensions[0] if burst else extensions[n % MAILBOXES]
            told = {"type": kind, "extension": extension, "count": ATONCE}
            async with session.post(f"{url}/messages", json=told) as answer:
                answer.raise_for_status()
            if not burst:
                await asyncio.sleep(0.1)  # ten seconds in all
        deadline = time.monotonic() + 240
        while _done(client) - before < MESSAGES:
            if time.monotonic() > deadline:
                raise SystemExit(f"only {_done(client) - before} of {MESSAGES} were done")
            await asyncio.sleep(0.05)
        requests = await place.ask(session, "/requests")
    return Counter(request["group"] for request in requests)


def _done(client: redis.Redis) -> int:
    return int(client.hget("ringpost:ledger:counts", "done\tkept") or 0)


def main() -> int:
    """Print calls per thousand messages."""
    missed = False
    print(f"calls per {MESSAGES} messages, archived and marked read")
    print(f"{'':10} {'':8} {'light':>7} {'medium':>7} {'files':>7}")
    with (
        tempfile.TemporaryDirectory(prefix="rp-") as name,
        running(Path(name) / "calls") as place,
    ):
        for kind, files in FILES.items():
            for burst in (True, False):
                groups = asyncio.run(cost(place, kind, burst=burst))
                way = "burst" if burst else "trickle"
                light, medium = groups["light"], groups["medium"]
                print(f"{kind:10} {way:8} {light:7} {medium:7} {files * MESSAGES:7}")
                others = {g: n for g, n in groups.items() if g not in {"light", "medium"}}
                if others:
                    print(f"{'':10} others: {json.dumps(others)}")
                beside = medium - files * MESSAGES
                missed |= burst and (light > BURST_GOALS[0] or beside > BURST_GOALS[1])
    print("MISSED" if missed else f"reached: a burst costs at most {BURST_GOALS[0]} light calls")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
