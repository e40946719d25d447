"""A deliverer whose handlers remember what they were called for."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import PrivateAttr

from message_store.errors import NotFound
from message_store.mailbox import Mailbox
from message_store.message import Message
from message_store.protocol import MessageStoreAccess
from worker.attempts import StepAddress
from worker.delivery import Deliverer
from worker.handlers.contract import ClosingHandler, Context, Handler, HandlerError
from worker.in_force import InForce
from worker.ledger import Ledger
from worker.ledger.records import Claim
from worker.routes import Route
from worker.started import AnyHandler, StartedHandlers


class Recorder(Handler):
    """Notes whom it is called for; fails with each of `errors` first.

    `oddities`: what it raises, or returns, for some messages, by their ids.
    """

    _calls: list[str] = PrivateAttr(default_factory=list)
    _errors: list[Exception] = PrivateAttr(default_factory=list)
    _messages: list[Message] = PrivateAttr(default_factory=list)
    _oddities: dict[str, Any] = PrivateAttr(default_factory=dict)
    _held: asyncio.Event | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        return await self._note(message.id, message)

    async def _note(self, call: str, message: Message) -> str:
        self._calls.append(call)
        self._messages.append(message)
        if self._held is not None:
            await self._held.wait()
        if self._errors:
            raise self._errors.pop(0)
        odd = self._oddities.get(message.id, "noted")
        if isinstance(odd, BaseException):
            raise odd
        return cast("str", odd)


class Amender(Recorder):
    """A recorder that amends."""

    async def amend(self, message: Message, context: Context) -> str:
        return await self._note(f"amend {message.id}", message)


class Closing(ClosingHandler):
    """Does nothing, at the end."""

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> dict[str, str | HandlerError]:
        return dict.fromkeys(message_ids, "closed")


class Line:
    """A deliverer with two ordinary steps and a closing one on the route `route`."""

    def __init__(
        self,
        ledger: Ledger,
        steps: Sequence[str] = ("first", "second"),
        on: Sequence[str] = ("created",),
    ) -> None:
        self.first, self.second, self.amender = Recorder(), Recorder(), Amender()
        self.ledger = ledger
        self._routes = {"route": Route(name="route", on=tuple(on), steps=tuple(steps))}
        self.settled: list[str] = []
        self.read_again_for: list[str] = []
        self.at_ringcentral: dict[str, Message | Exception] = {}
        self.addresses: list[StepAddress] = []
        """Of the steps that were tried; no context is needed."""
        self.deliverer = Deliverer(
            ledger.deliveries,
            self._in_force(
                {
                    "first": self.first,
                    "second": self.second,
                    "amender": self.amender,
                    "last": Closing(),
                }
            ),
            self._no_context,
            self.read_again,
            lambda _, message_id: self.settled.append(message_id),
        )

    def go_by(self, handlers: Mapping[str, AnyHandler]) -> None:
        """Take these handlers in place of the others."""
        self.deliverer.in_force = self._in_force(handlers)

    def _in_force(self, handlers: Mapping[str, AnyHandler]) -> InForce:
        return InForce(self._routes, StartedHandlers(handlers), [0.01] * 6)

    def _no_context(self, address: StepAddress) -> Any:
        self.addresses.append(address)

    async def read_again(self, claim: Claim) -> Message:
        """The message as RingCentral has it now."""
        self.read_again_for.append(claim.message_id)
        found = self.at_ringcentral.get(claim.message_id, NotFound("not found"))
        if isinstance(found, Exception):
            raise found
        return found
