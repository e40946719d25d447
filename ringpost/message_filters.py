"""Which messages are meant: the filters of `ringpost messages`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from message_store.message import Message

_MMS = "MMS"
_SMS = "SMS"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which messages; empty means any. Times carry their zone.

    Without `availability` it is what a mailbox shows (`Alive`), without `date_from` the 24 hours
    before `date_to`, as RingCentral has it.
    Source: https://developers.ringcentral.com/api-reference/Message-Store/listMessages
    """

    message_types: Sequence[str] = ()
    directions: Sequence[str] = ()
    read_statuses: Sequence[str] = ()
    availability: Sequence[str] = ()
    phone_number: str | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None

    @property
    def choose(self) -> bool:
        """Whether they leave anything out; availability alone says nothing about a message."""
        return bool(
            self.message_types
            or self.directions
            or self.read_statuses
            or self.phone_number
            or self.date_from
            or self.date_to
        )

    def types_to_ask(self) -> tuple[str, ...]:
        """The types as RingCentral has them: it cannot tell an MMS from an SMS."""
        return tuple(dict.fromkeys(_SMS if t == _MMS else t for t in self.message_types))

    def meets(self, message: "Message") -> bool:
        """Whether a message that RingCentral found is one of those that are meant."""
        if _MMS not in self.message_types or _SMS in self.message_types:
            return True
        return message.is_mms or message.type != _SMS

    def meets_kind(self, message: "Message") -> bool:
        """Whether its type and direction are meant, for what was not asked for by type."""
        return (
            (not self.message_types or message.type in self.types_to_ask())
            and (not self.directions or message.direction in self.directions)
            and self.meets(message)
        )
