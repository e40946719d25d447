"""Goes through the steps of one claimed delivery in order.

A step is recorded when it is done, not before; a retry resumes at the first step not done.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from message_store.errors import NotFound
from message_store.message import Message

from .amending import hold_for_first
from .attempts import STEP_DEADLINE, Attempts, facts, note_delay
from .beginning import hold_back
from .in_force import InForce
from .ledger.configurations import route_named
from .ledger.deliveries import DeliveryLedger
from .ledger.records import Claim, Delivery
from .ledger.snapshots import read_snapshot
from .routes import Route

log = structlog.get_logger()

# Soon a worker comes by that knows the route, or none does any more.
_OTHERS_SECONDS = 5.0

ReadAgain = Callable[[Claim], Awaitable[Message]]


class Steps:
    """The way of a delivery from its claim to its end.

    `read_again` reads the message of a claim at RingCentral.
    """

    def __init__(self, ledger: DeliveryLedger, attempts: Attempts, read_again: ReadAgain) -> None:
        self._ledger = ledger
        self._attempts = attempts
        self._read_again = read_again

    async def take(self, claim: Claim, in_force: InForce) -> None:
        """Take all steps that can be taken now; at the end the claim has ended."""
        route = in_force.routes.get(claim.route)
        if route is None:
            await self._without_route(claim)
            return
        message = await self._message(claim, in_force)
        if message is None or await self._is_held_back(claim, route, message):
            return
        todo = [step for step in route.steps if step not in claim.delivery.done]
        closing = [step for step in todo if in_force.handlers.is_closing(step)]
        ordinary = [step for step in todo if step not in closing]
        for step in ordinary:
            wait = await hold_for_first(claim, route, step, in_force, self._ledger)
            if wait is not None:
                await self._ledger.settle(claim, due_in=wait)
                return
            claim.delivery.step = step
            seen = _as_seen(message, claim.delivery)
            if not await self._attempts.take(claim, seen, step, in_force):
                return
            # the last step is recorded by settling, in one round trip
            if step != ordinary[-1] and not await self._ledger.record_step(claim):
                log.warning("claim lost", mailbox=str(claim.mailbox), message=claim.message_id)
                return
        claim.delivery.state = "waiting" if closing else "done"
        claim.delivery.closing = closing or None
        claim.delivery.reason = None
        await self._attempts.settle(claim)
        note_delay(claim, "delivered")

    async def _without_route(self, claim: Claim) -> None:
        if await self._ledger.configurations.is_known(route_named(claim.route)):
            # A worker that has read the file sooner, or has not yet, goes by another one.
            await self._ledger.settle(claim, due_in=_OTHERS_SECONDS)
            return
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
        await self._attempts.settle(claim)

    async def _message(self, claim: Claim, in_force: InForce) -> Message | None:
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
                await self._attempts.failed(claim, error, in_force)
            return kept
        # what can happen here is RingCentral's or the network's; a bug is recorded as one
        except Exception as error:  # noqa: BLE001
            await self._attempts.failed(claim, error, in_force)
            return None
        is_there = message.creation_time is not None and message.availability != "Purged"
        return message if is_there or kept is None else kept

    async def _is_held_back(self, claim: Claim, route: Route, message: Message) -> bool:
        wait = await hold_back(claim, route, message, self._ledger.occasions)
        if wait is not None:
            await self._ledger.settle(claim, due_in=wait)
        elif claim.delivery.state == "done":
            log.info("delivery not done", **facts(claim, message), reason=claim.delivery.reason)
            await self._attempts.settle(claim)
        return wait is not None or claim.delivery.state == "done"


def _as_seen(message: Message, delivery: Delivery) -> Message:
    """The message with what earlier steps have added to it."""
    if delivery.added is None:
        return message
    return message.model_copy(update={"transcription": delivery.added})
