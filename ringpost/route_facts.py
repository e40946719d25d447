"""What routes see of a message that is looked at by hand."""

from collections.abc import Sequence

from message_store.mailbox import Mailbox
from ringpost.connection import ExtensionNames
from ringpost.trying import Source
from ringpost.waiting import patiently, say_pause
from worker.facts import Facts, Known
from worker.happenings import CREATED
from worker.routes import Route, asks_for
from worker.surroundings import transcription


class RouteFacts:
    """Makes the facts of messages, with what these routes ask for beside the record."""

    def __init__(self, routes: Sequence[Route], names: ExtensionNames) -> None:
        self._names = names
        self._wants_text = asks_for(routes, "transcription")

    async def of(self, source: Source, on: str = CREATED) -> Facts:
        """What is known of it; raises RingCentralError if a transcription cannot be read now."""
        message, mailbox = source.message, source.mailbox
        text = ""
        if self._wants_text:
            text = await patiently(lambda: transcription(source.store, mailbox, message), say_pause)
        number, name = self._names_of(mailbox)
        at = None if on == CREATED else message.last_modified_time
        return Facts(message, mailbox, Known(number, name, text), at)

    def _names_of(self, mailbox: Mailbox) -> tuple[str | None, str | None]:
        known = self._names.get(mailbox)
        if known is None and mailbox.account_id == "~":  # a file does not tell the account
            same = (one for one in self._names if one.extension_id == mailbox.extension_id)
            known = self._names.get(next(same, mailbox))
        return known or (None, None)
