"""`mark-read`: the message is marked read in its mailbox once everything else is done with it."""

from collections.abc import Sequence

from message_store.errors import NotFound, RingCentralError
from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from worker.handlers.contract import ClosingHandler, HandlerError, PermanentError, TransientError


class MarkRead(ClosingHandler):
    """Marks messages read, in bulk."""

    async def check(self) -> str:
        """Nothing of its own; the permission to change messages is checked with the login."""
        return "marks messages read in bulk"

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> dict[str, str | HandlerError]:
        """Mark them read; one that has left the mailbox counts as done."""
        if not message_ids:
            return {}
        results = await store.set_read_status(mailbox, message_ids, "Read")
        return {
            message_id: _outcome(results[message_id])
            if message_id in results
            else TransientError("RingCentral said nothing of this message")
            for message_id in message_ids
        }


def _outcome(error: RingCentralError | None) -> str | HandlerError:
    if error is None:
        return "marked read"
    if isinstance(error, NotFound):
        return "no longer in the mailbox"
    if error.transient:
        return TransientError(str(error), after=error.retry_after)
    return PermanentError(str(error))
