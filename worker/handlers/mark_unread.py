"""`mark-unread`: the message is marked unread once everything else is done with it."""

from collections.abc import Sequence

from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from worker.handlers.bulk_outcomes import outcomes_of
from worker.handlers.contract import ClosingHandler, ClosingOutcomes


class MarkUnread(ClosingHandler):
    """Marks messages unread, in bulk: somebody is to look at them again."""

    async def check(self) -> str:
        """Nothing of its own; the permission to change messages is checked with the login."""
        return "marks messages unread in bulk"

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> ClosingOutcomes:
        """Mark them unread; one that has left the mailbox counts as done."""
        if not message_ids:
            return {}
        results = await store.set_read_status(mailbox, message_ids, "Unread")
        return outcomes_of(message_ids, results, "marked unread")
