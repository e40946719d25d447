"""Tries one step of a delivery, and decides what becomes of it when that fails."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from message_store.errors import RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from metrics.catalogue import STAGE_DELAY, STEP_SECONDS, STEPS

from .amending import amends
from .failures import is_foreseen, is_our_end, judge, reason, says
from .handlers.contract import Context, NotYetError, Outcome
from .in_force import InForce
from .ledger.breakers import LONGEST_PAUSE
from .ledger.deliveries import DeliveryLedger, Says
from .ledger.records import Claim
from .places import Places
from .wording import in_brief

log = structlog.get_logger()

STEP_DEADLINE = 900.0
_BUSY_SECONDS = (3.0, 9.0)
_MOST_ADDED = 100_000


@dataclass(frozen=True)
class StepAddress:
    """Which step of which delivery a handler is called for; `attempt` counts from 1.

    `on` is what happened to the message, `at` when (ISO 8601), None for its creation. `bulk`: it
    can wait, and leaves a share of RingCentral's limits to live work. `amends`: the route is on the
    creation as well, and the step is to amend what it did then.
    """

    mailbox: Mailbox
    message: Message
    route: str
    step: str
    attempt: int
    on: str
    at: str | None
    bulk: bool = False
    amends: bool = False


ContextFactory = Callable[[StepAddress], Context]
FilesOver = Callable[[Mailbox, str], None]


class Attempts:
    """Tries steps; at most `places` calls of one handler at once.

    `files_over` is called for each message whose files nobody needs any more.
    """

    def __init__(
        self, ledger: DeliveryLedger, context: ContextFactory, files_over: FilesOver, places: int
    ) -> None:
        self._ledger = ledger
        self._context = context
        self._files_over = files_over
        self._places = Places(places)

    async def take(self, claim: Claim, message: Message, step: str, in_force: InForce) -> bool:
        """Whether the step is done; if not, the claim has ended."""
        if not await self._places.take(step):
            # It waits without holding a place that others could use.
            wait = random.uniform(*_BUSY_SECONDS)  # noqa: S311  # no secret
            await self._ledger.settle(claim, due_in=wait)
            return False
        answered = False
        try:
            if not await self._ledger.holds(claim):
                log.warning("claim lost", **facts(claim, message))
                return False
            if not await self._may_try(claim, message, step, in_force):
                return False
            error = await self._try(claim, message, step, in_force)
            if error is None:
                answered = True
                return True
            answered = says(error) == "answered"
            # The place is kept until the failure is known: it may open the breaker.
            await self.failed(claim, error, in_force, message, says(error))
            return False
        finally:
            self._places.leave(step, answered=answered)

    async def failed(
        self,
        claim: Claim,
        error: BaseException,
        in_force: InForce,
        message: Message | None = None,
        said: Says = "nothing",
    ) -> None:
        """End the claim after an error: the delivery is due again later, or has failed."""
        delivery = claim.delivery
        verdict = judge(
            error,
            age=_age(claim, message),
            attempts=delivery.attempts,
            schedule=in_force.schedule,
        )
        delivery.reason = reason(error)
        delivery.attempts += verdict.counts
        delivery.early = isinstance(error, NotYetError) and not error.is_late
        told = {**facts(claim, message), "step": delivery.step, "reason": delivery.reason}
        if verdict.wait is not None:
            STEPS.count(delivery.step or "none", "retried" if verdict.counts else "put_off")
            # Hundreds may wait for a rate limit; `ringpost status` tells how many and until when.
            tell = log.debug if isinstance(error, RateLimited | NotYetError) else log.warning
            tell("step waits", retry_in=round(verdict.wait, 1), **told)
            known = set(self._ledger.breakers)
            await self._ledger.settle(claim, due_in=verdict.wait, says=said)
            if delivery.step in self._ledger.breakers.keys() - known:
                log.error("destination fails", step=delivery.step, reason=delivery.reason)
            return
        delivery.state = "failed"
        STEPS.count(delivery.step or "none", "failed")
        log.error("delivery failed", exc_info=None if is_foreseen(error) else error, **told)
        await self.settle(claim, said)

    async def settle(self, claim: Claim, said: Says = "nothing") -> None:
        """End the claim with the delivery as it stands, which is not due again."""
        if await self._ledger.settle(claim, says=said):
            self._files_over(claim.mailbox, claim.message_id)

    async def _may_try(self, claim: Claim, message: Message, step: str, in_force: InForce) -> bool:
        """Whether the handler is called; while its destination fails, only for the probe."""
        breaker = self._ledger.breakers.get(step)
        if breaker is None:
            return True
        if breaker.probe == claim.member:
            log.info("destination is probed", step=step)
            return True
        delivery = claim.delivery
        if delivery.until is None:
            left = sum(in_force.schedule[delivery.attempts :])
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
        log.error("delivery failed", **facts(claim, message), step=step, reason=delivery.reason)
        await self.settle(claim)
        return False

    async def _try(
        self, claim: Claim, message: Message, step: str, in_force: InForce
    ) -> BaseException | None:
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
            amends(claim, in_force.routes[claim.route]),
        )
        started = time.monotonic()
        try:
            async with asyncio.timeout(STEP_DEADLINE):
                handler = await in_force.handlers.ordinary(step)
                call = handler.amend if address.amends else handler.handle
                outcome = await call(message, self._context(address))
            words = in_brief(outcome.words if isinstance(outcome, Outcome) else outcome)
        # A handler is foreign code: whatever it raises becomes a retry or a recorded failure.
        except BaseException as error:
            if is_our_end(error):
                raise
            return error
        seconds = time.monotonic() - started
        if isinstance(outcome, Outcome):
            delivery.added = outcome.transcription[:_MOST_ADDED]
        if not delivery.done:
            note_delay(claim, "first_step")
        delivery.done[step] = words
        delivery.attempts, delivery.until = 0, None
        STEPS.count(step, "done")
        STEP_SECONDS.observe(seconds, step)
        log.info(
            "step done",
            **facts(claim, message),
            step=step,
            outcome=words,
            seconds=round(seconds, 3),
        )
        return None


def note_delay(claim: Claim, stage: str) -> None:
    """Measure how far a live message has come; bulk work waits by design."""
    if claim.delivery.seen is not None and not claim.delivery.bulk:
        STAGE_DELAY.observe(time.time() - claim.delivery.seen, stage)


def facts(claim: Claim, message: Message | None) -> dict[str, str]:
    """What a line of the log tells of a delivery."""
    return {
        "mailbox": str(claim.mailbox),
        "message": claim.message_id,
        "type": (message.type if message else None) or "unknown",
        "route": claim.route,
        "on": claim.on,
    }


def _age(claim: Claim, message: Message | None) -> float:
    """Seconds since what the delivery is on; of a message that nobody can read, endless."""
    if claim.delivery.at:
        since = datetime.fromisoformat(claim.delivery.at)
    elif message is not None:
        since = message.created
    else:
        return math.inf
    return time.time() - since.timestamp()
