"""Sends messages together that were gathered until their time had come.

Each message's delivery stays open until the one that sends them all has done so; the others then
find that they have gone out. Killed between sending and recording, the same messages are sent once
more under the same identity.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from message_store.message import Message
from worker.handlers.contract import (
    Context,
    HandlerError,
    NotYetError,
    PermanentError,
    SendTogether,
)
from worker.happenings import CREATED, TRANSCRIBED, State
from worker.ledger import Ledger
from worker.ledger.gatherings import Setback
from worker.ledger.leases import Held
from worker.ledger.records import lane

_LEASE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 2.0


class Gathering:
    """Gathers messages of one mailbox, route and step in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._leases: set[Held] = set()

    @property
    def leases(self) -> list[Held]:
        """Those under which this process sends now: who takes one over sends once more."""
        return list(self._leases)

    async def together(
        self, message: Message, context: Context, name: str, due: datetime, send: SendTogether
    ) -> str:
        """See `Context.together`."""
        ledger = self._ledger.gatherings
        if words := await self._with_first(message, context, name):
            return words
        name = _digest(context, context.on, name)
        effect = context.idempotency_key
        at = await ledger.join(name, int(due.timestamp()), effect, message.id)
        if at > time.time():
            raise NotYetError(f"goes out at {datetime.fromtimestamp(at, due.tzinfo):%H:%M %Z}", at)
        if words := await ledger.outcome(name, at, effect, message.id):
            return words
        async with self._leased(f"gathering:{name}:{at}") as is_ours:
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
            await ledger.record(name, at, _told(messages, context.on), words)
            return words

    @contextlib.asynccontextmanager
    async def _leased(self, name: str) -> AsyncIterator[bool]:
        lease = self._ledger.lease(name, _LEASE_SECONDS)
        async with lease.while_held() as is_ours:
            if is_ours:
                self._leases.add(lease.held)
            try:
                yield is_ours
            finally:
                self._leases.discard(lease.held)

    async def _with_first(self, message: Message, context: Context, name: str) -> str | None:
        """The words on a transcription that was there when the message itself went out."""
        if context.on != TRANSCRIBED or context.first_key is None:
            return None
        at = await self._ledger.gatherings.due(context.first_key)
        if at is None:
            return None
        first = _digest(context, CREATED, name)
        words = await self._ledger.gatherings.words(first, at, _transcription(message))
        return f"went out with the message itself: {words}" if words else None


def _digest(context: Context, on: str, name: str) -> str:
    where = [*context.mailbox, context.route, context.step, on, name]
    return hashlib.sha256(json.dumps(where).encode()).hexdigest()[:32]


def _transcription(message: Message) -> str:
    return f"{message.id}\t{TRANSCRIBED}"


def _told(messages: Sequence[Message], on: str) -> list[str]:
    """The messages, and the transcriptions that have gone out with them."""
    ids = [one.id for one in messages]
    if on != CREATED:
        return ids
    return ids + [_transcription(one) for one in messages if TRANSCRIBED in State.of(one).reached]


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
