"""`restore`: a message that was deleted is taken back once everything else is done with it."""

from collections.abc import Sequence

from message_store.errors import NotFound
from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from worker.handlers.bulk_outcomes import outcomes_of
from worker.handlers.contract import ClosingHandler, ClosingOutcomes, PermanentError


class Restore(ClosingHandler):
    """Takes deleted messages back, in bulk; a purged one cannot be had any more and fails."""

    async def check(self) -> str:
        """Nothing of its own; the permission to change messages is checked with the login."""
        return "restores messages in bulk"

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> ClosingOutcomes:
        """Restore them; one that was not deleted is left as it is."""
        if not message_ids:
            return {}
        results = await store.restore(mailbox, message_ids)
        outcomes = outcomes_of(message_ids, results, "restored")
        gone = [id_ for id_, error in results.items() if isinstance(error, NotFound)]
        return outcomes | dict.fromkeys(gone, PermanentError("purged, it cannot be restored"))
