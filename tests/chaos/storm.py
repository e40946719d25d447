"""One run: messages are sent while everything around them is killed, dropped and failed."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import InMemory, RingCentral
from tests.chaos.fleet import PARTS, WORKERS, Fleet
from tests.chaos.mail_server import MailServer
from tests.chaos.reckoning import Reckoning
from worker.ledger import Overview, open_ledger

KINDS = ("sms", "mms", "fax", "voicemail", "pager")
FILE = InMemory(b"\x89PNG\r\n\x1a\n" + b"x" * 2000, "picture.png", "image/png")
# RingCentral's documented limits, whose minute lasts three seconds
LIMITS = {"light": 50, "medium": 40, "heavy": 10, "auth": 5}
WINDOW = 3.0
ALL_AT_ONCE = 5  # every so many times the whole machine dies
ROUTES = """
[retries]
schedule = ["2s", "5s", "10s", "20s", "30s", "60s"]
[handlers.office-mail]
use = "email"
smtp = "${SMTP_URL}"
from = "phone@example.com"
to = ["office@example.com"]
[[routes]]
name = "kept"
steps = ["vault", "mark-read"]
[[routes]]
name = "mailed"
steps = ["office-mail", "mark-read"]
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run shall be like; times are seconds.

    `sending`: how long the messages take to arrive. `mail_fails_every`: so many mails, 0 for never.
    `redis_stopped`: how long Redis is away in the middle. `patience`: how long the last message may
    take after the last one was sent.
    """

    seed: int = 1
    messages: int = 2000
    mailboxes: int = 20
    kills: int = 50
    sending: float = 200.0
    mail_fails_every: int = 25
    redis_stopped: float = 0.0
    patience: float = 240.0


@dataclass(slots=True)
class Storm:
    """One run under way. `say` gets a line now and then."""

    wish: Wish
    say: Callable[[str], None]
    folder: Path
    ringcentral: RingCentral
    fleet: Fleet
    mail: MailServer
    sent: dict[str, float] = field(default_factory=dict)
    """When each message was sent, by its id."""
    pause: tuple[float, float] | None = None
    """From when to when Redis was stopped, if it was."""

    async def blow(self) -> Reckoning:
        """Send everything under attack, wait until all has arrived, and reckon up."""
        began = time.time()
        await self._begin()
        self.say(f"everything runs after {time.time() - began:.0f} s")
        self.ringcentral.fails_every(20, seed=self.wish.seed)
        weather = asyncio.create_task(self._weather())
        await asyncio.gather(self._send(), self._attack())
        weather.cancel()
        self.ringcentral.recovers()
        self.say(f"all sent, {len(self.fleet.outages)} kills; waiting until all is quiet")
        overview = await self._until_quiet()
        return Reckoning(
            sent=self.sent,
            archived=[path.name.partition("-")[2] for path in self.fleet.archived()],
            read={id_ for id_ in self.sent if self.fleet.is_read(id_)},
            accepted=self.mail.accepted,
            outages=self.fleet.outages,
            in_penalty=len(self.ringcentral.sent_in_penalty(under_way=2 / 3 * WINDOW)),
            notifications=self.ringcentral.notifications,
            mail_failures=self.mail.failures,
            api_failures=sum(bool(one.failure) for one in self.ringcentral.requests),
            died=self.fleet.died(),
            pause=self.pause,
            open=overview.due + overview.running + overview.waiting,
            failed=overview.failed,
            seconds=time.time() - began,
        )

    async def _begin(self) -> None:
        self.fleet.configure(ROUTES, sweep="15s")
        text = (self.folder / "ringpost.toml").read_text()
        (self.folder / "ringpost.toml").write_text(text.replace('["~"]', '"all"'))
        await self.fleet.start_all()
        async with open_ledger(self.fleet.environment["REDIS_URL"]) as ledger:
            while True:
                overview = await ledger.overview()
                mailboxes = [one for one in overview.mailboxes if one.last_sync]
                if len(mailboxes) == self.wish.mailboxes and not overview.polling:
                    return
                await asyncio.sleep(0.1)

    async def _send(self) -> None:
        chance = random.Random(f"{self.wish.seed}/messages")
        for number in range(self.wish.messages):
            kind = KINDS[number % len(KINDS)]
            files: dict[str, Any] = {} if kind in {"sms", "pager"} else {"attachments": [FILE]}
            extension = chance.choice(self.ringcentral.extension_ids)
            record = await self.ringcentral.receives(kind, extension=extension, **files)
            self.sent[str(record["id"])] = time.time()
            await asyncio.sleep(self.wish.sending / self.wish.messages)

    async def _attack(self) -> None:
        """Kill at random, the last time about when all is sent; at times everything at once."""
        chance = random.Random(f"{self.wish.seed}/kills")
        began, between = time.monotonic(), self.wish.sending / self.wish.kills
        paused, blows = not self.wish.redis_stopped, 0
        while len(self.fleet.outages) < self.wish.kills:
            await asyncio.sleep(chance.uniform(0.2, 1.4) * between)
            if not paused and time.monotonic() - began > self.wish.sending / 3:
                paused = True
                await self._stop_redis()
            blows += 1
            victims = list(PARTS) if blows % ALL_AT_ONCE == 0 else [chance.choice(PARTS)]
            self.fleet.kill_hard(victims)
            await asyncio.sleep(chance.uniform(0, 1))
            await self.fleet.start_again(victims)

    async def _stop_redis(self) -> None:
        self.say(f"Redis is stopped for {self.wish.redis_stopped:.0f} s")
        self.ringcentral.recovers()  # no notification gets lost now: each shall be answered
        self.fleet.processes["redis"].terminate()
        self.fleet.processes["redis"].wait()
        began = time.time()
        await asyncio.sleep(self.wish.redis_stopped)
        self.pause = (began, time.time())
        await self.fleet.start_again(["redis"])
        self.ringcentral.fails_every(20, seed=self.wish.seed + 1)

    async def _weather(self) -> None:
        """Notifications get lost, come twice and out of order."""
        chance = random.Random(f"{self.wish.seed}/weather")
        sentences = (
            self.ringcentral.drops_notifications,
            self.ringcentral.doubles_notifications,
            self.ringcentral.reorders_notifications,
        )
        while True:
            await asyncio.sleep(chance.uniform(0.1, 1))
            if self.fleet.processes["redis"].poll() is None:
                chance.choice(sentences)(chance.randint(1, 3))

    async def _until_quiet(self) -> Overview:
        """The overview once nothing is open, or when patience ends."""
        deadline = time.monotonic() + self.wish.patience
        async with open_ledger(self.fleet.environment["REDIS_URL"]) as ledger:
            quiet = 0
            while True:
                overview = await ledger.overview()
                at_rest = overview.due == overview.running == overview.waiting == 0
                quiet = quiet + 1 if at_rest and self._all_here() else 0
                # a while longer, for what might come twice
                if quiet > 10 or time.monotonic() > deadline:
                    return overview
                await asyncio.sleep(0.2)

    def _all_here(self) -> bool:
        mailed = {one.message for one in self.mail.accepted}
        return self.sent.keys() <= mailed and all(map(self.fleet.is_read, self.sent))


async def storm(wish: Wish, say: Callable[[str], None]) -> Reckoning:
    """Build everything up, let the storm blow, and tear it down."""
    with tempfile.TemporaryDirectory(prefix="rp-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        mail = MailServer(list(WORKERS), seed=wish.seed, every=wish.mail_fails_every)
        mail.start()
        async with RingCentral(
            extensions=wish.mailboxes, limits=LIMITS, window=WINDOW
        ) as ringcentral:
            fleet = Fleet(ringcentral, folder, {worker: mail.url(worker) for worker in WORKERS})
            try:
                return await Storm(wish, say, folder, ringcentral, fleet, mail).blow()
            finally:
                fleet.stop()
                mail.stop()
