"""Delivers: takes due deliveries from the ledger and goes through their steps in order.

A step is recorded when it is done, not before; a retry resumes at the first step not done.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message

from .failures import RETRY_SCHEDULE, is_foreseen, judge, reason
from .handlers.contract import Context, Outcome
from .ledger.deliveries import DeliveryLedger
from .ledger.records import Claim, Delivery
from .routes import Route
from .started import StartedHandlers
from .together import cancel_all
from .wording import in_brief

log = structlog.get_logger()

STEP_DEADLINE = 900.0
# A task ends before its deadline; what is under way then goes on beside it.
_WORK_SECONDS = 240.0
_GATHER_SECONDS = 0.01
_MOST_ADDED = 100_000


@dataclass(frozen=True)
class StepAddress:
    """Which step of which delivery a handler is called for; `attempt` counts from 1.

    `on` is what happened to the message, `at` when (ISO 8601), None for its creation.
    """

    mailbox: Mailbox
    message: Message
    route: str
    step: str
    attempt: int
    on: str
    at: str | None


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
        handlers: StartedHandlers,
        context: ContextFactory,
        files_over: FilesOver,
        capacity: int = 50,
        schedule: Sequence[float] = RETRY_SCHEDULE,
    ) -> None:
        self._ledger = ledger
        self._routes = routes
        self._handlers = handlers
        self._context = context
        self._files_over = files_over
        self._capacity = capacity
        self._schedule = schedule
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._more = False
        self._stopping = False
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
        while time.monotonic() < until:
            self._wake.clear()
            free = self._capacity - len(self._running)
            if self._more and free and not self._stopping:
                self._more = False
                claims = await self._ledger.claim(free)
                self._more = self._more or len(claims) == free
                for claim in claims:
                    self._begin(claim)
            if not self._running:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - time.monotonic()):
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
            # Foremost a ledger that stays away: the claim lapses and is taken up again.
            log.error("delivery interrupted", reason=reason(error))

    async def drain(self, grace: float) -> None:
        """Claim nothing more, and let what is under way end within `grace` seconds."""
        self._stopping = True
        if self._running:
            await asyncio.wait(list(self._running), timeout=grace)

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
            log.warning(
                "delivery skipped",
                mailbox=str(claim.mailbox),
                message=claim.message_id,
                route=claim.route,
                on=claim.on,
                reason=claim.delivery.reason,
            )
            await self._settle(claim)
            return
        message = Message.model_validate_json(claim.snapshot)
        todo = [step for step in route.steps if step not in claim.delivery.done]
        closing = [step for step in todo if self._handlers.is_closing(step)]
        ordinary = [step for step in todo if step not in closing]
        for step in ordinary:
            claim.delivery.step = step
            if not await self._take_step(claim, _as_seen(message, claim.delivery), step):
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
        delivery = claim.delivery
        address = StepAddress(
            claim.mailbox, message, claim.route, step, delivery.attempts + 1, claim.on, delivery.at
        )
        started = time.monotonic()
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                handler = await self._handlers.ordinary(step)
                outcome = await handler.handle(message, self._context(address))
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except Exception as error:  # noqa: BLE001
            await self._step_failed(claim, message, step, error)
            return False
        if isinstance(outcome, Outcome):
            delivery.added = outcome.transcription[:_MOST_ADDED]
        words = outcome.words if isinstance(outcome, Outcome) else outcome
        words = delivery.done[step] = in_brief(words)
        delivery.attempts = 0
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
        since = datetime.fromisoformat(delivery.at) if delivery.at else message.created
        age = time.time() - since.timestamp()
        verdict = judge(error, age=age, attempts=delivery.attempts, schedule=self._schedule)
        delivery.reason = reason(error)
        delivery.attempts += verdict.counts
        facts = {**_facts(claim, message), "step": step, "reason": delivery.reason}
        if verdict.wait is not None:
            # Hundreds may wait for a rate limit; `ringpost status` tells how many and until when.
            tell = log.debug if isinstance(error, RateLimited) else log.warning
            tell("step waits", retry_in=round(verdict.wait, 1), **facts)
            await self._ledger.settle(claim, due_in=verdict.wait)
            return
        delivery.state = "failed"
        log.error("delivery failed", exc_info=None if is_foreseen(error) else error, **facts)
        await self._settle(claim)

    async def _settle(self, claim: Claim) -> None:
        if await self._ledger.settle(claim):
            self._files_over(claim.mailbox, claim.message_id)


def _as_seen(message: Message, delivery: Delivery) -> Message:
    """The message with what earlier steps have added to it."""
    if delivery.added is None:
        return message
    return message.model_copy(update={"transcription": delivery.added})


def _facts(claim: Claim, message: Message) -> dict[str, str]:
    return {
        "mailbox": str(claim.mailbox),
        "message": claim.message_id,
        "type": message.type or "unknown",
        "route": claim.route,
        "on": claim.on,
    }
