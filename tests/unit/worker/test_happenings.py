"""What happened to a message between two states of it."""

from typing import Any

import pytest

from message_store.message import Message
from worker.happenings import WORDS, State, happened

INBOUND = {
    "id": 1,
    "direction": "Inbound",
    "availability": "Alive",
    "readStatus": "Unread",
    "messageStatus": "Received",
    "creationTime": "2025-11-23T14:17:08.000Z",
}
OUTBOUND = INBOUND | {"direction": "Outbound", "readStatus": "Read", "messageStatus": "Queued"}
VOICEMAIL = INBOUND | {"vmTranscriptionStatus": "InProgress"}


def message(wire: dict[str, Any], **changes: str) -> Message:
    return Message.model_validate({**wire, **changes})


@pytest.mark.parametrize(
    ("wire", "changes", "words"),
    [
        (INBOUND, {}, ()),
        (INBOUND, {"readStatus": "Read"}, ("read",)),
        (INBOUND, {"readStatus": "Unseen"}, ()),
        (INBOUND, {"availability": "Deleted"}, ("deleted",)),
        (INBOUND, {"availability": "Purged", "readStatus": "Read"}, ("read", "deleted")),
        (OUTBOUND, {"messageStatus": "Sent"}, ("sent",)),
        (OUTBOUND, {"messageStatus": "Delivered"}, ("sent", "delivered")),
        (OUTBOUND, {"messageStatus": "SendingFailed"}, ("failed",)),
        (OUTBOUND, {"messageStatus": "DeliveryFailed"}, ("failed",)),
        (VOICEMAIL, {"vmTranscriptionStatus": "Completed"}, ("transcribed",)),
        (VOICEMAIL, {"vmTranscriptionStatus": "CompletedPartially"}, ("transcribed",)),
        (VOICEMAIL, {"vmTranscriptionStatus": "TimedOut"}, ()),
    ],
)
def test_a_known_message_changes(
    wire: dict[str, Any], changes: dict[str, str], words: tuple[str, ...]
) -> None:
    """What it has reached now and had not before has happened to it."""
    before, after = State.of(message(wire)), message(wire, **changes)
    assert happened(after, before, State.of(after, before)) == words


@pytest.mark.parametrize(
    ("wire", "changes", "words"),
    [
        (INBOUND, {}, ("created",)),
        (INBOUND, {"readStatus": "Read"}, ("created", "read")),
        (INBOUND, {"availability": "Deleted"}, ("created", "deleted")),
        (OUTBOUND, {}, ("created",)),
        (OUTBOUND, {"messageStatus": "Delivered"}, ("created", "sent", "delivered")),
        (VOICEMAIL, {"vmTranscriptionStatus": "Completed"}, ("created", "transcribed")),
    ],
)
def test_a_message_is_first_seen(
    wire: dict[str, Any], changes: dict[str, str], words: tuple[str, ...]
) -> None:
    """It is created, and all that it has reached by then has happened to it too."""
    seen = message(wire, **changes)
    assert happened(seen, None, State.of(seen)) == words


def test_what_happens_again_counts_again() -> None:
    """A message that was marked unread in between is read a second time."""
    read, unread = (message(INBOUND, readStatus=status) for status in ("Read", "Unread"))
    assert happened(unread, State.of(read), State.of(unread)) == ()
    assert happened(read, State.of(unread), State.of(read)) == ("read",)


def test_what_is_set_back_is_no_news() -> None:
    """A fax that was delivered and then only counts as sent was sent before."""
    delivered, sent = (message(OUTBOUND, messageStatus=s) for s in ("Delivered", "Sent"))
    assert happened(sent, State.of(delivered), State.of(sent)) == ()


def test_a_deleted_record_says_nothing_of_the_rest() -> None:
    """A record with only an id and its availability leaves the rest as it was, and so a restore."""
    before = State.of(message(INBOUND, readStatus="Read"))
    gone = State.of(Message.model_validate({"id": 1, "availability": "Deleted"}), before)
    assert gone == before._replace(availability="Deleted")
    back = message(INBOUND, readStatus="Read")
    assert happened(back, gone, State.of(back, gone)) == ()


@pytest.mark.parametrize("text", ["Alive|Unread|Received|", "Purged|||", "print", "", "a|b|c|d|e"])
def test_every_fingerprint_can_be_read(text: str) -> None:
    """What stands in the ledger is understood, whoever wrote it."""
    state = State.parse(text)
    assert state.reached <= set(WORDS)
    assert State.parse(str(state)) == state


def test_a_fingerprint_keeps_its_parts_apart() -> None:
    """A status that RingCentral may invent does not spill into the next."""
    odd = State.of(message(INBOUND, readStatus="Read|Sent"))
    assert State.parse(str(odd)).message_status == "Received"


def test_a_fax_whose_pages_are_unknown_says_so_and_others_are_written_as_ever() -> None:
    """The fingerprints of older ledgers stay what they are: a commit compares them as text."""
    fax = message(INBOUND | {"type": "Fax", "faxPageCount": 0})
    told = State.of(fax)
    assert State.parse(str(told)) == told
    assert str(told) == "Alive|Unread|Received||pages unknown"
    rendered = State.of(message(INBOUND | {"type": "Fax", "faxPageCount": 2}), told)
    assert str(rendered) == str(State.of(message(INBOUND))) == "Alive|Unread|Received|"
