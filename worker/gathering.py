"""Sends messages together that were gathered until their time had come.

Each message's delivery stays open until the one that sends them all has done so; the others then
find that they have gone out. Killed between sending and recording, the same messages are sent once
more under the same identity.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from datetime import datetime

from message_store.message import Message
from worker.handlers.contract import (
    Context,
    HandlerError,
    NotYetError,
    PermanentError,
    SendTogether,
)
from worker.ledger import Ledger
from worker.ledger.gatherings import Setback
from worker.ledger.records import lane

_LEASE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 2.0


class Gathering:
    """Gathers messages of one mailbox, route and step in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def together(
        self, message: Message, context: Context, name: str, due: datetime, send: SendTogether
    ) -> str:
        """See `Context.together`."""
        where = [*context.mailbox, context.route, context.step, context.on, name]
        name = hashlib.sha256(json.dumps(where).encode()).hexdigest()[:32]
        ledger = self._ledger.gatherings
        effect = context.idempotency_key
        at = await ledger.join(name, int(due.timestamp()), effect, message.id)
        if at > time.time():
            raise NotYetError(f"goes out at {datetime.fromtimestamp(at, due.tzinfo):%H:%M %Z}", at)
        if words := await ledger.outcome(name, at, effect, message.id):
            return words
        lease = self._ledger.lease(f"gathering:{name}:{at}", _LEASE_SECONDS)
        async with lease.while_held() as is_ours:
            if not is_ours:
                soon = time.time() + LOOK_AGAIN_SECONDS
                raise NotYetError("another delivery sends them all", soon)
            if words := await ledger.outcome(name, at, effect, message.id):
                return words
            _raise_setback(await ledger.setback(name, at))
            others = set(await ledger.waiting(name, at)) - {message.id}
            this_lane = lane(context.route, context.on)
            kept = await ledger.messages(context.mailbox, this_lane, others)
            messages = sorted([*kept, message], key=lambda one: (one.created, one.id))
            try:
                words = await send(
                    [(one, context.of(one)) for one in messages], _identity(name, at, messages)
                )
            except HandlerError as error:
                final = isinstance(error, PermanentError)
                await ledger.set_back(name, at, error.reason, final=final)
                raise
            # One whose copy could not be read was not sent: its own delivery reads it again.
            await ledger.record(name, at, [one.id for one in messages], words)
            return words


def _identity(name: str, at: int, messages: Sequence[Message]) -> str:
    """The same for the same messages only: who knows it takes what comes again for a repeat."""
    identity = json.dumps([name, at, *(one.id for one in messages)])
    return hashlib.sha256(identity.encode()).hexdigest()


def _raise_setback(setback: Setback | None) -> None:
    if setback is None:
        return
    if setback.is_final:
        raise PermanentError(setback.reason)
    raise NotYetError(setback.reason, setback.until)
