"""Group commit of hints: while one publish is under way, the next ones gather and go together."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import structlog

from metrics.catalogue import HINTS
from webhook.sidecar import Sidecar

EVERY_MAILBOX = "*"
CHECK_SUBSCRIPTIONS = "?"
SWEEP = "!"

log = structlog.get_logger()


class Publisher(Protocol):
    """Hands hints on by calls that may block; raises whatever it likes when it cannot."""

    def connect(self) -> None:
        """Open the connection ahead of the first publish."""

    def publish(self, mailboxes: Sequence[str]) -> None:
        """Hand these mailboxes on; they are in the broker when it returns."""

    def close(self) -> None:
        """Drop the connection."""


class Hints:
    """Mailboxes that have changed, on their way to the worker; a lost or doubled one is harmless.

    Two hints name no mailbox: that the subscriptions should be checked, and that a sweep should
    begin, since nobody listened for a while. `capacity` bounds what is
    kept while the broker is away: more become the one hint "every mailbox". `patience` is how long
    a publish may take (seconds) before the broker counts as away and nobody waits for it; no
    request waits longer than twice that. An absent broker is tried again after ever longer pauses,
    `longest_pause` (seconds) at most.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        capacity: int = 2000,
        patience: float = 0.7,
        longest_pause: float = 2.0,
    ) -> None:
        self._publisher = publisher
        self._capacity = capacity
        self._patience = patience
        self._longest_pause = longest_pause
        self._mailboxes: dict[str, None] = {}
        self._waiting: list[asyncio.Future[bool]] = []
        self._under_way: list[asyncio.Future[bool]] = []
        self._wanted = asyncio.Event()
        self._closing = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, within: float = 0.4) -> None:
        """Begin to hand hints on; waits for the connection to the broker, but not for long."""
        connecting = asyncio.get_running_loop().create_future()
        self._waiting.append(connecting)
        self._task = asyncio.create_task(self._run(Sidecar("hints")), name="hints")
        await asyncio.wait({connecting}, timeout=within)

    async def give(self, mailbox: str) -> bool:
        """Hand on that a mailbox has changed: True once the broker has it, False if it is kept."""
        self.note(mailbox)
        if self._away:
            HINTS.count("kept")
            return False
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        handed_on = await waiter
        if not handed_on:
            HINTS.count("kept")
        return handed_on

    def note(self, mailbox: str) -> None:
        """Hand on that a mailbox has changed, without waiting for the broker."""
        self._keep(mailbox)
        self._wanted.set()

    async def close(self, within: float = 3.0) -> None:
        """Hand on what is kept, for at most `within` seconds, and stop."""
        self._closing.set()
        self._wanted.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=within)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._mailboxes:
            log.warning("hints not handed on: the next sweep will do", hints=len(self._mailboxes))
        self._release()

    def _keep(self, mailbox: str) -> None:
        if EVERY_MAILBOX in self._mailboxes:
            return
        self._mailboxes[mailbox] = None
        if mailbox == EVERY_MAILBOX or len(self._mailboxes) > self._capacity:
            self._mailboxes = {EVERY_MAILBOX: None}

    async def _run(self, sidecar: Sidecar) -> None:
        self._under_way, self._waiting = self._waiting, []
        connected = await self._attempt(sidecar, self._publisher.connect, 2 * self._patience)
        failures = int(not connected)
        while await self._some_are_kept():
            if failures:
                await self._pause(failures)
            failures = 0 if await self._hand_on(sidecar) else failures + 1
        await sidecar.run(self._publisher.close)

    async def _some_are_kept(self) -> bool:
        if not self._mailboxes and not self._closing.is_set():
            self._wanted.clear()
            await self._wanted.wait()
        return bool(self._mailboxes)

    async def _pause(self, failures: int) -> None:
        if self._closing.is_set():
            await asyncio.sleep(0.1)
            return
        seconds = min(0.05 * 2 ** min(failures, 10), self._longest_pause)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def _hand_on(self, sidecar: Sidecar) -> bool:
        mailboxes, self._mailboxes = list(self._mailboxes), {}
        self._under_way, self._waiting = self._waiting, []
        done = False
        try:
            publish = partial(self._publisher.publish, mailboxes)
            done = await self._attempt(sidecar, publish, self._patience)
        finally:
            if done:
                HINTS.count("published", by=len(mailboxes))
            else:
                for mailbox in mailboxes:
                    self._keep(mailbox)
        return done

    async def _attempt(self, sidecar: Sidecar, call: Callable[[], None], patience: float) -> bool:
        impatience = asyncio.get_running_loop().call_later(
            patience, self._give_up_waiting, f"no answer within {patience} s"
        )
        try:
            await sidecar.run(call)
        except Exception as error:  # noqa: BLE001  # whatever a broker does, the webhook must go on
            self._give_up_waiting(f"{type(error).__name__}: {str(error)[:200]}")
            return False
        finally:
            impatience.cancel()
        if self._away:
            self._away = False
            log.info("the broker is back", hints_kept=len(self._mailboxes))
        _answer(self._under_way, handed_on=True)
        return True

    def _give_up_waiting(self, reason: str) -> None:
        if not self._away:
            self._away = True
            log.warning("the broker is away: hints are kept until it is back", reason=reason)
        self._release()

    def _release(self) -> None:
        _answer(self._under_way, handed_on=False)
        _answer(self._waiting, handed_on=False)


def _answer(waiters: list[asyncio.Future[bool]], *, handed_on: bool) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(handed_on)
    waiters.clear()
