"""What a route can ask of a message: for each key of `match`, the message's values to compare with.

A message that lacks the field has no values, so no condition on it holds.
"""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from message_store.mailbox import Mailbox
from message_store.message import Message, Party
from worker.numbers import e164

Values = tuple[str, ...]

_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


class Known(NamedTuple):
    """What is known of a message beside its record: whose mailbox it is in, and what was said."""

    extension_number: str | None = None
    extension_name: str | None = None
    transcription: str = ""


class Fact(NamedTuple):
    """One key of `match` that is compared with texts."""

    of: Callable[["Facts"], Values]
    known: tuple[str, ...] = ()  # the values RingCentral documents, where there are few
    numbers: bool = False  # whether a value may be a phone number in any spelling, or contacts
    contained: bool = False  # whether a value without wildcards may stand anywhere in the text
    extension: bool = False  # whether it is an extension's id, number or name
    content_type: bool = False


class Facts(dict[str, Values]):
    """The values of one message by key, each worked out when first asked for.

    The values are as they are compared: see `folded`; `plain` has them in their own case. `at` is
    the time that counts, `kept` what conditions have worked out for this message.
    """

    def __init__(
        self,
        message: Message,
        mailbox: Mailbox,
        known: Known = Known(),  # noqa: B008  # immutable
        at: datetime | None = None,
    ) -> None:
        super().__init__()
        self.message = message
        self.mailbox = mailbox
        self.known = known
        self.at = at or message.created
        self.kept: dict[object, Any] = {}

    def __missing__(self, key: str) -> Values:
        self[key] = values = tuple(map(_alike, self.plain(key)))  # as `folded`
        return values

    @property
    def is_of_record(self) -> bool:
        """Whether there is a record; of a message that was purged there is nothing but the id."""
        return bool(self.message.type) or not self.message.is_deleted

    def plain(self, key: str) -> Values:
        """The values of a key as they were told, white space apart."""
        return tuple(filter(None, map(in_one_line, FACTS[key].of(self))))

    def encoded(self, key: str) -> tuple[bytes, ...]:
        """The plain values in UTF-8."""
        kept = self.kept.get(key)
        if kept is None:
            # half a character, as hostile texts have, is no reason to fail
            values = (value.encode(errors="replace") for value in self.plain(key))
            kept = self.kept[key] = tuple(values)
        return kept


def folded(text: str) -> str:
    """The text as it is compared: without case, every run of white space as one space.

    Letters with accents are the same however they are composed, and so are quotes: phones write
    curly ones.
    """
    return _alike(in_one_line(text))


def _alike(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_STRAIGHT)
    return text.casefold()


def in_one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def _one(text: str | None) -> Values:
    return (text,) if text else ()


def _type(facts: Facts) -> Values:
    # RingCentral calls an MMS `SMS`, so both names hold for it
    return ("SMS", "MMS") if facts.message.is_mms else _one(facts.message.type)


def _party(party: Party) -> Values:
    number = party.phone_number and (e164(party.phone_number) or party.phone_number)
    return tuple(text for text in (number, party.extension_number, party.name) if text)


def _from(facts: Facts) -> Values:
    party = facts.message.from_
    return _party(party) if party else ()


def _to(facts: Facts) -> Values:
    message = facts.message
    if not message.to and message.type == "Fax" and message.subject:
        # an inbound fax may lack `to` and then has the called number in `subject`
        return _one(e164(message.subject) or message.subject)
    return tuple(value for party in message.to for value in _party(party))


def _extension(facts: Facts) -> Values:
    known = facts.known
    ids = (facts.mailbox.extension_id, known.extension_number, known.extension_name)
    return tuple(filter(None, ids))


def _owner(facts: Facts) -> Values:
    owner = facts.message.owner
    return tuple(filter(None, (owner.extension_id, owner.name))) if owner else ()


def _content_types(facts: Facts) -> Values:
    types = (part.content_type or "" for part in facts.message.files)
    return tuple(one.partition(";")[0] for one in types)


FACTS: dict[str, Fact] = {
    "type": Fact(_type, known=("Fax", "SMS", "MMS", "VoiceMail", "Pager", "Text")),
    "direction": Fact(lambda facts: _one(facts.message.direction), known=("Inbound", "Outbound")),
    "from": Fact(_from, numbers=True),
    "to": Fact(_to, numbers=True),
    "extension": Fact(_extension, extension=True),
    "owner": Fact(_owner, extension=True),
    "conversation": Fact(lambda facts: _one(conversation(facts.message))),
    "text": Fact(lambda facts: _one(facts.message.text), contained=True),
    "transcription": Fact(lambda facts: _one(facts.known.transcription), contained=True),
    "vmTranscriptionStatus": Fact(
        lambda facts: _one(facts.message.vm_transcription_status),
        known=(
            *("NotAvailable", "InProgress", "TimedOut", "Completed", "CompletedPartially"),
            *("Failed", "Unknown"),
        ),
    ),
    "contentType": Fact(_content_types, content_type=True),
    "readStatus": Fact(lambda facts: _one(facts.message.read_status), known=("Read", "Unread")),
    "messageStatus": Fact(
        lambda facts: _one(facts.message.message_status),
        known=("Queued", "Sent", "Delivered", "DeliveryFailed", "SendingFailed", "Received"),
    ),
    "priority": Fact(lambda facts: _one(facts.message.priority), known=("Normal", "High")),
    "faxResolution": Fact(lambda facts: _one(facts.message.fax_resolution), known=("High", "Low")),
}


def conversation(message: Message) -> str | None:
    """The id of the conversation; newer messages may have it in `conversation` alone."""
    told = (message.model_extra or {}).get("conversation")
    newer = told.get("id") if isinstance(told, dict) else None
    return message.conversation_id or (str(newer) if newer else None)


def pages(message: Message) -> int | None:
    """The pages of a fax; none are told (0) until it is rendered."""
    return message.fax_page_count or None


def seconds(message: Message) -> int | None:
    """The length of a voicemail in seconds."""
    lengths = (part.vm_duration for part in message.attachments if part.vm_duration is not None)
    return max(lengths, default=None)
