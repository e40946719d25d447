"""`delete`: the message goes to its mailbox's trash once everything else is done with it.

Refused at start unless the message is archived before; see `worker.handlers.kept_first`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from message_store.errors import RingCentralError
from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from worker.durations import Duration
from worker.handlers.bulk_outcomes import outcome_of, outcomes_of
from worker.handlers.contract import (
    ClosingHandler,
    ClosingOutcomes,
    HandlerError,
    Later,
    TransientError,
)

_LOOK_AGAIN = 86400.0


class Delete(ClosingHandler):
    """Moves messages to the trash, from which RingCentral purges them after about five days."""

    needs_archive: ClassVar[bool] = True

    after: Duration = timedelta()
    """How long after everything else is done: "30d"; at once without it."""
    only_read: bool = False
    """Whether only what somebody has read is deleted; the rest is looked at again each day."""

    @property
    def delay(self) -> float:
        """See `ClosingHandler`."""
        return self.after.total_seconds()

    async def check(self) -> str:
        """Nothing of its own; the permission to change messages is checked with the login."""
        return "moves messages to the trash in bulk"

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> ClosingOutcomes:
        """Delete those that are still there.

        They are read first: to delete what is deleted already, by somebody or by a call of ours
        whose answer was lost, would purge it.
        Source: https://developers.ringcentral.com/api-reference/Message-Store/deleteMessage
        """
        if not message_ids:
            return {}
        found = await store.get_many(mailbox, message_ids)
        outcomes: dict[str, str | HandlerError | Later] = {}
        chosen = []
        for id_ in message_ids:
            message = found.get(id_)
            if message is None:
                outcomes[id_] = TransientError("RingCentral said nothing of this message")
            elif isinstance(message, RingCentralError):
                outcomes[id_] = outcome_of(message, "")
            elif message.is_deleted:
                outcomes[id_] = "already deleted"
            elif self.only_read and message.read_status != "Read":
                outcomes[id_] = Later("to be deleted when it is read", _LOOK_AGAIN)
            else:
                chosen.append(id_)
        if chosen:
            outcomes |= outcomes_of(chosen, await store.delete(mailbox, chosen), "deleted")
        return outcomes
