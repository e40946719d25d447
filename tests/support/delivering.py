"""A deliverer whose handlers remember what they were called for."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import PrivateAttr

from message_store.errors import NotFound
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.protocol import MessageStoreAccess
from worker.delivery import Deliverer, StepAddress
from worker.handlers.contract import ClosingHandler, Context, Handler, HandlerError
from worker.ledger import Ledger
from worker.ledger.records import Claim
from worker.routes import Route
from worker.started import StartedHandlers


class Recorder(Handler):
    """Notes whom it is called for; fails with each of `errors` first."""

    _calls: list[str] = PrivateAttr(default_factory=list)
    _errors: list[Exception] = PrivateAttr(default_factory=list)
    _messages: list[Message] = PrivateAttr(default_factory=list)
    _held: asyncio.Event | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        self._calls.append(message.id)
        self._messages.append(message)
        if self._held is not None:
            await self._held.wait()
        if self._errors:
            raise self._errors.pop(0)
        return "noted"


class Closing(ClosingHandler):
    """Does nothing, at the end."""

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> dict[str, str | HandlerError]:
        return dict.fromkeys(message_ids, "closed")


def no_context(_: StepAddress) -> Any:
    return None


class Line:
    """A deliverer with two ordinary steps and a closing one on the route `route`."""

    def __init__(self, ledger: Ledger, steps: Sequence[str] = ("first", "second")) -> None:
        self.first, self.second = Recorder(), Recorder()
        self.ledger = ledger
        self.settled: list[str] = []
        self.read_again_for: list[str] = []
        self.at_ringcentral: dict[str, Message | Exception] = {}
        self.deliverer = Deliverer(
            ledger.deliveries,
            {"route": Route(name="route", steps=tuple(steps))},
            StartedHandlers({"first": self.first, "second": self.second, "last": Closing()}),
            no_context,
            self.read_again,
            lambda _, message_id: self.settled.append(message_id),
            [0.01] * 6,
        )

    async def read_again(self, claim: Claim) -> Message:
        """The message as RingCentral has it now."""
        self.read_again_for.append(claim.message_id)
        found = self.at_ringcentral.get(claim.message_id, NotFound("not found"))
        if isinstance(found, Exception):
            raise found
        return found
