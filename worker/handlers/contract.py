"""The handler contract: what a handler is; what it is given and may answer is found here too.

Imports no I/O library, so that a plug-in and the check of a configuration load in a moment.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.as_written import as_written
from worker.handlers.given import AttachmentFile, Context, IPNetwork, Links, Reply, SendTogether
from worker.handlers.outcomes import (
    ClosingOutcomes,
    HandlerError,
    Later,
    NotYetError,
    Outcome,
    PermanentError,
    TransientError,
)

if TYPE_CHECKING:
    from message_store.protocol import MessageStoreAccess

__all__ = [
    "AttachmentFile",
    "ClosingHandler",
    "ClosingOutcomes",
    "Context",
    "Handler",
    "HandlerError",
    "IPNetwork",
    "Later",
    "Links",
    "NotYetError",
    "Outcome",
    "PermanentError",
    "Reply",
    "SendTogether",
    "Step",
    "TransientError",
]


class Step(BaseModel, ABC):
    """What both kinds of handler share: options as fields, and the life of a worker around them.

    Options are strict and do not change; connections live in private attributes.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # an option may be a secret
        use_attribute_docstrings=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        return as_written(handler(source))

    archives: ClassVar[bool] = False
    """Whether a message is kept for good once this is done with it."""
    needs_archive: ClassVar[bool] = False
    """Whether this destroys a message, so that it is refused where nothing has archived it."""
    sends_texts: ClassVar[bool] = False
    """Whether it sends text messages, for which app and user need permissions of their own."""

    async def check(self) -> str:
        """See whether the destination is there and willing; says what was found.

        Raises HandlerError with the remedy if it is not. Leaves no trace at the destination.
        """
        return "nothing to check"

    async def start(self) -> None:  # optional: most handlers hold nothing open
        """Called once in each worker process before the first message."""

    async def close(self) -> None:  # optional: most handlers hold nothing open
        """Called once when the worker process ends; also after a `check`."""


class Handler(Step):
    """Does one thing with one message. Its fields are its options in the configuration."""

    @abstractmethod
    async def handle(self, message: Message, context: Context) -> str | Outcome:
        """Do it; answer in a few words what was done (kept in the ledger, shown to people).

        It may be called again for the same message, with the same `context.idempotency_key`, if
        the worker dies before the answer is recorded. Raises TransientError to be called again
        later, PermanentError to give up; network errors and timeouts count as transient, every
        other exception as permanent.
        """

    async def amend(self, message: Message, context: Context) -> str | Outcome:
        """Amend what `handle` did when the message came; without an `amend`, `handle` does it.

        Called for what happens to it later, on routes that are on its creation as well: it was
        transcribed, delivered, read. `context.on` says what, `context.first_key` identifies what is
        amended. That is done by then, unless it failed, or the route's conditions did not hold yet.
        """
        return await self.handle(message, context)


class ClosingHandler(Step):
    """Changes the mailbox itself, in bulk, once every other delivery of a message is done."""

    @property
    def delay(self) -> float:
        """How many seconds after that it is to happen."""
        return 0.0

    @abstractmethod
    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: "MessageStoreAccess"
    ) -> ClosingOutcomes:
        """Do it for all the ids; per id the words on what was done, that id's error, or `Later`.

        Raises if the call as a whole failed. May be called again for the same ids.
        """
