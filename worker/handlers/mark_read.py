"""`mark-read`: the message is marked read in its mailbox once everything else is done with it."""

from collections.abc import Sequence

from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from worker.handlers.bulk_outcomes import outcomes_of
from worker.handlers.contract import ClosingHandler, ClosingOutcomes


class MarkRead(ClosingHandler):
    """Marks messages read, in bulk."""

    async def check(self) -> str:
        """Nothing of its own; the permission to change messages is checked with the login."""
        return "marks messages read in bulk"

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> ClosingOutcomes:
        """Mark them read; one that has left the mailbox counts as done."""
        if not message_ids:
            return {}
        results = await store.set_read_status(mailbox, message_ids, "Read")
        return outcomes_of(message_ids, results, "marked read")
