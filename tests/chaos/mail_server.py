"""A real mail server that fails at times, and knows what it took from which worker and when."""

import asyncio
import random
import re
import time
from collections import Counter
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.line import free_port

_MESSAGE = re.compile(rb"^X-Ringpost-Message: *(\S+)", re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.MULTILINE)
HANG_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One mail that is ours from now on; `answered` is whether the worker was told so."""

    time: float
    worker: str
    message: str
    message_id: str
    answered: bool


class MailServer:
    """Listens on a port for each worker, so that it knows who hands a mail over.

    Every so many mails it fails, but never twice for one mail: the second retry of a step comes
    after minutes. `accepted` has each mail that it took.
    """

    def __init__(self, workers: list[str], *, seed: int, every: int) -> None:
        self._chance = random.Random(f"{seed}/mail")
        self._every = every
        self._mails = 0
        self._failed: set[str] = set()
        self.failures: Counter[str] = Counter()
        self.accepted: list[Acceptance] = []
        self._controllers = {
            worker: Controller(_Door(self, worker), hostname="127.0.0.1", port=free_port())
            for worker in workers
        }

    def url(self, worker: str) -> str:
        """Where this worker hands its mails over."""
        return f"smtp://127.0.0.1:{self._controllers[worker].port}"

    def start(self) -> None:
        """Listen."""
        for controller in self._controllers.values():
            controller.start()

    def stop(self) -> None:
        """Listen no more."""
        for controller in self._controllers.values():
            controller.stop()

    async def take(self, worker: str, content: bytes, server: SMTP) -> str:
        """Take a mail, or fail; what to answer."""
        mail = _found(_MESSAGE_ID, content)
        failure = self._failure(mail)
        if failure == "hung, then put off":
            await asyncio.sleep(HANG_SECONDS)
        if failure.endswith("put off"):
            return "451 4.3.2 not now"
        if failure != "broken off":
            answered = failure != "taken, then broken off"
            message = _found(_MESSAGE, content)
            self.accepted.append(Acceptance(time.time(), worker, message, mail, answered))
        if failure.endswith("broken off"):
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 OK"

    def _failure(self, mail: str) -> str:
        self._mails += 1
        if not self._every or self._mails % self._every or mail in self._failed:
            return ""
        self._failed.add(mail)
        kinds = ["put off", "hung, then put off", "broken off", "taken, then broken off"]
        failure = self._chance.choice(kinds)
        self.failures[failure] += 1
        return failure


class _Door:
    """One worker's entrance; aiosmtpd calls it."""

    def __init__(self, server: MailServer, worker: str) -> None:
        self._server = server
        self._worker = worker

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        return await self._server.take(self._worker, envelope.content, server)


def _found(pattern: re.Pattern[bytes], content: bytes) -> str:
    found = pattern.search(content)
    assert found is not None, "a mail of somebody else"
    return found[1].decode()
