"""Which messages a list or sync asks for: the parameters of both calls, parsed and applied.

Source: https://developers.ringcentral.com/api-reference/Message-Store/listMessages
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from multidict import MultiMapping

from sandbox.answers import invalid
from sandbox.clock import read_time
from sandbox.state.messages import StoredMessage, digits_of

TYPES = ("Fax", "SMS", "VoiceMail", "Pager")
DIRECTIONS = ("Inbound", "Outbound")
READ_STATUSES = ("Read", "Unread")
OWNERS = ("Any", "Personal", "Shared")
AVAILABILITIES = ("Alive", "Deleted", "Purged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The conditions of one call; times are seconds since the epoch, None is unbounded."""

    types: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    read_statuses: tuple[str, ...] = ()
    availability: tuple[str, ...] = ("Alive",)
    date_from: float = 0.0
    date_to: float | None = None
    conversation_id: str | None = None
    phone_number: str | None = None
    distinct_conversations: bool = False
    owners: tuple[str, ...] = ("Personal",)
    """Personal, Shared, Any, or ids of extensions."""
    owner_types: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: MultiMapping[str], *, now: float, default_range: float) -> Self:
        """Read the query; raises the 400 answer. Without `dateFrom` it reaches back so far."""
        date_to = _time(query, "dateTo")
        date_from = _time(query, "dateFrom")
        if date_from is None:
            date_from = (now if date_to is None else date_to) - default_range
        number = query.get("phoneNumber")
        return cls(
            types=_choices(query, "messageType", TYPES),
            directions=_choices(query, "direction", DIRECTIONS),
            read_statuses=_choices(query, "readStatus", READ_STATUSES),
            availability=_choices(query, "availability", AVAILABILITIES) or ("Alive",),
            # the server's times may be cut to whole seconds, and so are its comparisons
            date_from=float(math.floor(date_from)),
            date_to=date_to,
            conversation_id=query.get("conversationId"),
            phone_number=digits_of(number) if number else None,
            distinct_conversations=query.get("distinctConversations") == "true",
            owners=_owners(query),
            owner_types=tuple(query.getall("ownerExtensionType", [])),
        )

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in members.items()
        }
        return cls(**read)

    def to_json(self) -> dict[str, Any]:
        """The conditions as JSON, to be kept in a sync token."""
        return asdict(self)

    def matches(self, message: StoredMessage) -> bool:
        """Whether the message is inside the frame, whatever its availability."""
        record = message.record
        return (
            message.created >= self.date_from
            and (self.date_to is None or message.created <= self.date_to)
            and (not self.types or record["type"] in self.types)
            and (not self.directions or record["direction"] in self.directions)
            and (not self.read_statuses or record["readStatus"] in self.read_statuses)
            and self._matches_people(message)
            and self._matches_owner(message)
        )

    def choose(self, messages: Iterable[StoredMessage]) -> Iterator[StoredMessage]:
        """The messages that are asked for, in the order given."""
        seen: set[int] = set()
        for message in messages:
            if message.availability not in self.availability or not self.matches(message):
                continue
            if self.distinct_conversations:
                conversation = message.record.get("conversationId", message.id)
                if conversation in seen:
                    continue
                seen.add(conversation)
            yield message

    def _matches_owner(self, message: StoredMessage) -> bool:
        owner_id, owner_type = message.owner
        if self.owner_types and owner_type not in self.owner_types:
            return False
        whose = "Personal" if owner_id == message.extension_id else "Shared"
        return any(asked in ("Any", whose, owner_id) for asked in self.owners)

    def _matches_people(self, message: StoredMessage) -> bool:
        if self.conversation_id is not None:
            return str(message.record.get("conversationId")) == self.conversation_id
        return self.phone_number is None or self.phone_number in message.numbers()


def whole_number(query: MultiMapping[str], name: str, default: int) -> int:
    """A positive number of the query; raises the 400 answer."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise invalid(name)
    return int(text)


def _time(query: MultiMapping[str], name: str) -> float | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return read_time(text)
    except ValueError:
        raise invalid(name) from None


def _owners(query: MultiMapping[str]) -> tuple[str, ...]:
    asked = [part for text in query.getall("owner", []) for part in text.split(",") if part]
    if any(part not in OWNERS and not part.isdecimal() for part in asked):
        raise invalid("owner")
    return tuple(asked) or ("Personal",)


def _choices(query: MultiMapping[str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    spelled = {choice.lower(): choice for choice in known}
    asked = query.getall(name, [])
    if any(value.lower() not in spelled for value in asked):
        raise invalid(name)
    return tuple(spelled[value.lower()] for value in asked)
