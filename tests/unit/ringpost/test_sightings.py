"""What a watch says of records that it has, or has not, seen before."""

from datetime import UTC, datetime
from typing import Any

from message_store.message import Message
from ringpost.sightings import Sightings

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def message(number: int, hour: int = 13, **fields: Any) -> Message:
    """A message of that day."""
    created = NOON.replace(hour=hour).isoformat()
    record = {"id": number, "type": "Fax", "availability": "Alive", "creationTime": created}
    return Message.model_validate({**record, "readStatus": "Unread", **fields})


def test_new_or_changed() -> None:
    """An unknown message is new from the beginning of the watch on, an older one has changed."""
    sightings = Sightings(since=NOON)
    found = [sightings.see(message(1)), sightings.see(message(2, hour=11))]
    assert [one and one.kind for one in found] == ["new", "changed"]


def test_repetitions() -> None:
    """A record that says nothing else is no news, whoever told it first."""
    sightings = Sightings(since=NOON)
    sightings.know([message(1)])
    assert sightings.see(message(1)) is None
    sightings.see(message(2))
    assert sightings.see(message(2)) is None


def test_what_changed() -> None:
    """Before and after are told by RingCentral's names."""
    sightings = Sightings(since=NOON)
    sightings.know([message(1)])
    news = sightings.see(message(1, readStatus="Read"))
    assert news is not None
    assert (news.kind, news.changes) == ("changed", {"readStatus": ("Unread", "Read")})


def test_deleted() -> None:
    """RingCentral gives the id alone; the rest is known from before, if it is."""
    sightings = Sightings(since=NOON)
    sightings.know([message(1)])
    bare = Message.model_validate({"id": 1, "availability": "Deleted"})
    news = sightings.see(bare)
    assert news is not None
    assert (news.kind, news.message.type) == ("deleted", "Fax")
    assert news.changes == {"availability": ("Alive", "Deleted")}
    assert sightings.see(bare) is None
    unknown = sightings.see(Message.model_validate({"id": 2, "availability": "Purged"}))
    assert unknown is not None
    assert unknown.kind == "deleted"


def test_memory_is_bounded() -> None:
    """Of very many messages the oldest are forgotten."""
    sightings = Sightings(since=NOON)
    sightings.know(message(number) for number in range(2_500))
    assert sightings.see(message(2_400)) is None
    assert sightings.see(message(10)) is not None
