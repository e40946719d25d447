"""What happened to a message, told by comparing its state before with its state now. Pure.

RingCentral says that a message changed, not what of it; the ledger keeps what it was.
"""

from typing import NamedTuple, Self

from message_store.message import Message

CREATED = "created"
TRANSCRIBED = "transcribed"
SENT = "sent"
DELIVERED = "delivered"
FAILED = "failed"
READ = "read"
DELETED = "deleted"
WORDS = (CREATED, TRANSCRIBED, SENT, DELIVERED, FAILED, READ, DELETED)
"""All that a route can be `on`."""

PAGES_UNKNOWN = "pages unknown"


class State(NamedTuple):
    """What of a message matters when it changes; as text it is the fingerprint in the ledger."""

    availability: str
    read_status: str = ""
    message_status: str = ""
    transcription: str = ""
    rendering: str = ""
    """"pages unknown" for a fax that is yet to be rendered."""

    @classmethod
    def of(cls, message: Message, before: Self | None = None) -> Self:
        """The state of a message; a record with nothing but its availability leaves the rest."""
        availability = message.availability or "Alive"
        if before is not None and not message.creation_time:
            return before._replace(availability=availability)
        # Pages that were known once are no news when they are told again.
        unrendered = message.type == "Fax" and not message.fax_page_count
        was_known = before is not None and not before.rendering
        return cls(
            availability,
            message.read_status or "",
            message.message_status or "",
            message.vm_transcription_status or "",
            PAGES_UNKNOWN if unrendered and not was_known else "",
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        return cls(*text.split("|")[: len(cls._fields)])

    def __str__(self) -> str:
        # as ledgers have it that were written when a state had four parts
        parts = self if self.rendering else self[:4]
        return "|".join(part.replace("|", "") for part in parts)

    @property
    def reached(self) -> frozenset[str]:
        """All that has happened to a message in this state, but its creation."""
        reached = {
            SENT: self.message_status in {"Sent", "Delivered"},
            DELIVERED: self.message_status == "Delivered",
            FAILED: self.message_status in {"DeliveryFailed", "SendingFailed"},
            READ: self.read_status == "Read",
            DELETED: self.availability not in {"Alive", ""},
            TRANSCRIBED: self.transcription in {"Completed", "CompletedPartially"},
        }
        return frozenset(word for word, is_reached in reached.items() if is_reached)


def happened(message: Message, before: State | None, now: State) -> tuple[str, ...]:
    """What happened to a message between two states, or, first seen, until now.

    Whatever came before a message was first seen is told as well: it may have been sent, read or
    transcribed between two looks. What was sent from the mailbox is `Read` from the start: no news.
    """
    new = now.reached | {CREATED} if before is None else now.reached - before.reached
    if message.direction == "Outbound":
        new -= {READ}
    return tuple(word for word in WORDS if word in new)
