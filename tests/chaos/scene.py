"""One line whose worker is killed at one point after the other, and started again each time."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from sandbox import InMemory, RingCentral
from tests.chaos import child
from tests.chaos.points import (
    AWAY,
    BACKFILL_BEGUN,
    BACKFILLED,
    BY_HAND,
    CHECK,
    CLEARED,
    IDLE,
    LOST,
    REPAIRED,
    REPLAYED,
    SIGNED_OUT,
    SLOW,
    STOPPED,
    Point,
)
from tests.support.line import TOKEN, free_port
from webhook.app import create_app
from webhook.hints import CHECK_SUBSCRIPTIONS, Hints
from webhook.publisher import CeleryPublisher
from webhook.settings import Settings
from worker.archive.verification import verify
from worker.ledger import Ledger

MAILBOXES = 8
FAILURES = 5
WITHIN = 100.0
PAGE = InMemory(b"%PDF-" + b"x" * 2000, "fax.pdf", "application/pdf")
CONFIGURATION = """
mailboxes = "all"
[sync]
start = "1h"
sweep_interval = "3s"
[retries]
schedule = ["1s", "1s", "1s", "1s", "1s", "1s"]
[reconcile]
every = "never"
[handlers.vault]
use = "archive"
to = "file://{folder}/archive"
[handlers.office-mail]
use = "email"
smtp = "{smtp}"
from = "phone@example.com"
to = ["office@example.com"]
[[routes]]
name = "everything"
steps = ["vault", "office-mail", "mark-read"]
[handlers.cleaner]
use = "delete"
after = "1h"
[[routes]]
name = "cleared"
match.from = "+16505550177"
steps = ["cleaner"]
"""


class Scene:
    """A sandbox, a mail server, a webhook in this process, and a forked worker."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self._folder = folder
        self._archive = folder / "archive"
        self._redis_url = redis_url
        self._crash_at = folder / "crash-at"
        self.ringcentral = RingCentral(extensions=MAILBOXES, aggregation=0.05)
        self._mails: list[bytes] = []
        self._refusing = False
        self._smtp_port = free_port()
        self._smtp: Controller
        self._ledger = Ledger(redis_url)
        self._turn = 0
        self._worker: BaseProcess | None = None
        self._environment: dict[str, str] = {}
        self._closing: list[Callable[[], Any]] = []
        self._followers: list[BaseProcess] = []
        self._hints: Hints

    async def start(self) -> None:
        """Bring all up, and let a first message through."""
        self._start_mail_server()
        await self.ringcentral.__aenter__()
        port = await self._start_webhook()
        smtp = f"smtp://127.0.0.1:{self._smtp_port}"
        text = CONFIGURATION.format(folder=self._folder, smtp=smtp)
        (self._folder / "ringpost.toml").write_text(text)
        self._environment = {
            "PATH": os.environ["PATH"],
            **self.ringcentral.environment(),
            "REDIS_URL": self._redis_url,
            "WEBHOOK_URL": f"http://127.0.0.1:{port}/webhook",
            "WEBHOOK_VERIFICATION_TOKEN": TOKEN,
            "RINGPOST_DATA": str(self._folder),
            "RINGPOST_LEASE": "0.6",
            "CRASH_AT": str(self._crash_at),
        }
        self._start_worker()
        await _until(self._is_covered)
        await self.done(await self.fax())

    async def stop(self) -> None:
        """End everything."""
        for process in (self._worker, *self._followers):
            if process is not None:
                process.kill()
                process.join()
        for close in reversed(self._closing):
            await close()
        await self._ledger.close()
        await self.ringcentral.__aexit__()
        self._smtp.stop()

    async def kill_at(self, point: Point) -> set[str]:
        """Kill the worker there, start another, let it end the work; what was done twice.

        Raises TimeoutError, with words, if it does not come to the point or to the end.
        """
        marks = self._marks()
        self._crash_at.write_text(point.name)
        message = await self._trigger(point.trigger)
        victim = self._worker
        if point.trigger not in BY_HAND:
            assert victim is not None
            await _until(lambda: not victim.is_alive(), "it never came there")
            assert victim.exitcode == -signal.SIGKILL, "it ended by itself"
            self.ringcentral.settings.latency = 0.0
            if point.trigger == AWAY:
                self._start_mail_server()
            self._start_worker()
        message = message or await self.fax()
        await self.done(message)
        assert not list(verify(self._archive))
        others = FAILURES if point.trigger == AWAY else 0
        times = {**self.times(message), "mark": self._marks() - marks - others}
        assert all(times.values()), times
        return {effect for effect, count in times.items() if count > 1}

    async def fax(self, **wish: Any) -> str:
        """A fax arrives, in each mailbox in turn; its id."""
        self._turn += 1
        extension = self.ringcentral.extension_ids[self._turn % MAILBOXES]
        fax = await self.ringcentral.receives_fax(extension=extension, attachments=[PAGE], **wish)
        return str(fax["id"])

    async def done(self, message: str) -> None:
        """Wait until all is done with a message, nothing is left over, and all is watched."""
        await _until(lambda: self.is_read(message), "the message was not done")
        await _until(self._is_at_rest, "something was left over")
        await _until(self._is_covered, "the subscription was not mended")

    async def repeated(self, message: str) -> None:
        """Wait until a message was mailed a second time, and all is done with it."""
        await _until(lambda: len(self.mails_of(message)) == 2, "it was not mailed again")
        await self.done(message)

    @property
    def is_well(self) -> bool:
        """Whether the worker that was started last has not ended, and no error was unforeseen."""
        lives = self._worker is not None and self._worker.is_alive()
        return lives and "Traceback" not in (self._folder / "log.txt").read_text()

    def is_read(self, message: str) -> bool:
        """Whether all its steps are done: the last one marks it read."""
        return bool(self.ringcentral.message(message)["readStatus"] == "Read")

    def times(self, message: str) -> dict[str, int]:
        """How often each thing was done with a message."""
        return {
            "archive": len(list(self._folder.rglob(f"*-{message}/manifest.json"))),
            "mail": len(self.mails_of(message)),
            "download": self.ringcentral.count(f"/{message}/content"),
        }

    def mails_of(self, message: str) -> list[bytes]:
        """The mails of a message."""
        return [mail for mail in self._mails if f"X-Ringpost-Message: {message}".encode() in mail]

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail, unless it is to be refused."""
        if self._refusing:
            return "550 not wanted"
        assert isinstance(envelope.content, bytes)
        self._mails.append(envelope.content)
        return "250 OK"

    async def _trigger(self, trigger: str) -> str | None:
        """Bring the worker to its point; the message, if one is on its way."""
        if trigger == IDLE:
            return None
        if trigger == LOST:
            await self.ringcentral.blacklists()
        if trigger in {CHECK, LOST}:
            await self._hints.give(CHECK_SUBSCRIPTIONS)
            return None
        if trigger == SIGNED_OUT:
            await self.ringcentral.revokes_tokens()
        if trigger in {SLOW, STOPPED}:
            self.ringcentral.settings.latency = 0.7 if trigger == SLOW else 3.0
        if trigger in {BACKFILLED, BACKFILL_BEGUN}:
            return await self._fill_up(by_hand=trigger == BACKFILL_BEGUN)
        if trigger == REPAIRED:
            return await self._repair()
        if trigger == AWAY:
            self._smtp.stop()
            for _ in range(FAILURES):
                await self.fax()
        self._refusing = trigger == REPLAYED
        message = await self.fax(**({"sender": "+16505550177"} if trigger == CLEARED else {}))
        if trigger == STOPPED:
            await _until(lambda: self.ringcentral.count(f"/{message}/content"))
            assert self._worker is not None
            self._worker.terminate()
        if trigger == REPLAYED:
            await self._replay()
        return message

    async def _replay(self) -> None:
        await _until(self._ledger.failures, "nothing failed")
        self._refusing = False
        await self._command("replay")

    async def _fill_up(self, *, by_hand: bool) -> str:
        self._turn += 1
        created = time.time() - 2 * 3600 - self._turn
        message = await self.fax(created=created)
        words = ("backfill", "--since", f"{3 * 3600 + self._turn}s")
        if by_hand:
            await self._command(*words)
        else:
            # it follows the backfill until it is through, whoever carries that out
            self._followers.append(child.start_command(self._environment, self._folder, *words))
        return message

    async def _repair(self) -> str:
        message = await self.fax(created=time.time() - 1800)
        await self.done(message)
        [folder] = self._archive.rglob(f"*-{message}")
        shutil.rmtree(folder)
        await self._command("reconcile", "--repair", "--since", "1d")
        await _until(folder.exists, "it was not archived again")
        return message

    async def _command(self, *words: str) -> None:
        """Give a command and see it die at its point; whoever sees that gives it again."""
        for code in (-signal.SIGKILL, None):
            command = child.start_command(self._environment, self._folder, *words)
            await asyncio.to_thread(command.join, WITHIN)
            assert command.exitcode is not None, "it never came there"
            assert code in {None, command.exitcode}, "it ended by itself"

    def _marks(self) -> int:
        return self.ringcentral.count("updateMessage", method="PUT")

    async def _is_at_rest(self) -> bool:
        overview = await self._ledger.overview()
        return overview.due == overview.running == overview.waiting == overview.failed == 0

    async def _is_covered(self) -> bool:
        overview = await self._ledger.overview()
        active = [one for one in self.ringcentral.subscriptions if one.active]
        alone = len(active) == len(self.ringcentral.subscriptions) == 1
        return alone and len(overview.mailboxes) == MAILBOXES and not overview.polling

    def _start_mail_server(self) -> None:
        self._smtp = Controller(self, hostname="127.0.0.1", port=self._smtp_port)
        self._smtp.start()

    def _start_worker(self) -> None:
        self._worker = child.start_worker(self._environment, self._folder)

    async def _start_webhook(self) -> int:
        token = (SecretStr(TOKEN),)
        settings = Settings(redis_url=self._redis_url, webhook_verification_token=token)
        self._hints = Hints(CeleryPublisher(settings.broker_url))
        await self._hints.start()
        self._closing.append(self._hints.close)
        runner = web.ServerRunner(create_app(settings, self._hints), shutdown_timeout=0.1)
        await runner.setup()
        self._closing.append(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return site.port


async def _until(condition: Callable[[], Any], words: str = "it did not start") -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(words)
        await asyncio.sleep(0.05)
