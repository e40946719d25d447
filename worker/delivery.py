"""Delivers: takes due deliveries from the ledger and goes through their steps in order.

A step is recorded when it is done, not before; a retry resumes at the first step not done.
"""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from message_store.errors import NotFound, RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from metrics.catalogue import STAGE_DELAY, STEP_SECONDS, STEPS

from .failures import is_foreseen, judge, reason, says
from .handlers.contract import Context, NotYetError
from .ledger.breakers import LONGEST_PAUSE
from .ledger.deliveries import DeliveryLedger, Says
from .ledger.records import Claim
from .ledger.snapshots import read_snapshot
from .places import Places
from .routes import Route
from .started import StartedHandlers
from .together import cancel_all
from .wording import in_brief

log = structlog.get_logger()

STEP_DEADLINE = 900.0
# A task ends before its deadline; what is under way then goes on beside it.
_WORK_SECONDS = 240.0
_GATHER_SECONDS = 0.01
_BUSY_SECONDS = (3.0, 9.0)


@dataclass(frozen=True)
class StepAddress:
    """Which step of which delivery a handler is called for; `attempt` counts from 1.

    `on` is what happened to the message, `at` when (ISO 8601), None for its creation. `bulk`: it
    can wait, and leaves a share of RingCentral's limits to live work.
    """

    mailbox: Mailbox
    message: Message
    route: str
    step: str
    attempt: int
    on: str
    at: str | None
    bulk: bool = False


ContextFactory = Callable[[StepAddress], Context]
ReadAgain = Callable[[Claim], Awaitable[Message]]
FilesOver = Callable[[Mailbox, str], None]


