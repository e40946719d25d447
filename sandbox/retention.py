"""What RingCentral removes by itself: deleted messages in time, and the oldest of a full inbox.

Source: https://developers.ringcentral.com/guide/messaging/message-store/messaging
"""

from typing import TYPE_CHECKING

from sandbox.state.messages import StoredMessage

if TYPE_CHECKING:
    from sandbox.emulator import Emulator

_CAPPED = ("Fax", "VoiceMail")


class Retention:
    """Follows every message that is stored or changed."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator

    def stored(self, message: StoredMessage) -> None:
        """Purge the oldest received faxes and voicemails of a mailbox that has too many."""
        cap = self._emulator.settings.inbox_cap
        if cap is None or not _is_capped(message):
            return
        mailbox = self._emulator.mailboxes[message.extension_id]
        kept = [m for m in mailbox.newest_first() if m.availability == "Alive" and _is_capped(m)]
        for oldest in kept[cap:]:
            self._emulator.change(oldest, {"availability": "Purged"})

    def changed(self, message: StoredMessage) -> None:
        """A deleted message is purged later, a purged one is gone as long after that."""
        clock, pause = self._emulator.clock, self._emulator.settings.deleted_for
        if message.availability == "Alive":
            return
        since, moment = message.modified, clock.time() + pause

        def act() -> None:
            if message.modified != since:
                return
            if message.availability == "Deleted":
                self._emulator.change(message, {"availability": "Purged"})
            else:
                self._emulator.forget(message)

        clock.call_at(moment, act)


def _is_capped(message: StoredMessage) -> bool:
    record = message.record
    return record["type"] in _CAPPED and record["direction"] == "Inbound"
