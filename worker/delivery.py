"""Delivers: takes due deliveries from the ledger and goes through their steps in order.

A step is recorded when it is done, not before; a retry resumes at the first step not done.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from message_store.errors import LoginRefused, RateLimited, RingCentralError, TokenRejected
from message_store.mailbox import Mailbox
from message_store.message import Message

from .cancelling import cancel_all
from .failures import RETRY_SCHEDULE, is_transient, may_appear, retry_after
from .handlers.contract import ClosingHandler, Context, Handler, HandlerError, PermanentError
from .ledger.deliveries import DeliveryLedger
from .ledger.records import Claim
from .routes import Route
from .wording import in_brief

log = structlog.get_logger()

STEP_DEADLINE = 900.0
_ADMINISTRATOR_RETRY = 300.0
_SOON = 5.0
# A task ends before its deadline; what is under way then goes on beside it.
_WORK_SECONDS = 240.0
_GATHER_SECONDS = 0.01


@dataclass(frozen=True)
class StepAddress:
    """Which step of which delivery a handler is called for; `attempt` counts from 1."""

    mailbox: Mailbox
    message: Message
    route: str
    step: str
    attempt: int


ContextFactory = Callable[[StepAddress], Context]
FilesOver = Callable[[Mailbox, str], None]


class Deliverer:
    """Runs up to `capacity` deliveries at once; none waits for the slowest.

    `files_over` is called for each message whose files nobody needs any more.
    """

    def __init__(
        self,
        ledger: DeliveryLedger,
        routes: Mapping[str, Route],
        handlers: Mapping[str, Handler | ClosingHandler],
        context: ContextFactory,
        files_over: FilesOver,
        capacity: int = 80,
    ) -> None:
        self._ledger = ledger
        self._routes = routes
        self._handlers = handlers
        self._context = context
        self._files_over = files_over
        self._capacity = capacity
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._more = False
        self._wake = asyncio.Event()
        self._working = False

    @property
    def claims(self) -> list[Claim]:
        """The deliveries under way in this process."""
        return list(self._running.values())

    async def work(self) -> None:
        """Deliver until nothing is due; if that is under way already, make it look again.

        Returns after a while even if more is due: the pump hands on what is.
        """
        self._more = True
        self._wake.set()
        if self._working:
            return
        self._working = True
        try:
            await self._work()
        finally:
            self._working = False

    async def _work(self) -> None:
        until = time.monotonic() + _WORK_SECONDS
        while (self._more or self._running) and time.monotonic() < until:
            self._wake.clear()
            free = self._capacity - len(self._running)
            if self._more and free:
                self._more = False
                claims = await self._ledger.claim(free)
                self._more = self._more or len(claims) == free
                for claim in claims:
                    self._begin(claim)
            if self._running:
                await self._wake.wait()
                # What ends at about the same time is replaced by one claim.
                await asyncio.sleep(_GATHER_SECONDS)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._deliver(claim))
        self._running[task] = claim
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Only the ledger's absence ends here: the claim lapses and is taken up again.
            log.error("delivery interrupted", reason=str(error))

    async def release(self) -> None:
        """Stop what is under way and give it back, due at once (a worker that shuts down)."""
        running = dict(self._running)
        await cancel_all(running)
        await self._ledger.release(list(running.values()))

    async def _deliver(self, claim: Claim) -> None:
        route = self._routes.get(claim.route)
        if route is None:
            claim.delivery.state = "skipped"
            claim.delivery.reason = "the route is no longer in the configuration"
            await self._settle(claim)
            return
        message = Message.model_validate_json(claim.snapshot)
        todo = [step for step in route.steps if step not in claim.delivery.done]
        closing = [step for step in todo if isinstance(self._handlers[step], ClosingHandler)]
        ordinary = [step for step in todo if step not in closing]
        for step in ordinary:
            claim.delivery.step = step
            if not await self._take_step(claim, message, step):
                return
            # the last step is recorded by settling, in one round trip
            if step != ordinary[-1] and not await self._ledger.record_step(claim):
                log.warning("claim lost", mailbox=str(claim.mailbox), message=claim.message_id)
                return
        claim.delivery.state = "waiting" if closing else "done"
        claim.delivery.closing = closing or None
        claim.delivery.reason = None
        await self._settle(claim)

    async def _take_step(self, claim: Claim, message: Message, step: str) -> bool:
        handler = self._handlers[step]
        assert isinstance(handler, Handler)  # closing steps were set apart  # noqa: S101
        address = StepAddress(
            claim.mailbox, message, claim.route, step, claim.delivery.attempts + 1
        )
        started = time.monotonic()
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                words = await handler.handle(message, self._context(address))
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except Exception as error:  # noqa: BLE001
            await self._step_failed(claim, message, step, error)
            return False
        words = claim.delivery.done[step] = in_brief(words)
        claim.delivery.attempts = 0
        log.info(
            "step done",
            **_facts(claim, message),
            step=step,
            outcome=words,
            seconds=round(time.monotonic() - started, 3),
        )
        return True

    async def _step_failed(
        self, claim: Claim, message: Message, step: str, error: Exception
    ) -> None:
        delivery = claim.delivery
        delivery.reason = in_brief(str(error) or type(error).__name__)
        facts = {**_facts(claim, message), "step": step, "reason": delivery.reason}
        wait = self._wait(claim, message, error)
        if wait is None:
            delivery.state = "failed"
            if isinstance(error, (HandlerError, RingCentralError)) or is_transient(error):
                log.error("delivery failed", **facts)
            else:
                log.error("delivery failed", exc_info=error, **facts)
            await self._settle(claim)
            return
        log.warning("step waits", retry_in=round(wait, 1), **facts)
        await self._ledger.settle(claim, due_in=wait)

    def _wait(self, claim: Claim, message: Message, error: Exception) -> float | None:
        """Seconds until the next attempt, None when there is none; counts the attempt."""
        asked = retry_after(error)
        if isinstance(error, RateLimited):
            return asked or _SOON
        if isinstance(error, (LoginRefused, TokenRejected)):
            return asked or _ADMINISTRATOR_RETRY
        if may_appear(error, time.time() - message.created.timestamp()):
            return asked or _SOON
        if isinstance(error, PermanentError) or not is_transient(error):
            return None
        attempt = claim.delivery.attempts
        claim.delivery.attempts += 1
        if attempt >= len(RETRY_SCHEDULE):
            return None
        return asked if asked is not None else RETRY_SCHEDULE[attempt] * random.uniform(0.9, 1.1)  # noqa: S311  # jitter is no secret

    async def _settle(self, claim: Claim) -> None:
        if await self._ledger.settle(claim):
            self._files_over(claim.mailbox, claim.message_id)


def _facts(claim: Claim, message: Message) -> dict[str, str]:
    return {
        "mailbox": str(claim.mailbox),
        "message": claim.message_id,
        "type": message.type or "unknown",
        "route": claim.route,
    }