class Deliverer:
    """Runs up to `capacity` deliveries at once; none waits for the slowest.

    `read_again` reads the message of a claim at RingCentral. `files_over` is called for each
    message whose files nobody needs any more. `schedule`: seconds between the tries of a step.
    """

    def __init__(
        self,
        ledger: DeliveryLedger,
        routes: Mapping[str, Route],
        handlers: StartedHandlers,
        context: ContextFactory,
        read_again: ReadAgain,
        files_over: FilesOver,
        schedule: Sequence[float],
        capacity: int = 50,
    ) -> None:
        self._ledger = ledger
        self._routes = routes
        self._handlers = handlers
        self._context = context
        self._read_again = read_again
        self._files_over = files_over
        self._capacity = capacity
        self._schedule = schedule
        self._places = Places(max(1, capacity // 2))
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
                # Bulk work gets few places: there may be more whenever one of them is free again.
                self._more = self._more or any(claim.delivery.bulk for claim in self.claims)
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
        message = await self._message(claim)
        if message is None:
            return
        todo = [step for step in route.steps if step not in claim.delivery.done]
        closing = [step for step in todo if self._handlers.is_closing(step)]
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
        _note_delay(claim, "delivered")

    async def _message(self, claim: Claim) -> Message | None:
        """The message as it was kept, or as it now is; None if it cannot be had (now)."""
        kept = read_snapshot(claim.snapshot)
        if kept is not None and not claim.delivery.fresh:
            return kept
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                message = await self._read_again(claim)
        except NotFound as error:
            if kept is None:
                error = NotFound(f"the copy in the ledger cannot be read, and {error}")
                await self._failed(claim, error)
            return kept
        # what can happen here is RingCentral's or the network's; a bug is recorded as one
        except Exception as error:  # noqa: BLE001
            await self._failed(claim, error)
            return None
        is_there = message.creation_time is not None and message.availability != "Purged"
        return message if is_there or kept is None else kept

    async def _take_step(self, claim: Claim, message: Message, step: str) -> bool:
        """Whether the step is done; if not, the claim has ended."""
        if not await self._places.take(step):
            # It waits without holding a place that others could use.
            wait = random.uniform(*_BUSY_SECONDS)  # noqa: S311  # no secret
            await self._ledger.settle(claim, due_in=wait)
            return False
        answered = False
        try:
            if not await self._may_try(claim, message, step):
                return False
            error = await self._try(claim, message, step)
            if error is None:
                answered = True
                return True
            answered = says(error) == "answered"
            # The place is kept until the failure is known: it may open the breaker.
            await self._failed(claim, error, message, says(error))
            return False
        finally:
            self._places.leave(step, answered=answered)

    async def _may_try(self, claim: Claim, message: Message, step: str) -> bool:
        """Whether the handler is called; while its destination fails, only for the probe."""
        breaker = self._ledger.breakers.get(step)
        if breaker is None:
            return True
        if breaker.probe == claim.member:
            log.info("destination is probed", step=step)
            return True
        delivery = claim.delivery
        if delivery.until is None:
            left = sum(self._schedule[delivery.attempts :])
            delivery.until = time.time() + left + LONGEST_PAUSE
        at = datetime.fromtimestamp(max(breaker.probe_at, time.time()), UTC)
        delivery.reason = in_brief(
            f"{step}: destination is failing ({breaker.reason}), next probe at {at:%H:%M:%S} UTC"
        )
        if time.time() < delivery.until:
            STEPS.count(step, "put_off")
            return await self._ledger.put_off(claim)
        delivery.state = "failed"
        STEPS.count(step, "failed")
        log.error("delivery failed", **_facts(claim, message), step=step, reason=delivery.reason)
        await self._settle(claim)
        return False

    async def _try(self, claim: Claim, message: Message, step: str) -> Exception | None:
        """Call the handler once: its error, or None and its words are in the delivery."""
        delivery = claim.delivery
        address = StepAddress(
            claim.mailbox,
            message,
            claim.route,
            step,
            delivery.attempts + 1,
            claim.on,
            delivery.at,
            delivery.bulk,
        )
        started = time.monotonic()
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                handler = await self._handlers.ordinary(step)
                words = await handler.handle(message, self._context(address))
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except Exception as error:  # noqa: BLE001
            return error
        seconds = time.monotonic() - started
        if not delivery.done:
            _note_delay(claim, "first_step")
        words = delivery.done[step] = in_brief(words)
        delivery.attempts, delivery.until = 0, None
        STEPS.count(step, "done")
        STEP_SECONDS.observe(seconds, step)
        log.info(
            "step done",
            **_facts(claim, message),
            step=step,
            outcome=words,
            seconds=round(seconds, 3),
        )
        return None

    async def _failed(
        self,
        claim: Claim,
        error: Exception,
        message: Message | None = None,
        said: Says = "nothing",
    ) -> None:
        """End the claim after an error: the delivery is due again later, or has failed."""
        delivery = claim.delivery
        verdict = judge(
            error,
            age=_age(claim, message),
            attempts=delivery.attempts,
            schedule=self._schedule,
        )
        delivery.reason = reason(error)
        delivery.attempts += verdict.counts
        delivery.early = isinstance(error, NotYetError)
        facts = {**_facts(claim, message), "step": delivery.step, "reason": delivery.reason}
        if verdict.wait is not None:
            STEPS.count(delivery.step or "none", "retried" if verdict.counts else "put_off")
            # Hundreds may wait for a rate limit; `ringpost status` tells how many and until when.
            tell = log.debug if isinstance(error, RateLimited | NotYetError) else log.warning
            tell("step waits", retry_in=round(verdict.wait, 1), **facts)
            known = set(self._ledger.breakers)
            await self._ledger.settle(claim, due_in=verdict.wait, says=said)
            if delivery.step in self._ledger.breakers.keys() - known:
                log.error("destination fails", step=delivery.step, reason=delivery.reason)
            return
        delivery.state = "failed"
        STEPS.count(delivery.step or "none", "failed")
        log.error("delivery failed", exc_info=None if is_foreseen(error) else error, **facts)
        await self._settle(claim, said)

    async def _settle(self, claim: Claim, said: Says = "nothing") -> None:
        if await self._ledger.settle(claim, says=said):
            self._files_over(claim.mailbox, claim.message_id)


def _note_delay(claim: Claim, stage: str) -> None:
    """Measure how far a live message has come; bulk work waits by design."""
    if claim.delivery.seen is not None and not claim.delivery.bulk:
        STAGE_DELAY.observe(time.time() - claim.delivery.seen, stage)


def _age(claim: Claim, message: Message | None) -> float:
    """Seconds since what the delivery is on; of a message that nobody can read, endless."""
    if claim.delivery.at:
        since = datetime.fromisoformat(claim.delivery.at)
    elif message is not None:
        since = message.created
    else:
        return math.inf
    return time.time() - since.timestamp()


def _facts(claim: Claim, message: Message | None) -> dict[str, str]:
    return {
        "mailbox": str(claim.mailbox),
        "message": claim.message_id,
        "type": (message.type if message else None) or "unknown",
        "route": claim.route,
        "on": claim.on,
    }
