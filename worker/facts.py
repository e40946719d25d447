"""What a route can ask of a message: for each key of `match`, the message's values to compare with.

Values are case-folded texts; a message that lacks the field has none, so no condition on it holds.
"""

from collections.abc import Callable
from typing import NamedTuple

from message_store.mailbox import Mailbox
from message_store.message import Message, Party
from worker.numbers import e164

Values = tuple[str, ...]


class Fact(NamedTuple):
    """One key of `match`."""

    of: Callable[[Message, Mailbox], Values]
    known: tuple[str, ...] = ()  # the values RingCentral documents, where there are few
    numbers: bool = False  # whether a value may be a phone number in any spelling
    contained: bool = False  # whether a value without wildcards may stand anywhere in the text


def folded(text: str) -> str:
    """The text as it is compared: without case, every run of white space as one space."""
    return " ".join(text.split()).casefold()


def _one(text: str | None) -> Values:
    return (folded(text),) if text else ()


def _type(message: Message, _: Mailbox) -> Values:
    # RingCentral calls an MMS `SMS`, so both names hold for it
    return ("sms", "mms") if message.is_mms else _one(message.type)


def _party(party: Party) -> Values:
    number = party.phone_number and (e164(party.phone_number) or party.phone_number)
    return tuple(folded(text) for text in (number, party.extension_number, party.name) if text)


def _from(message: Message, _: Mailbox) -> Values:
    return _party(message.from_) if message.from_ else ()


def _to(message: Message, _: Mailbox) -> Values:
    if not message.to and message.type == "Fax" and message.subject:
        # an inbound fax may lack `to` and then has the called number in `subject`
        return _one(e164(message.subject) or message.subject)
    return tuple(value for party in message.to for value in _party(party))


def _owner(message: Message, _: Mailbox) -> Values:
    owner = message.owner
    return tuple(map(folded, filter(None, (owner.extension_id, owner.name)))) if owner else ()


FACTS: dict[str, Fact] = {
    "type": Fact(_type, known=("Fax", "SMS", "MMS", "VoiceMail", "Pager", "Text")),
    "direction": Fact(lambda message, _: _one(message.direction), known=("Inbound", "Outbound")),
    "from": Fact(_from, numbers=True),
    "to": Fact(_to, numbers=True),
    "extension": Fact(lambda _, mailbox: _one(mailbox.extension_id)),
    "owner": Fact(_owner),
    "text": Fact(lambda message, _: _one(message.text), contained=True),
    "readStatus": Fact(lambda message, _: _one(message.read_status), known=("Read", "Unread")),
    "messageStatus": Fact(
        lambda message, _: _one(message.message_status),
        known=("Queued", "Sent", "Delivered", "DeliveryFailed", "SendingFailed", "Received"),
    ),
}


class Facts(dict[str, Values]):
    """The values of one message by key, each worked out when first asked for."""

    def __init__(self, message: Message, mailbox: Mailbox) -> None:
        super().__init__()
        self._message = message
        self._mailbox = mailbox

    def __missing__(self, key: str) -> Values:
        self[key] = values = FACTS[key].of(self._message, self._mailbox)
        return values
